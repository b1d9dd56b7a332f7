/**
 * SentencePiece's precompiled character map: what runs of characters are replaced by, as a double-array trie (Darts-clone)
 * over their UTF-8 bytes and the replacements behind it, each ended by a zero byte.
 */

import { ProtobufError } from "../protobuf.js";

/** Matches of one prefix that SentencePiece looks at. */
const MOST_MATCHES = 32;

export class CharacterMap {
  /** The map as a model file has it. */
  readonly bytes: Uint8Array;
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;

  /** @throws ProtobufError where the blob is not such a map. */
  constructor(blob: Uint8Array) {
    this.bytes = blob;
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    const trieBytes = blob.length < 4 ? 0 : view.getUint32(0, true);
    if (trieBytes < 4 || trieBytes % 4 !== 0 || trieBytes >= blob.length - 4)
      throw new ProtobufError("has a character map that is cut short");
    this.#units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.#replacements = blob.subarray(4 + trieBytes);
    if (this.#replacements.at(-1) !== 0) throw new ProtobufError("has a character map that is cut short");
  }

  /** The longest run of `text` from `start` on that is replaced, and by what; undefined where none is. */
  longest(text: Uint8Array, start: number): { length: number; replacement: Uint8Array } | undefined {
    const units = this.#units;
    let found: { length: number; value: number } | undefined;
    let matches = 0;
    let node = offsetOf(units[0]!);
    for (let at = start; at < text.length && matches < MOST_MATCHES; at++) {
      const byte = text[at]!;
      node ^= byte;
      const unit = units[node];
      // A leaf has bit 31 set and is no node on the way.
      if (unit === undefined || (unit & 0x800000ff) !== byte) break;
      node ^= offsetOf(unit);
      if ((unit >>> 8) & 1) {
        const leaf = units[node];
        if (leaf === undefined) break;
        found = { length: at + 1 - start, value: leaf & 0x7fffffff };
        matches++;
      }
    }
    if (!found || found.value >= this.#replacements.length) return undefined;
    const end = this.#replacements.indexOf(0, found.value);
    return { length: found.length, replacement: this.#replacements.subarray(found.value, end) };
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
