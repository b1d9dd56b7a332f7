/** Fields of a Protocol Buffers message, read in their order (https://protobuf.dev/programming-guides/encoding/). */

/** A message that is cut short or has a field of a type that does not exist. */
export class ProtobufError extends Error {}

export interface Field {
  readonly number: number;
  /** A whole number below 2⁵³ (varint), or the bytes of a text, a message or a fixed number. */
  readonly value: number | Uint8Array;
}

export function* protobufFields(message: Uint8Array): Generator<Field> {
  let at = 0;
  const bytes = (length: number): Uint8Array => {
    if (length > message.length - at) throw new ProtobufError("is cut short");
    at += length;
    return message.subarray(at - length, at);
  };
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const [byte] = bytes(1);
      // Negative numbers take ten bytes, and arrive as what their lower 49 bits say: no field here has them.
      if (i < 7) value += (byte! & 0x7f) * 2 ** (7 * i);
      if (byte! < 0x80) return value;
    }
    throw new ProtobufError("has a number of more than ten bytes");
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: bytes(8) };
        break;
      case 2:
        yield { number, value: bytes(varint()) };
        break;
      case 5:
        yield { number, value: bytes(4) };
        break;
      default:
        throw new ProtobufError(`has a field of type ${tag % 8}, which does not exist`);
    }
  }
}
