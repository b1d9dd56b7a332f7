/** A random native policy over the toy's texts, whole with its thread. */

import { toyPairs } from "../../src/data/toy.js";
import { newConfig } from "../../src/model/config.js";
import { NativePolicy } from "../../src/policy/native.js";
import type { Thread } from "../../src/tensor/thread.js";
import { createTokenizer } from "../../src/text/tokenizer.js";
import { trainVocabulary } from "../../src/text/train-vocabulary.js";

export const pairs = toyPairs({ pairs: 60, seed: 1, maxLength: 5 });
const tokenizer = createTokenizer(
  trainVocabulary(
    pairs.flatMap(({ source, target }) => [source, target]),
    { size: 270, minFrequency: 2 },
  ),
);
const config = newConfig({
  width: 16,
  inner: 32,
  heads: 2,
  encoderLayers: 1,
  decoderLayers: 1,
  vocabulary: tokenizer.vocabularySize,
  targetVocabulary: tokenizer.vocabularySize,
  shared: true,
  eosId: tokenizer.eosId,
  padId: tokenizer.padId,
  dropout: 0,
  maxPositions: 64,
});

/** The same weights at every call. */
export function policy(thread: Thread): Promise<NativePolicy> {
  return NativePolicy.create(thread, config, { source: tokenizer, target: tokenizer }, 7);
}
