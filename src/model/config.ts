/** The shape of a Marian encoder-decoder, and its form as a Hugging Face `config.json`. */

import { z } from "zod";
import { UserError } from "../errors.js";
import { type Generation, plainGeneration } from "./generation.js";

export interface MarianConfig {
  /** Tokens of the source vocabulary, and of the target's where they share one. */
  readonly vocabulary: number;
  readonly targetVocabulary: number;
  /** One embedding matrix for source, target and output; else one for the source, one for target and output. */
  readonly sharedEmbeddings: boolean;
  readonly width: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly encoderInner: number;
  readonly decoderInner: number;
  readonly encoderHeads: number;
  readonly decoderHeads: number;
  readonly activation: "swish" | "relu" | "gelu";
  /** Embeddings times √width. */
  readonly scaleEmbedding: boolean;
  readonly maxPositions: number;
  readonly eosId: number;
  readonly padId: number;
  readonly decoderStartId: number;
  readonly dropout: number;
  /** How it is searched; the network does not follow from it. */
  readonly generation: Generation;
}

/** Sizes of the named presets; `iwslt`, `base` and `big` are the paper's three (section 4 of the paper). */
export const presets = {
  tiny: { width: 128, inner: 512, heads: 4, layers: 2 },
  small: { width: 192, inner: 768, heads: 4, layers: 3 },
  iwslt: { width: 512, inner: 1024, heads: 4, layers: 6 },
  base: { width: 512, inner: 2048, heads: 8, layers: 6 },
  big: { width: 1024, inner: 8192, heads: 16, layers: 6 },
} as const;

export type PresetName = keyof typeof presets;

export interface NewModel {
  readonly width: number;
  readonly inner: number;
  readonly heads: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly vocabulary: number;
  readonly targetVocabulary: number;
  readonly shared: boolean;
  readonly eosId: number;
  readonly padId: number;
  readonly dropout: number;
  readonly maxPositions: number;
}

export function newConfig(model: NewModel): MarianConfig {
  return {
    vocabulary: model.vocabulary,
    targetVocabulary: model.targetVocabulary,
    sharedEmbeddings: model.shared,
    width: model.width,
    encoderLayers: model.encoderLayers,
    decoderLayers: model.decoderLayers,
    encoderInner: model.inner,
    decoderInner: model.inner,
    encoderHeads: model.heads,
    decoderHeads: model.heads,
    activation: "relu",
    scaleEmbedding: true,
    maxPositions: model.maxPositions,
    eosId: model.eosId,
    padId: model.padId,
    decoderStartId: model.padId,
    dropout: model.dropout,
    generation: plainGeneration(model.padId, model.maxPositions),
  };
}

const count = z.int().positive();
/** Names are made for every layer before the file is asked for one: a damaged number must not fill the memory. */
const layers = count.max(1000);
/** Numbers of the table of positions, which is computed and not read: 1 GB of them. */
const MOST_POSITIONS = 1 << 28;
const id = z.int().nonnegative();

/** The keys of `config.json` that decide what the network computes; others are ignored. */
const schema = z.object({
  vocab_size: count,
  decoder_vocab_size: count.nullish(),
  share_encoder_decoder_embeddings: z.boolean().default(true),
  d_model: count,
  encoder_layers: layers,
  decoder_layers: layers,
  encoder_ffn_dim: count,
  decoder_ffn_dim: count,
  encoder_attention_heads: count,
  decoder_attention_heads: count,
  activation_function: z.enum(["swish", "silu", "relu", "gelu"]),
  scale_embedding: z.boolean().default(false),
  tie_word_embeddings: z.literal(true).default(true),
  max_position_embeddings: count.default(1024),
  eos_token_id: id,
  pad_token_id: id,
  decoder_start_token_id: id,
  dropout: z.number().min(0).max(1).default(0.1),
});

const familySchema = z.object({ model_type: z.string() });

/**
 * Reads a `config.json`, all but how the model is searched: that is `generation`'s, and plain here.
 *
 * @throws UserError naming the key that is missing, wrong or not supported.
 */
export function parseConfig(json: unknown, file: string): MarianConfig {
  const family = familySchema.safeParse(json);
  if (!family.success || family.data.model_type !== "marian")
    throw new UserError(
      `model_type is ${family.success ? JSON.stringify(family.data.model_type) : "missing"}. Coppice reads Marian models (model_type "marian").`,
      { file },
    );
  const result = schema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new UserError(
      `${issue.path.join(".") || "the file"}: ${issue.message}. Correct it, or copy the model folder again.`,
      { file },
    );
  }
  const c = result.data;
  if (c.max_position_embeddings * c.d_model > MOST_POSITIONS)
    throw new UserError(
      `max_position_embeddings is ${c.max_position_embeddings}, whose table of width ${c.d_model} has more than ${MOST_POSITIONS} numbers. Lower it.`,
      { file },
    );
  for (const heads of [c.encoder_attention_heads, c.decoder_attention_heads])
    if (c.d_model % heads !== 0)
      throw new UserError(`d_model ${c.d_model} does not divide into ${heads} attention heads.`, { file });
  return {
    vocabulary: c.vocab_size,
    // With one shared matrix Transformers never looks at decoder_vocab_size.
    targetVocabulary: c.share_encoder_decoder_embeddings
      ? c.vocab_size
      : (c.decoder_vocab_size ?? c.vocab_size),
    sharedEmbeddings: c.share_encoder_decoder_embeddings,
    width: c.d_model,
    encoderLayers: c.encoder_layers,
    decoderLayers: c.decoder_layers,
    encoderInner: c.encoder_ffn_dim,
    decoderInner: c.decoder_ffn_dim,
    encoderHeads: c.encoder_attention_heads,
    decoderHeads: c.decoder_attention_heads,
    activation: c.activation_function === "silu" ? "swish" : c.activation_function,
    scaleEmbedding: c.scale_embedding,
    maxPositions: c.max_position_embeddings,
    eosId: c.eos_token_id,
    padId: c.pad_token_id,
    decoderStartId: c.decoder_start_token_id,
    dropout: c.dropout,
    generation: plainGeneration(c.pad_token_id, c.max_position_embeddings),
  };
}

/** The `config.json` that Transformers reads as a MarianMTModel. */
export function renderConfig(config: MarianConfig): string {
  const json = {
    architectures: ["MarianMTModel"],
    model_type: "marian",
    is_encoder_decoder: true,
    vocab_size: config.vocabulary,
    decoder_vocab_size: config.targetVocabulary,
    share_encoder_decoder_embeddings: config.sharedEmbeddings,
    tie_word_embeddings: true,
    d_model: config.width,
    encoder_layers: config.encoderLayers,
    decoder_layers: config.decoderLayers,
    encoder_ffn_dim: config.encoderInner,
    decoder_ffn_dim: config.decoderInner,
    encoder_attention_heads: config.encoderHeads,
    decoder_attention_heads: config.decoderHeads,
    activation_function: config.activation,
    scale_embedding: config.scaleEmbedding,
    normalize_embedding: false,
    normalize_before: false,
    add_final_layer_norm: false,
    add_bias_logits: true,
    static_position_embeddings: true,
    max_position_embeddings: config.maxPositions,
    dropout: config.dropout,
    attention_dropout: 0,
    activation_dropout: 0,
    init_std: 0.02,
    eos_token_id: config.eosId,
    forced_eos_token_id: null,
    pad_token_id: config.padId,
    bos_token_id: config.padId,
    decoder_start_token_id: config.decoderStartId,
    use_cache: true,
    torch_dtype: "float32",
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
