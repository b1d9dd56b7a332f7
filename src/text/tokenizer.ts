/** Text to token ids and back, with a `tokenizer.json` that Transformers and Transformers.js read too. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { UserError } from "../errors.js";
import { splitWords } from "./split.js";
import {
  BYTE_LEVEL,
  defineTokenizerConfig,
  EOS_TOKEN,
  NORMALIZER,
  PAD_TOKEN,
  PRE_TOKENIZER,
  parseTokenizerDefinition,
  type TokenizerDefinition,
} from "./tokenizer-definition.js";

export interface Tokenizer {
  /** Ids are 0 to `vocabularySize - 1`, special tokens included. */
  readonly vocabularySize: number;
  readonly eosId: number;
  readonly padId: number;
  /**
   * Ids of a text's subwords, then `eosId`. Any text: what looks like a special token (`</s>`) is encoded as the
   * characters it is. A lone surrogate, which UTF-8 cannot hold, becomes U+FFFD.
   */
  encode(text: string): number[];
  /**
   * Text of ids, special tokens left out. Bytes that are not UTF-8, as sampled ids may spell, become U+FFFD.
   *
   * @throws RangeError for an id outside the vocabulary.
   */
  decode(ids: readonly number[]): string;
}

/** A byte-level BPE tokenizer: `decode(encode(text))` is `text` for every well-formed text. */
export interface ByteLevelTokenizer extends Tokenizer {
  /** What `tokenizer.json` holds; not to be changed. */
  readonly definition: TokenizerDefinition;
}

/** File names of one tokenizer within a model folder. */
export interface TokenizerFiles {
  tokenizer: string;
  config: string;
}

/** The names that Transformers looks for. */
const TOKENIZER_FILES: TokenizerFiles = {
  tokenizer: "tokenizer.json",
  config: "tokenizer_config.json",
};

/** What is used of the library. Its own types cannot be resolved from ES modules and would let anything pass. */
interface Library {
  encode(text: string, options?: { add_special_tokens: boolean }): { ids: number[] };
  decode(ids: number[]): string;
}

function openLibrary(definition: TokenizerDefinition): Library {
  // Clean-up would drop spaces before punctuation when text is decoded.
  return new LibraryTokenizer(definition, { clean_up_tokenization_spaces: false });
}

/**
 * Makes a tokenizer of what `trainVocabulary` returned or `tokenizer.json` holds.
 *
 * @throws Error from the library when a part of the definition is of a kind it does not know.
 */
export function createTokenizer(definition: TokenizerDefinition): ByteLevelTokenizer {
  const { vocab } = definition.model;
  const vocabularySize = Object.keys(vocab).length;
  const special = new Set(definition.added_tokens.filter((token) => token.special).map(({ id }) => id));
  // The library looks for added tokens in the text and would make the id of "</s>" out of those four characters.
  // Without the list it knows special tokens as entries of the vocabulary only, which no merge can produce.
  const plainText = { ...definition, added_tokens: [] };
  const library = openLibrary(plainText);
  return {
    vocabularySize,
    eosId: vocab[EOS_TOKEN],
    padId: vocab[PAD_TOKEN],
    definition,
    encode: isCutAsHere(definition)
      ? encodeWordByWord(plainText, vocab[EOS_TOKEN])
      : (text) => [...library.encode(text, { add_special_tokens: false }).ids, vocab[EOS_TOKEN]],
    decode(ids) {
      const plain = ids.filter((id) => !special.has(id));
      const stranger = plain.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabularySize));
      if (stranger !== undefined)
        throw new RangeError(`token id ${stranger} is outside the vocabulary of ${vocabularySize}`);
      return plain.length === 0 ? "" : library.decode(plain);
    },
  };
}

/** Whether `splitWords` cuts text as the definition says: always, for a tokenizer that this version trained. */
function isCutAsHere({ normalizer, pre_tokenizer }: TokenizerDefinition): boolean {
  return isDeepStrictEqual([normalizer, pre_tokenizer], [NORMALIZER, PRE_TOKENIZER]);
}

/** Words remembered before the memory is emptied, so that a stream of ever new words does not fill it. */
const MOST_WORDS = 200_000;

/**
 * Encodes through the library, each distinct word once. On 100,000 English sentences of 5 words the library alone did
 * 36,000 a second, this 267,000; on sentences of 12 words 9,000 and 47,000 (one busy core, same run).
 */
function encodeWordByWord(plainText: TokenizerDefinition, eosId: number): (text: string) => number[] {
  const library = openLibrary({ ...plainText, normalizer: null, pre_tokenizer: BYTE_LEVEL });
  const known = new Map<string, number[]>();
  return (text) => {
    const ids: number[] = [];
    for (const word of splitWords(text)) {
      let wordIds = known.get(word);
      if (wordIds === undefined) {
        wordIds = library.encode(word, { add_special_tokens: false }).ids;
        if (known.size >= MOST_WORDS) known.clear();
        known.set(word, wordIds);
      }
      for (const id of wordIds) ids.push(id);
    }
    ids.push(eosId);
    return ids;
  };
}

/**
 * Reads the tokenizer of a model folder.
 *
 * @throws UserError when the file is missing, malformed, or not a byte-level BPE tokenizer with `</s>` and `<pad>`.
 */
export async function loadTokenizer(folder: string, files = TOKENIZER_FILES): Promise<ByteLevelTokenizer> {
  const file = join(folder, files.tokenizer);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new UserError(
      `cannot be read (${errorCode(cause)}); give a model folder that holds a ${files.tokenizer}, or source.spm, target.spm ` +
        "and vocab.json.",
      { file },
      { cause },
    );
  }
  const definition = parseTokenizerDefinition(text, { file });
  try {
    return createTokenizer(definition);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(
      `has a part that cannot be used here (${reason}); use a tokenizer trained by Coppice.`,
      { file },
      { cause },
    );
  }
}

/** Writes `tokenizer.json` and `tokenizer_config.json` into an existing folder. */
export async function saveTokenizer(
  tokenizer: ByteLevelTokenizer,
  folder: string,
  files = TOKENIZER_FILES,
): Promise<void> {
  await writeFile(join(folder, files.tokenizer), `${JSON.stringify(tokenizer.definition, null, 2)}\n`);
  await writeFile(join(folder, files.config), `${JSON.stringify(defineTokenizerConfig(), null, 2)}\n`);
}

function errorCode(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
}
