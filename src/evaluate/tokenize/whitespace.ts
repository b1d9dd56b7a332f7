/** Splits text at white space as Python does, because sacreBLEU's figures depend on it. */

// Python's set differs from JavaScript's `\s`: U+001C to U+001F and U+0085 are in, U+FEFF is not.
const WHITESPACE = new Set([
  0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f,
  0x205f, 0x3000,
]);

/** Whether the UTF-16 unit or code point `code` is white space to Python's `str.split`. */
export function isWhitespace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f);
  return (code >= 0x2000 && code <= 0x200a) || WHITESPACE.has(code);
}

/** The words of `text`: the runs between white space, none of them empty. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    if (isWhitespace(text.charCodeAt(i))) {
      if (start >= 0) words.push(text.slice(start, i));
      start = -1;
    } else if (start < 0) start = i;
  }
  if (start >= 0) words.push(text.slice(start));
  return words;
}

/** `text` without the white space at its end. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isWhitespace(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

/** `text` without the white space at its start. */
export function trimStart(text: string): string {
  let start = 0;
  while (start < text.length && isWhitespace(text.charCodeAt(start))) start++;
  return text.slice(start);
}
