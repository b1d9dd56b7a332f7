/** Byte-pair encoding as SentencePiece does it: neighbours merge, the pair whose piece has the highest score first. */

import { characterLength, type Run } from "./runs.js";
import type { Piece } from "./sentencepiece-model.js";
import { Trie } from "./trie.js";

interface Symbol {
  text: string;
  /** A user-defined piece, which takes part in no merge. */
  readonly frozen: boolean;
  previous: number;
  next: number;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  readonly score: number;
  readonly length: number;
}

/** Runs of a normalised text. */
export function mergePairs(pieces: readonly Piece[]): (text: string) => Run[] {
  const byText = new Map<string, Piece>();
  for (const piece of pieces)
    if (piece.type === "normal" || piece.type === "user-defined" || piece.type === "unused")
      byText.set(piece.text, piece);
  const userDefined = pieces.filter(({ type }) => type === "user-defined").map(({ text }) => text);
  const whole = userDefined.length > 0 ? new Trie(userDefined) : undefined;
  const known = (text: string) => byText.has(text);

  return (text) => {
    const symbols: Symbol[] = [];
    for (let at = 0; at < text.length; ) {
      const frozen = whole?.longest(text, at) ?? 0;
      const length = frozen > 0 ? frozen : characterLength(text, at);
      const index = symbols.length;
      symbols.push({
        text: text.slice(at, at + length),
        frozen: frozen > 0,
        previous: index - 1,
        next: index + 1,
      });
      at += length;
    }
    const waiting = new PairQueue();
    /** The two halves of each unused piece that was merged: it is taken apart again at the end. */
    const halves = new Map<string, readonly [string, string]>();
    const offer = (left: number, right: number) => {
      const [a, b] = [symbols[left], symbols[right]];
      if (!a || !b || a.frozen || b.frozen) return;
      const joined = a.text + b.text;
      const piece = byText.get(joined);
      if (!piece) return;
      waiting.push({ left, right, score: piece.score, length: joined.length });
      if (piece.type === "unused") halves.set(joined, [a.text, b.text]);
    };
    for (let i = 1; i < symbols.length; i++) offer(i - 1, i);
    for (let pair = waiting.pop(); pair; pair = waiting.pop()) {
      const [left, right] = [symbols[pair.left]!, symbols[pair.right]!];
      // One of the two has gone into another piece since.
      if (left.text === "" || right.text === "" || left.text.length + right.text.length !== pair.length)
        continue;
      left.text += right.text;
      right.text = "";
      left.next = right.next;
      const after = symbols[right.next];
      if (after) after.previous = pair.left;
      offer(left.previous, pair.left);
      offer(pair.left, left.next);
    }
    const runs: Run[] = [];
    /** Not recursive: pieces of a hostile model may be nested as deep as they are long. */
    const todo: string[] = [];
    for (let i = 0; i < symbols.length && i >= 0; i = symbols[i]!.next) {
      todo.push(symbols[i]!.text);
      for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
        const parts = byText.get(next)?.type === "unused" ? halves.get(next) : undefined;
        if (parts) todo.push(parts[1], parts[0]);
        else runs.push({ text: next, known: known(next) });
      }
    }
    return runs;
  };
}

/** A binary heap: highest score first, of equal ones the leftmost pair. */
class PairQueue {
  readonly #pairs: Pair[] = [];

  push(pair: Pair): void {
    const pairs = this.#pairs;
    let at = pairs.length;
    for (;;) {
      const parent = (at - 1) >> 1;
      if (at === 0 || !before(pair, pairs[parent]!)) break;
      pairs[at] = pairs[parent]!;
      at = parent;
    }
    pairs[at] = pair;
  }

  pop(): Pair | undefined {
    const pairs = this.#pairs;
    const first = pairs[0];
    const last = pairs.pop();
    if (last === undefined || pairs.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= pairs.length) break;
      if (child + 1 < pairs.length && before(pairs[child + 1]!, pairs[child]!)) child++;
      if (!before(pairs[child]!, last)) break;
      pairs[at] = pairs[child]!;
      at = child;
    }
    pairs[at] = last;
    return first;
  }
}

function before(a: Pair, b: Pair): boolean {
  return a.score > b.score || (a.score === b.score && a.left < b.left);
}
