/**
 * The tokenizers of a Marian folder (OPUS-MT): a SentencePiece model for each language, and `vocab.json` with the ids of the
 * pieces, as `MarianTokenizer` of Transformers reads them; or Marian's own `vocab.yml` in its place.
 */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { type Pieces, piecesOf, SPACE_MARK } from "./sentencepiece.js";
import { definePieceConfig, defineSentencePiece, type NamedTokens } from "./sentencepiece-definition.js";
import { parseSentencePieceModel, type SentencePieceModel } from "./sentencepiece-model.js";
import type { Tokenizer } from "./tokenizer.js";
import { readYamlVocabularies } from "./yaml-vocabulary.js";

export interface MarianCodec {
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  /** The folder's own tokenizer files by name, to be written again as they were. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Whether each language has ids of its own. */
  readonly twoVocabularies: boolean;
  /**
   * Each tokenizer as one `tokenizer.json`, the same object where the vocabulary is one.
   * @throws UserError where that cannot say what the model does.
   */
  define(longest: number): { source: TokenizerFileContents; target: TokenizerFileContents };
}

/** Contents of `tokenizer.json` and `tokenizer_config.json`. */
export interface TokenizerFileContents {
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
}

const [SOURCE, TARGET, VOCABULARY, TARGET_VOCABULARY, SETTINGS] = [
  "source.spm",
  "target.spm",
  "vocab.json",
  "target_vocab.json",
  "tokenizer_config.json",
] as const;
const KEPT = [
  SOURCE,
  TARGET,
  VOCABULARY,
  TARGET_VOCABULARY,
  SETTINGS,
  "special_tokens_map.json",
  "tokenizer.json",
] as const;

/** Whether a folder with these files has SentencePiece models. */
export function hasPieces(names: readonly string[]): boolean {
  return names.includes(SOURCE) || names.includes(TARGET);
}

const token = (text: string) =>
  z
    .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
    .default(text);
export const settingsSchema = z.looseObject({
  eos_token: token("</s>"),
  pad_token: token("<pad>"),
  unk_token: token("<unk>"),
  separate_vocabs: z.boolean().default(false),
});
type Settings = z.infer<typeof settingsSchema>;

const vocabularySchema = z.record(z.string(), z.int().nonnegative());

/**
 * Reads the tokenizers of a Marian folder.
 *
 * They give the ids that `MarianTokenizer` gives, but for text that looks like a special token (`</s>`): that is encoded as the
 * characters it is.
 *
 * @throws UserError where a file is missing or malformed, or the vocabulary has gaps.
 */
export async function loadMarianCodec(folder: string): Promise<MarianCodec> {
  const files = new Map<string, Uint8Array>();
  const present = await readdir(folder);
  for (const name of KEPT) if (present.includes(name)) files.set(name, await readFile(join(folder, name)));
  if (!files.has(VOCABULARY))
    for (const [name, content] of await readYamlVocabularies(folder, present))
      files.set(name, Buffer.from(`${JSON.stringify(content)}\n`));
  const bytes = (name: string): Uint8Array => {
    const found = files.get(name);
    if (!found)
      throw new UserError(
        `there is no such file. A Marian folder has ${SOURCE}, ${TARGET} and ${VOCABULARY}; copy it again.`,
        { file: join(folder, name) },
      );
    return found;
  };
  const json = <T>(name: string, schema: z.ZodType<T>): T =>
    parseCodecFile(bytes(name), schema, join(folder, name));
  const model = (name: string) => parseSentencePieceModel(bytes(name), { file: join(folder, name) });

  const settings = files.has(SETTINGS) ? json(SETTINGS, settingsSchema) : settingsSchema.parse({});
  const vocabulary = (name: string) =>
    new Vocabulary(json(name, vocabularySchema), settings, join(folder, name));
  const [sourceModel, targetModel] = [model(SOURCE), model(TARGET)];
  const own = vocabulary(VOCABULARY);
  const other = settings.separate_vocabs ? vocabulary(TARGET_VOCABULARY) : own;
  // Transformers decodes with the source's model where the vocabulary is one.
  const decoder = settings.separate_vocabs ? targetModel : sourceModel;
  const contents = (
    model: SentencePieceModel,
    { texts, special }: Vocabulary,
    name: string,
    longest: number,
  ) => ({
    tokenizer: defineSentencePiece({ model, tokens: texts, special, file: join(folder, name) }),
    config: definePieceConfig(special, longest),
  });
  return {
    source: pieceCodec(sourceModel, own, decoder),
    target: pieceCodec(targetModel, other, decoder),
    files,
    twoVocabularies: other !== own,
    define(longest) {
      const source = contents(sourceModel, own, SOURCE, longest);
      return { source, target: other === own ? source : contents(targetModel, other, TARGET, longest) };
    },
  };
}

