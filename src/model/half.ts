/** 16-bit numbers as 32-bit ones, exactly. */

/** BF16 is the upper half of a 32-bit number. */
export function fromBrainFloat(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
  return new Float32Array(words.buffer);
}

/** IEEE 754 binary16: sign, 5 bits of exponent, 10 bits of fraction. */
export function fromHalf(halves: Uint16Array): Float32Array {
  const result = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) result[i] = sign * fraction * 2 ** -24;
    else if (exponent === 0x1f) result[i] = fraction === 0 ? sign * Infinity : Number.NaN;
    else result[i] = sign * (0x400 + fraction) * 2 ** (exponent - 25);
  }
  return result;
}
