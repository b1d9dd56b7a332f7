/** The content of a Hugging Face `tokenizer.json` with a byte-level BPE model, and of its `tokenizer_config.json`. */
import { z } from "zod";
import { type Place, UserError } from "../errors.js";
import { BYTE_SYMBOLS } from "./byte-symbols.js";
import { TEXT_PREFIX, WORD_PATTERN } from "./split.js";

/** Ends every sentence. */
export const EOS_TOKEN = "</s>";
/** Fills batches and starts the decoder, as in Marian models. */
export const PAD_TOKEN = "<pad>";
/** Longest input in tokens, `max_position_embeddings` of Marian models. */
const MODEL_MAX_LENGTH = 512;

const addedToken = z.looseObject({ id: z.int().nonnegative(), content: z.string(), special: z.boolean() });

// The parts are the library's business and pass through as they are.
const definitionSchema = z.looseObject({
  version: z.string().default("1.0"),
  truncation: z.unknown().default(null),
  padding: z.unknown().default(null),
  added_tokens: z.array(addedToken),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z.unknown().default(null),
  model: z.looseObject({
    type: z.literal("BPE"),
    vocab: z.record(z.string(), z.int().nonnegative()),
    merges: z.array(z.tuple([z.string(), z.string()])),
  }),
});

/** What `tokenizer.json` holds; every special token is in `added_tokens` and in the model's vocabulary. */
export type TokenizerDefinition = z.infer<typeof definitionSchema>;

/** Marks the start of a text; see `TEXT_PREFIX`. */
export const NORMALIZER = { type: "Prepend", prepend: TEXT_PREFIX };

/** Words to byte symbols, without a cut. */
export const BYTE_LEVEL = {
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: false,
};

/** Text to words to byte symbols. */
export const PRE_TOKENIZER = {
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex: WORD_PATTERN }, behavior: "Isolated", invert: false },
    BYTE_LEVEL,
  ],
};

/** Subwords and merges as they were learned: `tokens[id]`, and merges in the order in which they apply. */
export interface Vocabulary {
  /** The first `specialCount` are special tokens: `</s>`, `<pad>`, then the caller's. */
  tokens: readonly string[];
  specialCount: number;
  merges: readonly (readonly [left: string, right: string])[];
}

/** Puts a learned vocabulary into the form of `tokenizer.json`. */
export function defineTokenizer({ tokens, specialCount, merges }: Vocabulary): TokenizerDefinition {
  const sequence = (id: "A" | "B") => ({ Sequence: { id, type_id: 0 } });
  const eos = { SpecialToken: { id: EOS_TOKEN, type_id: 0 } };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: tokens.slice(0, specialCount).map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: NORMALIZER,
    pre_tokenizer: PRE_TOKENIZER,
    post_processor: {
      type: "TemplateProcessing",
      single: [sequence("A"), eos],
      pair: [sequence("A"), eos, sequence("B"), eos],
      special_tokens: {
        [EOS_TOKEN]: { id: EOS_TOKEN, ids: [tokens.indexOf(EOS_TOKEN)], tokens: [EOS_TOKEN] },
      },
    },
    decoder: {
      type: "Sequence",
      decoders: [BYTE_LEVEL, { type: "Strip", content: TEXT_PREFIX, start: 1, stop: 0 }],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(([left, right]): [string, string] => [left, right]),
    },
  };
}

/** The content of `tokenizer_config.json`: what Transformers needs to know beside the tokenizer itself. */
export function defineTokenizerConfig(): Record<string, unknown> {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    eos_token: EOS_TOKEN,
    pad_token: PAD_TOKEN,
    model_max_length: MODEL_MAX_LENGTH,
    // Transformers' default would drop the space before a full stop when it decodes.
    clean_up_tokenization_spaces: false,
    // The default adds token_type_ids, which Marian models do not take.
    model_input_names: ["input_ids", "attention_mask"],
  };
}

/**
 * Reads the text of a `tokenizer.json`.
 *
 * @throws UserError when it is not JSON, not a byte-level BPE tokenizer with `</s>` and `<pad>`, or contradicts itself.
 */
export function parseTokenizerDefinition(text: string, place: Place): TokenizerDefinition {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new UserError(
      "is not JSON (cut short?); copy the tokenizer again or train it anew with its model.",
      place,
      { cause },
    );
  }
  const type = modelType(content);
  if (type !== undefined && type !== "BPE")
    throw new UserError(
      `the tokenizer's model is of type ${JSON.stringify(type)}; use one with a byte-level "BPE" model, or the folder's ` +
        "SentencePiece models (source.spm, target.spm, vocab.json).",
      place,
    );
  const parsed = definitionSchema.safeParse(content);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    const key = path.length === 0 ? "the file" : path.join(".");
    throw new UserError(
      `${key} is not as a Hugging Face tokenizer.json has it (${message}); copy the file again or train the tokenizer anew.`,
      place,
    );
  }
  const fault = contradiction(parsed.data);
  if (fault !== undefined) throw new UserError(`${fault}; use a tokenizer trained by Coppice.`, place);
  return parsed.data;
}

function modelType(content: unknown): unknown {
  const parsed = z.object({ model: z.object({ type: z.unknown() }) }).safeParse(content);
  return parsed.success ? parsed.data.model.type : undefined;
}

/** What would make encoding lose text without a word, if anything: the library drops tokens without an id. */
function contradiction({ added_tokens, model: { vocab, merges } }: TokenizerDefinition): string | undefined {
  const ids = new Set(Object.values(vocab));
  const size = Object.keys(vocab).length;
  for (let id = 0; id < size; id++)
    if (!ids.has(id)) return `no token of the ${size} in model.vocab has id ${id}`;
  const has = (token: string) => Object.hasOwn(vocab, token);
  const missing = BYTE_SYMBOLS.filter((symbol) => !has(symbol)).length;
  if (missing > 0)
    return `model.vocab lacks ${missing} of the 256 byte symbols, so some text would be unknown`;
  for (const token of [EOS_TOKEN, PAD_TOKEN])
    if (!has(token) || !added_tokens.some(({ content, special }) => special && content === token))
      return `${token} is missing among model.vocab and the special added_tokens`;
  const stray = added_tokens.find(({ content, id }) => !has(content) || vocab[content] !== id);
  if (stray)
    return `added token ${JSON.stringify(stray.content)} has id ${stray.id} but not so in model.vocab`;
  const broken = merges.findIndex(([left, right]) => !has(left) || !has(right) || !has(left + right));
  if (broken >= 0)
    return `merge ${broken} ${JSON.stringify(merges[broken])} has a part that is not in model.vocab`;
  return undefined;
}
