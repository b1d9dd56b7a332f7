/** The sizes of the encoder that a COMET checkpoint is built on: they stand in no file of the checkpoint itself. */

import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../../errors.js";
import type { BertEncoderConfig } from "../../../model/bert-encoder.js";
import { readIfThere } from "../../../model/files.js";

export const CONFIG = "config.json";

/** XLM-R and InfoXLM share their sizes. */
const BASE: BertEncoderConfig = {
  vocabulary: 250002,
  positions: 514,
  types: 1,
  embeddingWidth: 768,
  width: 768,
  layers: 12,
  heads: 12,
  inner: 3072,
  activation: "gelu",
  epsilon: 1e-5,
};
const LARGE: BertEncoderConfig = {
  ...BASE,
  embeddingWidth: 1024,
  width: 1024,
  layers: 24,
  heads: 16,
  inner: 4096,
};

const KNOWN: ReadonlyMap<string, BertEncoderConfig> = new Map([
  ["xlm-roberta-base", BASE],
  ["xlm-roberta-large", LARGE],
  ["infoxlm-base", BASE],
  ["infoxlm-large", LARGE],
]);

const count = z.int().positive();
const schema = z.looseObject({
  model_type: z.literal("xlm-roberta"),
  vocab_size: count,
  max_position_embeddings: count,
  type_vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count.max(1000),
  num_attention_heads: count,
  intermediate_size: count,
  hidden_act: z.enum(["gelu", "gelu_new", "relu"]).default("gelu"),
  layer_norm_eps: z.number().positive().default(1e-5),
  pad_token_id: z.literal(1).default(1),
  position_embedding_type: z.literal("absolute").default("absolute"),
});

/**
 * The encoder's sizes, from the first of `folders` that has its `config.json`, or else by its name.
 * @throws UserError where neither says them, or the file is not of an XLM-R encoder.
 */
export async function encoderConfig(
  folders: readonly string[],
  pretrained: string,
): Promise<{ config: BertEncoderConfig; file?: string }> {
  for (const folder of folders) {
    const file = join(folder, CONFIG);
    const text = await readIfThere(file);
    if (text !== undefined) return { config: parseConfig(text, file), file };
  }
  const known = KNOWN.get(pretrained.split("/").at(-1)!);
  if (known) return { config: known };
  throw new UserError(
    `there is no ${CONFIG} of the encoder ${JSON.stringify(pretrained)}, which says its sizes. Put the encoder's ${CONFIG} beside its tokenizer.`,
    { file: folders[0]! },
  );
}

function parseConfig(text: string, file: string): BertEncoderConfig {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new UserError("is not JSON (cut short?); copy it again.", { file }, { cause });
  }
  const parsed = schema.safeParse(content);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new UserError(
      `${path.join(".") || "the file"}: ${message}. The ${CONFIG} of an XLM-R encoder was expected.`,
      { file },
    );
  }
  const found = parsed.data;
  if (found.hidden_size % found.num_attention_heads !== 0)
    throw new UserError(
      `hidden_size ${found.hidden_size} is no multiple of num_attention_heads ${found.num_attention_heads}. Copy it again.`,
      { file },
    );
  return {
    vocabulary: found.vocab_size,
    positions: found.max_position_embeddings,
    types: found.type_vocab_size,
    embeddingWidth: found.hidden_size,
    width: found.hidden_size,
    layers: found.num_hidden_layers,
    heads: found.num_attention_heads,
    inner: found.intermediate_size,
    activation: found.hidden_act === "gelu_new" ? "gelu-tanh" : found.hidden_act,
    epsilon: found.layer_norm_eps,
  };
}
