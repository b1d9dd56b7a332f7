/**
 * Low-rank adapters (LoRA, Hu et al. 2021, arXiv 2106.09685): a linear layer W [out, in] becomes W + α/r·B·A with
 * A [r, in] and B [out, r], of which A and B alone are trained.
 */

import { add, matmul } from "../tensor/operations.js";
import { type ParameterSpec, Parameters } from "../tensor/parameters.js";
import { deriveKey, uniform } from "../tensor/random.js";
import type { MarianConfig } from "./config.js";
import type { LoraTarget } from "./lora-targets.js";
import { type Adapt, parameterSpecs, type Regularise } from "./marian.js";

export interface Lora {
  /** r, 1 or more. */
  readonly rank: number;
  /** α: what the adapter adds is scaled by α/r. */
  readonly alpha: number;
  /** Every layer of these names is adapted, in the encoder and in the decoder. */
  readonly targets: readonly LoraTarget[];
}

export interface AdaptedLayer {
  /** Such as `model.encoder.layers.0.self_attn.q_proj`. */
  readonly name: string;
  readonly out: number;
  readonly in: number;
}

/** The layers that an adapter changes, in storage order. */
export function adaptedLayers(config: MarianConfig, { targets }: Pick<Lora, "targets">): AdaptedLayer[] {
  return parameterSpecs(config).flatMap(({ name, shape }) => {
    const [, layer, last] = /^(.*\.([^.]+))\.weight$/.exec(name) ?? [];
    if (layer === undefined || !targets.some((target) => target === last)) return [];
    const [out, from] = shape as [number, number];
    return [{ name: layer, out, in: from }];
  });
}

/** The names of a layer's two matrices. */
export function loraNames(layer: string): { a: string; b: string } {
  return { a: `${layer}.lora_A.weight`, b: `${layer}.lora_B.weight` };
}

/** A and B of every adapted layer, in storage order. */
export function loraSpecs(config: MarianConfig, lora: Lora): ParameterSpec[] {
  return adaptedLayers(config, lora).flatMap((layer) => {
    const { a, b } = loraNames(layer.name);
    return [
      { name: a, shape: [lora.rank, layer.in], decay: true },
      { name: b, shape: [layer.out, lora.rank], decay: true },
    ];
  });
}

/** A layer whose matrix is too small for a rank; undefined where all take it. */
export function tooSmallFor(config: MarianConfig, lora: Lora): AdaptedLayer | undefined {
  return adaptedLayers(config, lora).find((layer) => Math.min(layer.out, layer.in) < lora.rank);
}

/**
 * A fresh adapter, a function of the seed: B is 0, so that it changes nothing yet; A is uniform in ±1/√in, which is
 * PEFT's and Microsoft's Kaiming-uniform with a = √5.
 */
export function initialiseLora(config: MarianConfig, lora: Lora, seed: number): Parameters {
  const parameters = new Parameters(loraSpecs(config, lora));
  adaptedLayers(config, lora).forEach((layer, index) => {
    const view = parameters.view(loraNames(layer.name).a);
    const key = deriveKey(seed, 0x6c6f7261, index);
    const bound = 1 / Math.sqrt(layer.in);
    for (let i = 0; i < view.length; i++) view[i] = bound * (2 * uniform(key, i) - 1);
  });
  return parameters;
}

/**
 * Records an adapter beside the linear layers: x·Wᵀ + bias + α/r·(x·Aᵀ)·Bᵀ. `regularise` acts on x on its way into A, as
 * PEFT's `lora_dropout` does.
 */
export function recordLora(config: MarianConfig, lora: Lora, regularise: Regularise = (x) => x): Adapt {
  const layers = new Map(adaptedLayers(config, lora).map((layer) => [layer.name, layer]));
  return (out, x, name) => {
    const layer = layers.get(name);
    if (!layer) return out;
    const names = loraNames(name);
    const a = x.graph.parameter(names.a, [lora.rank, layer.in]);
    const b = x.graph.parameter(names.b, [layer.out, lora.rank]);
    const low = matmul(regularise(x, `${name}.lora`), a, { transB: true });
    return add(out, matmul(low, b, { transB: true, alpha: lora.alpha / lora.rank }));
  };
}

/**
 * Puts W + α/r·B·A into `into`, which holds `base` but for the adapted layers. Sums are in 64 bits and rounded once; where
 * B is 0 the weights are the base's, bit for bit.
 */
export function mergeLora(
  config: MarianConfig,
  lora: Lora,
  base: Parameters,
  adapter: Parameters,
  into: Parameters,
): void {
  const scale = lora.alpha / lora.rank;
  for (const layer of adaptedLayers(config, lora)) {
    const names = loraNames(layer.name);
    const [a, b] = [adapter.view(names.a), adapter.view(names.b)];
    const name = `${layer.name}.weight`;
    const [from, to] = [base.view(name), into.view(name)];
    const sums = new Float64Array(layer.in);
    for (let row = 0; row < layer.out; row++) {
      sums.fill(0);
      for (let k = 0; k < lora.rank; k++) {
        const factor = scale * b[row * lora.rank + k]!;
        const start = k * layer.in;
        for (let i = 0; i < layer.in; i++) sums[i]! += factor * a[start + i]!;
      }
      const start = row * layer.in;
      for (let i = 0; i < layer.in; i++) to[start + i] = from[start + i]! + sums[i]!;
    }
  }
}
