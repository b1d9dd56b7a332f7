/** Texts as the sequences of token ids that COMET's encoder reads. */

import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../../../errors.js";
import { loadPieceTokenizer, type PieceTokenizer, pieceTokenizer } from "../../../text/piece-tokenizer.js";
import { type Piece, parseSentencePieceModel } from "../../../text/sentencepiece-model.js";
import type { RewardInput } from "../../reward.js";
import type { CometSettings, Segment } from "./settings.js";

/** XLM-R's special tokens are its first ids. */
const [START, PAD, END] = [0, 1, 2];
export const PADDING = PAD;
/** Positions of tokens count from here. */
export const FIRST_POSITION = PAD + 1;

const MODEL = "sentencepiece.bpe.model";
const TOKENIZERS = [MODEL, "tokenizer.json"];

/**
 * The tokenizer's file: `given` itself or one in it; else one in the checkpoint's folder, its `tokenizer`, or a folder there
 * that is called as the encoder is.
 *
 * @throws UserError where there is none, which says where to get it.
 */
export async function tokenizerFile(
  folder: string,
  given: string | undefined,
  pretrained: string,
): Promise<string> {
  if (given !== undefined && (await isFile(given))) return given;
  const places =
    given !== undefined ? [given] : ["", "tokenizer", basename(pretrained)].map((part) => join(folder, part));
  for (const place of places)
    for (const name of TOKENIZERS) {
      const file = join(place, name);
      if (await isFile(file)) return file;
    }
  throw new UserError(
    `there is no tokenizer here: a COMET checkpoint has none of its own. Get ${MODEL} of its encoder, ${pretrained}, from the Hugging Face Hub and name its folder with tokenizer (--tokenizer).`,
    { file: places[0]! },
  );
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/**
 * The tokenizer of XLM-R. Its SentencePiece model has three special pieces of its own in front, in place of which the encoder
 * knows four, and `<mask>` at the end.
 *
 * @throws UserError naming the file where it is not such a model.
 */
export async function loadTokenizer(file: string): Promise<PieceTokenizer> {
  const tokenizer = file.endsWith(".json") ? await loadPieceTokenizer(file) : await fromModel(file);
  const special = ["<s>", "<pad>", "</s>", "<unk>"];
  if (special.some((token, id) => tokenizer.idOf(token) !== id))
    throw new UserError(
      `is no tokenizer of XLM-R, whose first tokens are ${special.join(" ")}. Take that of the checkpoint's encoder.`,
      { file },
    );
  return tokenizer;
}

async function fromModel(file: string): Promise<PieceTokenizer> {
  const model = parseSentencePieceModel(await readFile(file), { file });
  const [unknown, start, end, ...pieces] = model.pieces;
  const control = (text: string): Piece => ({ text, score: 0, type: "control" });
  if (unknown?.type !== "unknown" || start?.text !== "<s>" || end?.text !== "</s>")
    throw new UserError(
      `is no model of XLM-R: its first pieces are not <unk>, <s> and </s>. Take ${MODEL} of the checkpoint's encoder.`,
      { file },
    );
  return pieceTokenizer({
    ...model,
    pieces: [start, control("<pad>"), end, unknown, ...pieces, control("<mask>")],
  });
}

/** The sequences that one input is scored from. */
export type Sequences = (input: RewardInput) => number[][];

/**
 * How inputs become sequences, for an encoder with a table of `positions` rows.
 *
 * A text is `<s> pieces </s>` of at most `positions` − 4 tokens. A unified model reads several as one, `<s> mt </s></s> src </s>`,
 * cut at `positions` − 2; one with both source and reference reads three such sequences, whose scores are averaged. What looks
 * like a special token in a text is the characters it is.
 */
export function sequencesOf(
  tokenizer: PieceTokenizer,
  { kind, segments }: CometSettings,
  positions: number,
): Sequences {
  const longest = positions - FIRST_POSITION;
  const pieces = (input: RewardInput, segment: Segment) =>
    tokenizer.encode(textOf(input, segment)).slice(0, longest - 4);
  const alone = (input: RewardInput, segment: Segment) => [START, ...pieces(input, segment), END];
  const joined = (input: RewardInput, wanted: readonly Segment[]) =>
    wanted.flatMap((segment, i) => [i === 0 ? START : END, ...pieces(input, segment), END]).slice(0, longest);
  if (kind === "referenceless") return (input) => [alone(input, "mt"), alone(input, "src")];
  if (kind === "regression") return (input) => [alone(input, "mt"), alone(input, "src"), alone(input, "ref")];
  const sets: Segment[][] =
    segments.length === 2 ? [[...segments]] : [["mt", "src"], ["mt", "ref"], [...segments]];
  return (input) => sets.map((wanted) => joined(input, wanted));
}

function textOf({ source, candidate, reference }: RewardInput, segment: Segment): string {
  return segment === "mt" ? candidate : segment === "src" ? source : (reference ?? "");
}
