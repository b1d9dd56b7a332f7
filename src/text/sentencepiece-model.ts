/** What a SentencePiece model file (`.spm`, `.model`) holds: `ModelProto` of sentencepiece_model.proto. */

import { type Place, UserError } from "../errors.js";
import { ProtobufError, protobufFields } from "../protobuf.js";
import { CharacterMap } from "./character-map.js";

export type PieceType = "normal" | "unknown" | "control" | "user-defined" | "unused" | "byte";

export interface Piece {
  readonly text: string;
  /** Log-probability of a unigram model's piece; minus the rank of a BPE model's. */
  readonly score: number;
  readonly type: PieceType;
}

export interface SentencePieceModel {
  readonly algorithm: "unigram" | "bpe";
  readonly pieces: readonly Piece[];
  /** Characters without a piece are spelt out as `<0xE2>` and so on. */
  readonly byteFallback: boolean;
  readonly normalisation: Normalisation;
}

export interface Normalisation {
  /** Absent where characters stay as they are. */
  readonly map: CharacterMap | undefined;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
  /** One of the spaces at the end stays where the others are removed: no SentencePiece model has this, some `tokenizer.json` do. */
  readonly keepLastSpace?: boolean;
  /** The mark of a word stands at its end, not at its start. */
  readonly whitespaceAsSuffix: boolean;
}

const PIECE_TYPES: readonly (PieceType | undefined)[] = [
  undefined,
  "normal",
  "unknown",
  "control",
  "user-defined",
  "unused",
  "byte",
];
const ALGORITHMS: readonly (string | undefined)[] = [undefined, "unigram", "bpe", "word", "char"];

/** @throws UserError for a file that is not a SentencePiece model, or is one of words or characters. */
export function parseSentencePieceModel(bytes: Uint8Array, place: Place): SentencePieceModel {
  try {
    return parse(bytes);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new UserError(
      `${error.message}: this is not a SentencePiece model that is read here. Copy the model folder again.`,
      place,
      { cause: error },
    );
  }
}

function parse(bytes: Uint8Array): SentencePieceModel {
  const pieces: Piece[] = [];
  let trainer: ReadonlyMap<number, number | Uint8Array> = new Map();
  let normaliser = trainer;
  let denormaliser = trainer;
  for (const { number, value } of protobufFields(bytes)) {
    if (number > 5) continue;
    if (typeof value === "number") throw new ProtobufError(`has a number in field ${number}`);
    if (number === 1) pieces.push(parsePiece(value));
    else if (number === 2) trainer = fieldsOf(value);
    else if (number === 3) normaliser = fieldsOf(value);
    else if (number === 5) denormaliser = fieldsOf(value);
  }
  if (pieces.length === 0) throw new ProtobufError("has no pieces");
  const unknown = pieces.filter(({ type }) => type === "unknown").length;
  if (unknown !== 1) throw new ProtobufError(`has ${unknown} pieces for unknown characters, not 1`);
  const seen = new Set<string>();
  for (const { text } of pieces) {
    if (text === "" || seen.has(text))
      throw new ProtobufError(`has the piece ${JSON.stringify(text)} twice or empty`);
    seen.add(text);
  }
  const kind = trainer.get(3) ?? 1;
  const algorithm = typeof kind === "number" ? ALGORITHMS[kind] : undefined;
  if (algorithm !== "unigram" && algorithm !== "bpe")
    throw new ProtobufError(`is of algorithm ${algorithm ?? "unknown"}, not unigram or bpe`);
  if (bytesAt(denormaliser, 2).length > 0)
    throw new ProtobufError("rewrites decoded text (denormalizer_spec)");
  const charsmap = bytesAt(normaliser, 2);
  return {
    algorithm,
    pieces,
    byteFallback: flag(trainer, 35, false),
    normalisation: {
      map: charsmap.length === 0 ? undefined : new CharacterMap(charsmap),
      addDummyPrefix: flag(normaliser, 3, true),
      removeExtraWhitespaces: flag(normaliser, 4, true),
      escapeWhitespaces: flag(normaliser, 5, true),
      whitespaceAsSuffix: flag(trainer, 24, false),
    },
  };
}

function parsePiece(bytes: Uint8Array): Piece {
  const fields = fieldsOf(bytes);
  const score = fields.get(2);
  const kind = fields.get(3) ?? 1;
  const type = typeof kind === "number" ? PIECE_TYPES[kind] : undefined;
  if (type === undefined) throw new ProtobufError("has a piece of a type that does not exist");
  if (score !== undefined && (typeof score === "number" || score.length !== 4))
    throw new ProtobufError("has a piece whose score is not a number");
  const number =
    score === undefined ? 0 : new DataView(score.buffer, score.byteOffset, 4).getFloat32(0, true);
  if (!Number.isFinite(number)) throw new ProtobufError("has a piece whose score is not a number");
  return { text: Buffer.from(bytesAt(fields, 1)).toString("utf8"), score: number, type };
}

/** The last value of each field, as Protocol Buffers have it for fields that do not repeat. */
function fieldsOf(bytes: Uint8Array): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>();
  for (const { number, value } of protobufFields(bytes)) fields.set(number, value);
  return fields;
}

function bytesAt(fields: ReadonlyMap<number, number | Uint8Array>, number: number): Uint8Array {
  const value = fields.get(number) ?? new Uint8Array();
  if (typeof value === "number") throw new ProtobufError(`has a number in field ${number}`);
  return value;
}

function flag(fields: ReadonlyMap<number, number | Uint8Array>, number: number, absent: boolean): boolean {
  const value = fields.get(number) ?? Number(absent);
  if (typeof value !== "number") throw new ProtobufError(`has no yes or no in field ${number}`);
  return value !== 0;
}
