/**
 * Text to the ids of SentencePiece's pieces, for models that take those as they are: from the `.model` file, or from a
 * `tokenizer.json` with a unigram model, which is what Transformers makes of it.
 */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type Place, UserError } from "../errors.js";
import { ProtobufError } from "../protobuf.js";
import { CharacterMap } from "./character-map.js";
import { piecesOf, SPACE_MARK } from "./sentencepiece.js";
import {
  type Normalisation,
  type Piece,
  parseSentencePieceModel,
  type SentencePieceModel,
} from "./sentencepiece-model.js";

export interface PieceTokenizer {
  /** Ids are 0 to `size` − 1. */
  readonly size: number;
  /**
   * Ids of a text's pieces, with no special token added and none found: what looks like one (`</s>`) is the characters it is.
   */
  encode(text: string): number[];
  /** The id of a piece or special token; undefined where the vocabulary has none. */
  idOf(piece: string): number | undefined;
}

/**
 * The tokenizer's file: `given`, or one of `names` in the folder `given` or, where nothing is given, in `folder`.
 * @throws UserError where there is none.
 */
export async function tokenizerFile(
  folder: string,
  given: string | undefined,
  names: readonly string[],
): Promise<string> {
  const place = given ?? folder;
  const facts = await stat(place).catch(() => undefined);
  if (given !== undefined && facts?.isFile()) return given;
  for (const name of names) {
    const file = join(place, name);
    if ((await stat(file).catch(() => undefined))?.isFile()) return file;
  }
  throw new UserError(
    `there is no tokenizer here: ${names.join(" or ")} was expected. Name its file or folder with tokenizer (--tokenizer).`,
    { file: place },
  );
}

/** Reads a SentencePiece model, or a file that ends in `.json` as a `tokenizer.json`. @throws UserError naming the file. */
export async function loadPieceTokenizer(file: string): Promise<PieceTokenizer> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new UserError(`cannot be read (${String(cause)}); name the tokenizer's file.`, { file }, { cause });
  });
  return pieceTokenizer(
    file.endsWith(".json")
      ? parseUnigramJson(bytes.toString("utf8"), { file })
      : parseSentencePieceModel(bytes, { file }),
  );
}

/** The tokenizer whose ids are the places of `model.pieces`. */
export function pieceTokenizer(model: SentencePieceModel): PieceTokenizer {
  const all = new Map(model.pieces.map(({ text }, id) => [text, id] as const));
  // Text cannot spell these.
  const silent = new Set(["control", "unknown", "unused"]);
  const inText = new Map(
    model.pieces.flatMap(({ text, type }, id) => (silent.has(type) ? [] : [[text, id] as const])),
  );
  const unknown = model.pieces.findIndex(({ type }) => type === "unknown");
  const pieces = piecesOf(model);
  return {
    size: model.pieces.length,
    encode: (text) => pieces(text).map((piece) => inText.get(piece) ?? unknown),
    idOf: (piece) => all.get(piece),
  };
}

const part = z.looseObject({ type: z.string() });
type Part = z.infer<typeof part>;

/** Special tokens by their usual names: some versions of Transformers do not list them. */
const SPECIAL = new Set(["<s>", "</s>", "<pad>", "<mask>", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]);

const unigramSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ content: z.string(), special: z.boolean() })).default([]),
  normalizer: part.nullable().default(null),
  pre_tokenizer: part.nullable().default(null),
  model: z.looseObject({
    type: z.literal("Unigram"),
    unk_id: z.int().nonnegative(),
    byte_fallback: z.boolean().default(false),
    vocab: z.array(z.tuple([z.string(), z.number()])).min(1),
  }),
});

/**
 * A unigram `tokenizer.json` as the SentencePiece model that it was made of. A text of white space alone has no pieces,
 * though earlier versions of Transformers give it one.
 * @throws UserError where it is none, or prepares text in a way that SentencePiece models do not.
 */
export function parseUnigramJson(text: string, place: Place): SentencePieceModel {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new UserError("is not JSON (cut short?); copy the tokenizer again.", place, { cause });
  }
  const parsed = unigramSchema.safeParse(content);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new UserError(
      `${path.join(".") || "the file"} is not as a tokenizer.json with a unigram model has it (${message}); use the SentencePiece model in its place.`,
      place,
      { cause: parsed.error },
    );
  }
  const { added_tokens, model, normalizer, pre_tokenizer } = parsed.data;
  const special = new Set(added_tokens.filter((token) => token.special).map(({ content: token }) => token));
  const pieces = model.vocab.map(([piece, score], id): Piece => {
    const type =
      id === model.unk_id
        ? "unknown"
        : special.has(piece) || SPECIAL.has(piece)
          ? "control"
          : model.byte_fallback && /^<0x[0-9A-F]{2}>$/.test(piece)
            ? "byte"
            : "normal";
    return { text: piece, score, type };
  });
  if (!pieces[model.unk_id])
    throw new UserError(
      `model.unk_id is ${model.unk_id}, but the vocabulary has ${pieces.length} pieces.`,
      place,
    );
  return {
    algorithm: "unigram",
    pieces,
    byteFallback: model.byte_fallback,
    normalisation: normalisationOf(normalizer, pre_tokenizer, place),
  };
}

/** The parts that Transformers writes for a SentencePiece model's normaliser, and no others. */
function normalisationOf(normaliser: Part | null, preTokenizer: Part | null, place: Place): Normalisation {
  let map: CharacterMap | undefined;
  let keepLastSpace = true;
  for (const step of flat(normaliser, "normalizers")) {
    if (step.type === "Precompiled" && typeof step.precompiled_charsmap === "string")
      map = characterMap(step.precompiled_charsmap, place);
    else if (step.type === "Strip" && step.strip_right === true) keepLastSpace = false;
    // White space in rows, which SentencePiece makes one as well.
    else if (step.type !== "Replace" || !isDeepStrictEqual(step.pattern, { Regex: " {2,}" }))
      throw strange("normalizer", step, place);
  }
  const all = flat(preTokenizer, "pretokenizers");
  const [mark, ...others] = all.filter(({ type }) => type !== "WhitespaceSplit");
  if (others.length < all.length - 1) keepLastSpace = false;
  if (mark?.type !== "Metaspace" || (mark.replacement ?? SPACE_MARK) !== SPACE_MARK || others.length > 0)
    throw strange("pre_tokenizer", others[0] ?? mark, place);
  return {
    map,
    addDummyPrefix: mark.add_prefix_space !== false && mark.prepend_scheme !== "never",
    removeExtraWhitespaces: true,
    keepLastSpace,
    escapeWhitespaces: true,
    whitespaceAsSuffix: false,
  };
}

/** The steps of a sequence, or the one step. */
function flat(step: Part | null, key: string): Part[] {
  if (step === null) return [];
  return step.type === "Sequence" ? z.array(part).catch([]).parse(step[key]) : [step];
}

function characterMap(base64: string, place: Place): CharacterMap | undefined {
  const blob = Buffer.from(base64, "base64");
  if (blob.length === 0) return undefined;
  try {
    return new CharacterMap(blob);
  } catch (cause) {
    if (!(cause instanceof ProtobufError)) throw cause;
    throw new UserError(`${cause.message}; copy the tokenizer again.`, place, { cause });
  }
}

function strange(key: string, step: Part | undefined, place: Place): UserError {
  return new UserError(
    `${key} ${step ? `has a part of type "${step.type}"` : "is empty"}, which no SentencePiece model has; use the SentencePiece model in its place.`,
    place,
  );
}
