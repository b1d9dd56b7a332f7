/**
 * Text to pieces as SentencePiece cuts it, piece for piece: normalisation, then the best path of a unigram model or the merges
 * of a BPE model (normalizer.cc, unigram_model.cc and bpe_model.cc of SentencePiece 0.2).
 */

import { mergePairs } from "./merge-pairs.js";
import { characterLength, type Run } from "./runs.js";
import type { Normalisation, Piece, SentencePieceModel } from "./sentencepiece-model.js";
import { Trie } from "./trie.js";

/** Stands for a space within pieces. */
export const SPACE_MARK = "▁";
const MARK_BYTES = Buffer.from(SPACE_MARK);
const SPACE = 0x20;
/** What an unknown character costs beyond the least likely piece. */
export const UNKNOWN_PENALTY = 10;

/** What cuts a text into pieces. */
export type Pieces = (text: string) => string[];

/** The pieces of a text. A run of characters that the model does not know is one piece, as it is. */
export function piecesOf(model: SentencePieceModel): Pieces {
  const normalise = normaliser(model.normalisation, model.pieces);
  const cut = model.algorithm === "unigram" ? bestPath(model.pieces) : mergePairs(model.pieces);
  return (text) => {
    const pieces: string[] = [];
    let unknownBefore = false;
    for (const run of cut(normalise(text))) {
      if (run.known) pieces.push(run.text);
      else if (model.byteFallback) pieces.push(...bytePieces(run.text));
      else if (unknownBefore) pieces[pieces.length - 1] += run.text;
      else pieces.push(run.text);
      unknownBefore = !run.known;
    }
    return pieces;
  };
}

function bytePieces(text: string): string[] {
  return Array.from(Buffer.from(text), (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
}

/**
 * Text as pieces are matched against: characters replaced by the model's map, white space made one or left, and written as
 * `▁`. User-defined pieces are left as they are.
 */
function normaliser(rules: Normalisation, pieces: readonly Piece[]): (text: string) => string {
  const { map, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces, whitespaceAsSuffix } = rules;
  const cutsEnd = removeExtraWhitespaces && !rules.keepLastSpace;
  const kept = pieces
    .filter(({ type }) => type === "user-defined")
    .map(({ text }) => latin(Buffer.from(text)));
  const untouched = kept.length > 0 ? new Trie(kept) : undefined;
  const mark = escapeWhitespaces ? MARK_BYTES : Buffer.from(" ");
  return (text) => {
    const input = Buffer.from(text);
    const asLatin = untouched ? latin(input) : "";
    let at = 0;
    /** What the next characters become; moves on behind them. */
    const next = (): Uint8Array => {
      const start = at;
      const whole = untouched?.longest(asLatin, start) ?? 0;
      if (whole > 0) {
        at += whole;
        return input.subarray(start, at);
      }
      const replaced = map?.longest(input, start);
      at += replaced?.length ?? characterBytes(input[start]!);
      return replaced?.replacement ?? input.subarray(start, at);
    };
    if (removeExtraWhitespaces)
      while (at < input.length) {
        const start = at;
        const first = next();
        if (first.length === 1 && first[0] === SPACE) continue;
        at = start;
        break;
      }
    if (at >= input.length) return "";
    const written: number[] = [];
    if (addDummyPrefix && !whitespaceAsSuffix) written.push(...mark);
    let afterSpace = removeExtraWhitespaces;
    while (at < input.length) {
      let piece = next();
      if (afterSpace) while (piece[0] === SPACE) piece = piece.subarray(1);
      for (const byte of piece) {
        if (byte === SPACE) written.push(...mark);
        else written.push(byte);
      }
      if (piece.length > 0) afterSpace = removeExtraWhitespaces && piece.at(-1) === SPACE;
    }
    let result = Buffer.from(written).toString("utf8");
    const space = escapeWhitespaces ? SPACE_MARK : " ";
    if (cutsEnd) while (result.endsWith(space)) result = result.slice(0, -1);
    return addDummyPrefix && whitespaceAsSuffix ? result + space : result;
  };
}

/** Bytes as characters of the same numbers. */
function latin(bytes: Buffer): string {
  return bytes.toString("latin1");
}

function characterBytes(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** The cut with the highest sum of scores (Viterbi); of equal ones that of the earliest pieces. */
function bestPath(pieces: readonly Piece[]): (text: string) => Run[] {
  const inText = pieces.filter(({ type }) => type !== "control" && type !== "unknown" && type !== "byte");
  const trie = new Trie(inText.map(({ text }) => text));
  let [lowest, highest] = [Number.POSITIVE_INFINITY, 0];
  for (const { type, score } of pieces)
    if (type === "normal") [lowest, highest] = [Math.min(lowest, score), Math.max(highest, score)];
  const unknownScore = Math.fround(lowest - UNKNOWN_PENALTY);
  const scores = inText.map(({ type, score, text }) =>
    // High enough to be chosen wherever it stands.
    type === "user-defined" ? Buffer.byteLength(text) * highest - 0.1 : score,
  );

  return (text) => {
    // Sums are kept in 32 bits, as SentencePiece does, so that near ties fall alike.
    const best = new Float32Array(text.length + 1);
    const startOf = new Int32Array(text.length + 1).fill(-1);
    const known = new Uint8Array(text.length + 1);
    const offer = (start: number, end: number, score: number, isKnown: boolean) => {
      const sum = Math.fround(score + best[start]!);
      if (startOf[end]! >= 0 && sum <= best[end]!) return;
      best[end] = sum;
      startOf[end] = start;
      known[end] = Number(isKnown);
    };
    for (let start = 0; start < text.length; ) {
      const character = characterLength(text, start);
      let alone = false;
      let node = 0;
      for (let end = start; end < text.length; ) {
        node = trie.step(node, text.charCodeAt(end++));
        if (node < 0) break;
        const id = trie.at(node);
        if (id < 0 || inText[id]!.type === "unused") continue;
        offer(start, end, scores[id]!, true);
        if (end - start === character) alone = true;
      }
      if (!alone) offer(start, start + character, unknownScore, false);
      start += character;
    }
    const runs: Run[] = [];
    for (let end = text.length; end > 0; end = startOf[end]!)
      runs.push({ text: text.slice(startOf[end], end), known: known[end] === 1 });
    return runs.reverse();
  };
}
