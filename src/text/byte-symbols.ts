/** The byte-level alphabet: one printable character for each of the 256 bytes, so that no text is unknown. */

/**
 * Character that stands for each byte, indexed by byte. Printable Latin-1 characters stand for themselves and the
 * other bytes take U+0100 upwards in order: the table of GPT-2, which Hugging Face's `ByteLevel` parts use.
 */
export const BYTE_SYMBOLS: readonly string[] = (() => {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

/**
 * Bytes in the order of their characters. Symbols get their ids in this order, as in Hugging Face's trainer, so that
 * equal counts are broken alike there and here.
 */
export const BYTES_BY_SYMBOL: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte).sort(
  (a, b) => BYTE_SYMBOLS[a].charCodeAt(0) - BYTE_SYMBOLS[b].charCodeAt(0),
);
