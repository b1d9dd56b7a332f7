/**
 * A SentencePiece model with the ids of a vocabulary as the content of a `tokenizer.json`, which is all that Transformers.js
 * reads.
 */

import { UserError } from "../errors.js";
import { SPACE_MARK, UNKNOWN_PENALTY } from "./sentencepiece.js";
import type { Piece, SentencePieceModel } from "./sentencepiece-model.js";

/**
 * Stands before tokens that no source text may be cut into: those of the other language, in a vocabulary for both. A
 * character that Unicode keeps out of texts; the decoder takes it off. Single characters are left as they are: one that the
 * model does not know has the id of the other language's.
 */
export const NEVER_CUT = "\ufdd0";

const LANGUAGE_CODE = /^>>.+<<$/;

/** Near 0, which is above what a learned piece has: SentencePiece takes a user-defined one wherever it stands. */
const USER_DEFINED_SCORE = -0.1;

/** More spaces than there are at the ends of a translation. */
const ALL = 1_000_000;

export interface NamedTokens {
  readonly eos: string;
  readonly pad: string;
  readonly unknown: string;
}

interface SentencePieceDefinition {
  readonly model: SentencePieceModel;
  /** Text of each id, special tokens included. */
  readonly tokens: readonly string[];
  readonly special: NamedTokens;
  /** For messages: the model's file. */
  readonly file: string;
}

/**
 * The content of `tokenizer.json`.
 *
 * The library's normaliser in Transformers.js is not the model's map of characters but NFKC, which is nearly the same for
 * SentencePiece's usual map.
 *
 * @throws UserError where the model marks words in a way that `tokenizer.json` cannot say.
 */
export function defineSentencePiece(definition: SentencePieceDefinition): Record<string, unknown> {
  const { model, tokens, special, file } = definition;
  const { map, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces, whitespaceAsSuffix } =
    model.normalisation;
  if (!escapeWhitespaces || whitespaceAsSuffix)
    throw new UserError(
      "this model does not mark the start of words with ▁, which a tokenizer.json cannot say. Export with --to huggingface.",
      { file },
    );
  const pieces = new Map(model.pieces.map((piece) => [piece.text, piece]));
  const sequence = (id: "A" | "B") => ({ Sequence: { id, type_id: 0 } });
  const eos = { SpecialToken: { id: special.eos, type_id: 0 } };
  // Text between such pieces is normalised by itself, and a space at its end is one between words.
  const inParts = model.algorithm === "bpe" && model.pieces.some(({ type }) => type === "user-defined");
  const spaces = [
    ...(inParts ? [] : [{ type: "Strip", strip_left: true, strip_right: true }]),
    { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
  ];
  const characters = map
    ? [{ type: "Precompiled", precompiled_charsmap: Buffer.from(map.bytes).toString("base64") }]
    : [];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(definition, pieces),
    normalizer: { type: "Sequence", normalizers: [...characters, ...(removeExtraWhitespaces ? spaces : [])] },
    pre_tokenizer: {
      type: "Metaspace",
      replacement: SPACE_MARK,
      prepend_scheme: !addDummyPrefix ? "never" : inParts ? "first" : "always",
      split: false,
    },
    post_processor: {
      type: "TemplateProcessing",
      single: [sequence("A"), eos],
      pair: [sequence("A"), eos, sequence("B"), eos],
      special_tokens: {
        [special.eos]: { id: special.eos, ids: [tokens.indexOf(special.eos)], tokens: [special.eos] },
      },
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: NEVER_CUT }, content: "" },
        { type: "ByteFallback" },
        { type: "Replace", pattern: { String: SPACE_MARK }, content: " " },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: ALL, stop: ALL },
      ],
    },
    model: model.algorithm === "unigram" ? unigram(definition, pieces) : bpe(definition, pieces),
  };
}

/** The content of its `tokenizer_config.json`; `longest` is the most tokens of a text that the network takes. */
export function definePieceConfig(special: NamedTokens, longest: number): Record<string, unknown> {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    eos_token: special.eos,
    pad_token: special.pad,
    unk_token: special.unknown,
    model_max_length: longest,
    // Transformers' default would drop the space before a full stop when it decodes.
    clean_up_tokenization_spaces: false,
    // The default adds token_type_ids, which Marian models do not take.
    model_input_names: ["input_ids", "attention_mask"],
  };
}

function addedTokens(
  { model, tokens, special }: SentencePieceDefinition,
  pieces: ReadonlyMap<string, Piece>,
) {
  const names = new Set(Object.values(special));
  return tokens.flatMap((content, id) => {
    const type = pieces.get(content)?.type;
    const silent = names.has(content) || type === "control";
    const whole =
      LANGUAGE_CODE.test(content) || (type === "user-defined" && model.algorithm === "bpe") || silent;
    if (!whole) return [];
    return [
      { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: silent },
    ];
  });
}

/** The name of a token, such that no text is cut into it that SentencePiece would not cut so. */
function nameOf(text: string, { special }: SentencePieceDefinition, pieces: ReadonlyMap<string, Piece>) {
  const type = pieces.get(text)?.type;
  const own = type !== undefined && type !== "unused" && type !== "unknown";
  const whole = Object.values(special).includes(text) || LANGUAGE_CODE.test(text);
  return own || whole || Array.from(text).length === 1 ? text : NEVER_CUT + text;
}

function unigram(definition: SentencePieceDefinition, pieces: ReadonlyMap<string, Piece>) {
  const { model, tokens, special } = definition;
  const lowest = model.pieces.reduce(
    (least, { type, score }) => (type === "normal" ? Math.min(least, score) : least),
    0,
  );
  const vocab = tokens.map((text): [string, number] => {
    const piece = pieces.get(text);
    const name = nameOf(text, definition, pieces);
    if (piece?.type === "normal") return [name, piece.score];
    if (piece?.type === "user-defined") return [name, USER_DEFINED_SCORE];
    return [name, Array.from(name).length === 1 ? lowest - UNKNOWN_PENALTY : 0];
  });
  return {
    type: "Unigram",
    unk_id: tokens.indexOf(special.unknown),
    vocab,
    byte_fallback: model.byteFallback,
  };
}

function bpe(definition: SentencePieceDefinition, pieces: ReadonlyMap<string, Piece>) {
  const { model, tokens, special } = definition;
  const vocab = Object.fromEntries(tokens.map((text, id) => [nameOf(text, definition, pieces), id]));
  const has = (text: string) => Object.hasOwn(vocab, text);
  const merges = model.pieces
    .filter((piece) => piece.type === "normal" && has(piece.text))
    .sort((a, b) => b.score - a.score)
    .flatMap(({ text }) => {
      const characters = Array.from(text);
      return characters.slice(1).flatMap((_, i): [string, string][] => {
        const [left, right] = [characters.slice(0, i + 1).join(""), characters.slice(i + 1).join("")];
        return has(left) && has(right) ? [[left, right]] : [];
      });
    });
  return {
    type: "BPE",
    dropout: null,
    unk_token: special.unknown,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: model.byteFallback,
    ignore_merges: false,
    vocab,
    merges,
  };
}
