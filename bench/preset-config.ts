/** Networks of a preset's size, as benches make them with random weights. */

import { type MarianConfig, newConfig, presets } from "../src/model/config.js";

export function presetConfig(
  size: keyof typeof presets,
  vocabulary: number,
  {
    dropout,
    maxPositions,
    eosId = 0,
    padId = 1,
  }: { dropout: number; maxPositions: number; eosId?: number; padId?: number },
): MarianConfig {
  const { width, inner, heads, layers } = presets[size];
  return newConfig({
    width,
    inner,
    heads,
    encoderLayers: layers,
    decoderLayers: layers,
    vocabulary,
    targetVocabulary: vocabulary,
    shared: true,
    eosId,
    padId,
    dropout,
    maxPositions,
  });
}
