/**
 * The tokenizer of a Marian folder that has no SentencePiece models but a `tokenizer.json` with a unigram model, as folders for
 * Transformers.js have it.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type MarianCodec, parseCodecFile, pieceCodec, settingsSchema, Vocabulary } from "./marian-codec.js";
import { parseUnigramJson } from "./piece-tokenizer.js";
import { definePieceConfig, NEVER_CUT } from "./sentencepiece-definition.js";
import type { Piece, SentencePieceModel } from "./sentencepiece-model.js";

const TOKENIZER = "tokenizer.json";
const SETTINGS = "tokenizer_config.json";
/** Kept as they were, and written again. */
const KEPT = [TOKENIZER, SETTINGS, "special_tokens_map.json"];

const kind = z.looseObject({ model: z.looseObject({ type: z.literal("Unigram") }) });

/** Whether `text`, the content of a tokenizer.json, has a unigram model. */
function isUnigram(text: string): boolean {
  // Not worth reading whole twice: most are of another type.
  if (!text.includes("Unigram")) return false;
  try {
    return kind.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

/**
 * Reads the tokenizer of a folder; undefined where its `tokenizer.json` has no unigram model. Source and target are one.
 *
 * @throws UserError where it prepares text in a way that SentencePiece models do not, or has no special tokens.
 */
export async function loadUnigramCodec(
  folder: string,
  names: readonly string[],
): Promise<MarianCodec | undefined> {
  if (!names.includes(TOKENIZER)) return undefined;
  const file = join(folder, TOKENIZER);
  const text = await readFile(file, "utf8");
  if (!isUnigram(text)) return undefined;
  const model = marked(parseUnigramJson(text, { file }));
  const files = new Map<string, Uint8Array>();
  for (const name of KEPT) if (names.includes(name)) files.set(name, await readFile(join(folder, name)));
  const given = files.get(SETTINGS);
  const settings = given
    ? parseCodecFile(given, settingsSchema, join(folder, SETTINGS))
    : settingsSchema.parse({});
  const ids = Object.fromEntries(model.pieces.map((piece, id) => [piece.text, id] as const));
  const vocabulary = new Vocabulary(ids, settings, file);
  const both = pieceCodec(model, vocabulary, model);
  return {
    source: both,
    target: both,
    files,
    twoVocabularies: false,
    define(longest) {
      // An object: it has a model.
      const tokenizer = JSON.parse(text) as Record<string, unknown>;
      const contents = { tokenizer, config: definePieceConfig(vocabulary.special, longest) };
      return { source: contents, target: contents };
    },
  };
}

/** The model with the pieces that no text is cut into under their own names. */
function marked(model: SentencePieceModel): SentencePieceModel {
  const pieces = model.pieces.map(
    (piece): Piece =>
      piece.text.startsWith(NEVER_CUT)
        ? { ...piece, text: piece.text.slice(NEVER_CUT.length), type: "unused" }
        : piece,
  );
  return { ...model, pieces };
}
