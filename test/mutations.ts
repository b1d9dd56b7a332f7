/** Damaged copies of a file, for tests that no reader crashes or hangs. */

import { deriveKey, integerBelow } from "../src/tensor/random.js";

/** Values that break counters and lengths. */
const NASTY = [0, 1, 0x7f, 0x80, 0xff];

/** `count` copies of `bytes`, each with bytes changed, cut out, doubled or cut off; the same for the same seed. */
export function* mutations(bytes: Uint8Array, count: number, seed: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    const key = deriveKey(seed, i);
    let drawn = 0;
    const below = (bound: number) => integerBelow(key, drawn++, bound);
    let copy = Uint8Array.from(bytes);
    for (let times = 1 + below(4); times > 0 && copy.length > 0; times--) {
      const at = below(copy.length);
      const length = 1 + below(16);
      switch (below(6)) {
        case 0:
          copy[at] = below(256);
          break;
        case 1:
          copy[at] = NASTY[below(NASTY.length)]!;
          break;
        case 2:
          copy[at] = copy[at]! ^ (1 << below(8));
          break;
        case 3:
          copy = joined(copy.subarray(0, at), copy.subarray(at + length));
          break;
        case 4:
          copy = joined(copy.subarray(0, at), copy.subarray(at, at + length), copy.subarray(at));
          break;
        default:
          if (below(8) === 0) copy = copy.slice(0, at);
          else copy.fill(0xff, at, at + 4);
      }
    }
    yield copy;
  }
}

/** Text that breaks readers of JSON, YAML and lines of columns where it stands in place of another word, or between two. */
const NASTY_WORDS = [
  "",
  "null",
  "true",
  "-1",
  "0",
  "1e999",
  "-0.0",
  ".nan",
  "0x10",
  "99999999",
  "9007199254740993",
  "9".repeat(400),
  "__proto__",
  "constructor",
  '"',
  "'",
  "[",
  "]",
  "{",
  "}",
  "{}",
  "[]",
  "[".repeat(5000),
  '{"a":'.repeat(2000),
  ",",
  ":",
  ": ",
  "\n",
  "\r",
  "\t",
  "\n  ",
  "- ",
  "? ",
  "|",
  ">-",
  "&a ",
  "*a",
  "<<: *a",
  "!!binary ",
  "!!set",
  "---\n",
  "...",
  "%YAML 9.9\n",
  "#",
  "\0",
  "\u0007",
  "\ufeff",
  "\u2028",
  "\ud800",
  "\\ud800",
  "\\",
  "🙂",
  "漢".repeat(3000),
];
const WORDS = /[\p{L}\p{N}_.+-]+|\s+|[^\p{L}\p{N}\s]/gu;

/** `count` copies of a text, each with words replaced, taken out, doubled, exchanged or put in; the same for the same seed. */
export function* textMutations(text: string, count: number, seed: number): Generator<Uint8Array> {
  const words = text.match(WORDS) ?? [];
  for (let i = 0; i < count; i++) {
    const key = deriveKey(seed, 1, i);
    let drawn = 0;
    const below = (bound: number) => integerBelow(key, drawn++, bound);
    const copy = [...words];
    for (let times = 1 + below(4); times > 0 && copy.length > 0; times--) {
      const at = below(copy.length);
      const nasty = NASTY_WORDS[below(NASTY_WORDS.length)]!;
      switch (below(6)) {
        case 0:
          copy.splice(at, 1 + below(8));
          break;
        case 1:
          copy.splice(at, 0, ...copy.slice(at, at + 1 + below(8)));
          break;
        case 2:
          copy[at] = copy[below(copy.length)]!;
          break;
        case 3:
          copy.splice(at, 0, nasty);
          break;
        default:
          copy[at] = nasty;
      }
    }
    yield Buffer.from(copy.join(""));
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts));
}
