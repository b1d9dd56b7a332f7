/** A reference and a candidate as BLEURT reads them: `[CLS] reference [SEP] candidate [SEP]`. */

import { readFile } from "node:fs/promises";
import { UserError } from "../../../errors.js";
import { fileError } from "../../../model/files.js";
import { piecesOf } from "../../../text/sentencepiece.js";
import { parseSentencePieceModel } from "../../../text/sentencepiece-model.js";

export interface EncodedPair {
  readonly ids: readonly number[];
  /** How many of the ids are of the first segment: `[CLS]`, the reference and its `[SEP]`. */
  readonly first: number;
}

export interface PairEncoder {
  /** Ids are 0 to `size` − 1. */
  readonly size: number;
  encode(reference: string, candidate: string): EncodedPair;
}

/** Places that the three special tokens take. */
const SPECIAL = 3;

/**
 * Reads the SentencePiece model `file`. Pairs of more than `maxLength` ids are cut as BLEURT does it (`encoding.py`).
 * @throws UserError where the file cannot be read, is no SentencePiece model or has no `[CLS]` or `[SEP]`.
 */
export async function loadPairEncoder(file: string, maxLength: number): Promise<PairEncoder> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fileError(error, "be read", file);
  });
  const model = parseSentencePieceModel(bytes, { file });
  const idOf = new Map(model.pieces.map(({ text }, id) => [text, id] as const));
  const special = (piece: string) => {
    const id = idOf.get(piece);
    if (id !== undefined) return id;
    throw new UserError(
      `has no piece ${piece}, which BLEURT puts between the texts. This is not the model of its checkpoint.`,
      { file },
    );
  };
  const [start, separator] = [special("[CLS]"), special("[SEP]")];
  const unknown = model.pieces.findIndex(({ type }) => type === "unknown");
  const pieces = piecesOf(model);
  // By the name of the piece, as BLEURT looks it up: a text that spells a special token gets its id.
  const tokens = (text: string) => pieces(text).map((piece) => idOf.get(piece) ?? unknown);
  return {
    size: model.pieces.length,
    encode: (reference, candidate) => {
      const [first, second] = [tokens(reference), tokens(candidate)];
      shorten(first, second, maxLength - SPECIAL);
      return {
        ids: [start, ...first, separator, ...second, separator],
        first: first.length + 2,
      };
    },
  };
}

/** Takes tokens off the end of the longer side, of the candidate where both are as long, until `most` are left. */
function shorten(reference: number[], candidate: number[], most: number): void {
  while (reference.length + candidate.length > most)
    if (reference.length > candidate.length) reference.pop();
    else candidate.pop();
}
