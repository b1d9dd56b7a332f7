/** A random model with its programs, for the tests of decoding. */

import { type MarianConfig, newConfig } from "../../src/model/config.js";
import { initialise } from "../../src/model/initialise.js";
import { Decoder, DecoderPrograms } from "../../src/policy/decoder.js";
import { BatchFeeder } from "../../src/policy/network.js";
import {
  decoderLayout,
  type EncodedSource,
  type SampledSource,
  type SamplerOptions,
  sampleAll,
} from "../../src/policy/sampler.js";
import type { Parameters } from "../../src/tensor/parameters.js";
import { deriveKey, integerBelow } from "../../src/tensor/random.js";

export interface TinyPolicy {
  readonly config: MarianConfig;
  readonly parameters: Parameters;
  readonly programs: DecoderPrograms;
  readonly feeder: BatchFeeder;
}

export interface SampleSettings extends Partial<SamplerOptions> {
  readonly temperature?: number;
  /** Rows of the decoder. */
  readonly mostRows?: number;
}

export async function tinyPolicy(settings: {
  width: number;
  vocabulary: number;
  threads: number;
  /** Added to end-of-sentence's logit: the higher, the shorter the candidates. */
  endBias: number;
}): Promise<TinyPolicy> {
  const { width, vocabulary, threads, endBias } = settings;
  const config = newConfig({
    width,
    // Wide against the columns: sums of 256 numbers and more are cut into parts, at the same places for any number of rows.
    inner: 8 * width,
    heads: 4,
    encoderLayers: 2,
    decoderLayers: 2,
    vocabulary,
    targetVocabulary: vocabulary,
    shared: true,
    eosId: 0,
    padId: 1,
    dropout: 0,
    maxPositions: 120,
  });
  const parameters = initialise(config, 11);
  parameters.view("final_logits_bias")[config.eosId] = endBias;
  return {
    config,
    parameters,
    feeder: new BatchFeeder(config),
    programs: new DecoderPrograms(config, parameters, { threads }),
  };
}

/** A random source of `length` tokens, end-of-sentence included. */
export function randomSource(config: MarianConfig, sourceId: number, length: number): EncodedSource {
  const key = deriveKey(77, sourceId);
  const tokens = Array.from({ length }, (_, i) =>
    i === length - 1 ? config.eosId : 2 + integerBelow(key, i, config.vocabulary - 2),
  );
  return { sourceId, tokens };
}

/** A decoder as the policy would make it for so many sources and candidates. */
export function decoderFor(
  { config, programs, feeder }: TinyPolicy,
  sources: number,
  n: number,
  { temperature = 1, mostRows = 256 }: SampleSettings = {},
): Decoder {
  const layout = decoderLayout(sources, n, mostRows);
  return new Decoder(config, programs, feeder, { ...layout, temperature });
}

/** All candidates by source. */
export async function sampleWith(
  decoder: Decoder,
  { config }: TinyPolicy,
  sources: readonly EncodedSource[],
  settings: SampleSettings = {},
): Promise<Map<number, SampledSource["samples"]>> {
  const options: SamplerOptions = {
    n: 1,
    greedy: false,
    topK: 0,
    topP: 1,
    maxTokens: 100,
    seed: 5,
    grow: 1,
    eosId: config.eosId,
    vocabulary: config.targetVocabulary,
    ...settings,
  };
  const found = new Map<number, SampledSource["samples"]>();
  for await (const done of sampleAll(decoder, sources, options, () => false))
    for (const { sourceId, samples } of done) found.set(sourceId, samples);
  return found;
}

export function sample(
  policy: TinyPolicy,
  sources: readonly EncodedSource[],
  settings: SampleSettings = {},
): Promise<Map<number, SampledSource["samples"]>> {
  return sampleWith(decoderFor(policy, sources.length, settings.n ?? 1, settings), policy, sources, settings);
}
