/** Random starting weights. */

import { Parameters } from "../tensor/parameters.js";
import { deriveKey, normal, uniform } from "../tensor/random.js";
import type { MarianConfig } from "./config.js";
import { parameterSpecs } from "./marian.js";

/**
 * Fresh weights, a function of the seed: Glorot-uniform matrices, embeddings of variance 1/width (so that scaled ones
 * have variance 1 and tied logits start near 0), normalisations at 1 and 0.
 */
export function initialise(config: MarianConfig, seed: number): Parameters {
  const parameters = new Parameters(parameterSpecs(config));
  parameters.specs.forEach((spec, index) => {
    const view = parameters.view(spec.name);
    const key = deriveKey(seed, 0x696e6974, index);
    if (spec.name.includes("layer_norm.weight")) view.fill(1);
    else if (spec.name.includes("embed_tokens") || spec.name.includes("shared")) {
      const deviation = config.scaleEmbedding ? 1 / Math.sqrt(config.width) : 1;
      for (let i = 0; i < view.length; i++) view[i] = deviation * normal(key, i);
    } else if (spec.shape.length === 2 && spec.decay) {
      const [out, from] = spec.shape as [number, number];
      const bound = Math.sqrt(6 / (out + from));
      for (let i = 0; i < view.length; i++) view[i] = bound * (2 * uniform(key, i) - 1);
    }
  });
  return parameters;
}