export function parseCodecFile<T>(bytes: Uint8Array, schema: z.ZodType<T>, file: string): T {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new UserError("is not JSON (cut short?); copy the model folder again.", { file }, { cause });
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new UserError(`${path.join(".") || "the file"}: ${message}. Copy the model folder again.`, { file });
}

/** Pieces with their ids; special tokens are kept apart, so that no text can spell them. */
export class Vocabulary {
  readonly size: number;
  readonly eosId: number;
  readonly padId: number;
  readonly unknownId: number;
  /** The token of each id; the empty string for special ones. */
  readonly tokens: readonly string[];
  /** The same with the special ones as the file spells them. */
  readonly texts: readonly string[];
  readonly special: NamedTokens;
  readonly #ids: Map<string, number>;

  constructor(ids: Readonly<Record<string, number>>, settings: Settings, file: string) {
    this.#ids = new Map(Object.entries(ids));
    this.size = this.#ids.size;
    const tokens: (string | undefined)[] = Array.from({ length: this.size });
    for (const [text, id] of this.#ids) tokens[id] = text;
    const gap = tokens.indexOf(undefined);
    if (gap >= 0 || tokens.length > this.size)
      throw new UserError(
        `no token of the ${this.size} has id ${gap < 0 ? this.size : gap}. Copy the model folder again.`,
        { file },
      );
    this.texts = tokens.map((text) => text ?? "");
    const { eos_token: eos, pad_token: pad, unk_token: unknown } = settings;
    this.special = { eos, pad, unknown };
    const special = (text: string): number => {
      const id = this.#ids.get(text);
      if (id === undefined)
        throw new UserError(`${JSON.stringify(text)} is missing. Copy the model folder again.`, { file });
      tokens[id] = "";
      return id;
    };
    [this.eosId, this.padId, this.unknownId] = [special(eos), special(pad), special(unknown)];
    for (const text of [eos, pad, unknown]) this.#ids.delete(text);
    this.tokens = tokens.map((text) => text ?? "");
  }

  idOf(piece: string): number {
    return this.#ids.get(piece) ?? this.unknownId;
  }
}

/** The tokenizer that cuts text as `model` does and joins tokens as `decoder` does. */
export function pieceCodec(
  model: SentencePieceModel,
  vocabulary: Vocabulary,
  decoder: SentencePieceModel,
): Tokenizer {
  const pieces = withCode(piecesOf(model));
  const decode = decoderOf(decoder);
  return {
    vocabularySize: vocabulary.size,
    eosId: vocabulary.eosId,
    padId: vocabulary.padId,
    encode: (text) => [...pieces(text).map((piece) => vocabulary.idOf(piece)), vocabulary.eosId],
    decode: (ids) =>
      decode(
        ids.map((id) => {
          const text = vocabulary.tokens[id];
          if (text === undefined)
            throw new RangeError(`token id ${id} is outside the vocabulary of ${vocabulary.size}`);
          return text;
        }),
      ),
  };
}

/** A language code in front of a text (`>>fra<<`, for models of several languages) is one token. */
function withCode(pieces: Pieces): Pieces {
  return (text) => {
    const end = text.startsWith(">>") ? text.indexOf("<<") : -1;
    return end < 0 ? pieces(text) : [text.slice(0, end + 2), ...pieces(text.slice(end + 2))];
  };
}

/** Control characters that are white space to Python and not here; a byte-order mark is the other way round. */
const MORE_SPACE = "\u001c\u001d\u001e\u001f\u0085";

function isSpace(character: string): boolean {
  return MORE_SPACE.includes(character) || (character !== "\ufeff" && character.trim() === "");
}

/** A text without the white space at its ends, as Python's `strip` has it. */
function strip(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isSpace(text[start]!)) start++;
  while (start < end && isSpace(text[end - 1]!)) end--;
  return text.slice(start, end);
}

function decoderOf(model: SentencePieceModel): (tokens: readonly string[]) => string {
  const silent = new Set(model.pieces.filter(({ type }) => type === "control").map(({ text }) => text));
  const bytes = new Map(
    model.pieces
      .filter(({ type }) => type === "byte")
      .map(({ text }) => [text, Number.parseInt(text.slice(1, -1), 16) & 0xff] as const),
  );
  return (tokens) => {
    let text = "";
    let spelt: number[] = [];
    const flush = () => {
      text += Buffer.from(spelt).toString("utf8");
      spelt = [];
    };
    for (const one of tokens) {
      const byte = bytes.get(one);
      if (byte !== undefined) {
        spelt.push(byte);
        continue;
      }
      flush();
      if (!silent.has(one)) text += one;
    }
    flush();
    return strip(text.replaceAll(SPACE_MARK, " "));
  };
}
