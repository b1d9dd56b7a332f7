/** How a model is meant to be searched, as Hugging Face's `generation_config.json` says it. */

import { z } from "zod";
import { UserError } from "../errors.js";

export interface Generation {
  /** Beams of a search; 1 is greedy. */
  readonly beams: number;
  /** Longest translation in tokens; the start token and end-of-sentence count. */
  readonly maxLength: number;
  /** A hypothesis scores Σ log p / length^penalty. */
  readonly lengthPenalty: number;
  /** At the last place the search takes end-of-sentence, whatever its probability. */
  readonly forceEnd: boolean;
  /** Tokens that are never chosen; `<pad>`, which starts the decoder, is always one. */
  readonly forbidden: readonly number[];
  /** A beam search counts log-probabilities without those tokens, made to sum to 1 again. */
  readonly renormalise: boolean;
}

/** The tokens of the network that the settings speak of. */
export interface GenerationTokens {
  readonly eosId: number;
  readonly padId: number;
  readonly decoderStartId: number;
  readonly maxPositions: number;
  readonly targetVocabulary: number;
}

/** Greedy; `<pad>` is never chosen and nothing is forced. */
export function plainGeneration(padId: number, maxPositions: number): Generation {
  return {
    beams: 1,
    maxLength: maxPositions,
    lengthPenalty: 1,
    forceEnd: false,
    forbidden: [padId],
    renormalise: false,
  };
}

const id = z.int().nonnegative();

/** Settings that would change a translation and are not carried out, with the values that ask for nothing. */
const idle = {
  early_stopping: [false, null],
  min_length: [0, null],
  min_new_tokens: [null],
  no_repeat_ngram_size: [0, null],
  encoder_no_repeat_ngram_size: [0, null],
  repetition_penalty: [1, null],
  encoder_repetition_penalty: [1, null],
  num_beam_groups: [1, null],
  diversity_penalty: [0, null],
  forced_bos_token_id: [null],
  suppress_tokens: [null],
  begin_suppress_tokens: [null],
  exponential_decay_length_penalty: [null],
  sequence_bias: [null],
  force_words_ids: [null],
} as const;

const schema = z.looseObject({
  num_beams: z.int().positive().nullish(),
  max_length: z.int().min(2).nullish(),
  length_penalty: z.number().nullish(),
  forced_eos_token_id: id.nullish(),
  bad_words_ids: z.array(z.tuple([id])).nullish(),
  renormalize_logits: z.boolean().nullish(),
});

/**
 * Reads the settings of a `generation_config.json`, or those of a `config.json`, where folders of before 2023 keep them.
 *
 * @throws UserError naming the key that is wrong, or asks for what is not carried out.
 */
export function parseGeneration(json: unknown, tokens: GenerationTokens, file: string): Generation {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new UserError(
      `${path.join(".") || "the file"}: ${message}. Correct it; bad_words_ids may forbid single tokens only.`,
      { file },
    );
  }
  const given = parsed.data;
  for (const [key, harmless] of Object.entries(idle)) {
    const value = given[key];
    if (value !== undefined && !harmless.some((one) => one === value))
      throw new UserError(
        `${key} is ${JSON.stringify(value)}, which Coppice's search does not do. Take it out to import the model without it.`,
        { file },
      );
  }
  const { forced_eos_token_id: forced, bad_words_ids: words } = given;
  if (forced !== undefined && forced !== null && forced !== tokens.eosId)
    throw new UserError(`forced_eos_token_id is ${forced}, expected the eos_token_id ${tokens.eosId}.`, {
      file,
    });
  const forbidden = [...new Set([tokens.padId, ...(words ?? []).map(([word]) => word)])];
  const stranger = forbidden.find((word) => word >= tokens.targetVocabulary || word === tokens.eosId);
  if (stranger !== undefined)
    throw new UserError(
      `bad_words_ids forbids token ${stranger}, expected one below ${tokens.targetVocabulary} that is not end-of-sentence.`,
      { file },
    );
  const plain = plainGeneration(tokens.padId, tokens.maxPositions);
  return {
    beams: given.num_beams ?? plain.beams,
    maxLength: Math.min(given.max_length ?? plain.maxLength, tokens.maxPositions),
    lengthPenalty: given.length_penalty ?? plain.lengthPenalty,
    forceEnd: forced !== undefined && forced !== null,
    forbidden,
    renormalise: given.renormalize_logits ?? plain.renormalise,
  };
}

/** The `generation_config.json` with which `generate` of Transformers does what our search does. */
export function renderGeneration(generation: Generation, tokens: GenerationTokens): string {
  const json = {
    bad_words_ids: generation.forbidden.map((word) => [word]),
    decoder_start_token_id: tokens.decoderStartId,
    eos_token_id: tokens.eosId,
    forced_eos_token_id: generation.forceEnd ? tokens.eosId : null,
    ...(generation.lengthPenalty === 1 ? {} : { length_penalty: generation.lengthPenalty }),
    max_length: generation.maxLength,
    num_beams: generation.beams,
    pad_token_id: tokens.padId,
    ...(generation.renormalise ? { renormalize_logits: true } : {}),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
