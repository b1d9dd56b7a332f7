/** Depth and width of the network that a configuration asks for. */
import { presets } from "../model/config.js";
import type { Config } from "./config-schema.js";

export interface ModelSize {
  encoderLayers: number;
  decoderLayers: number;
  width: number;
  inner: number;
  heads: number;
}

/** The preset's sizes, each replaced by the configuration's own where it gives one. Not for a model from a folder. */
export function modelSize(model: Config["model"]): ModelSize {
  const { layers, width, inner, heads } = presets[model.preset];
  return {
    encoderLayers: model.encoderLayers ?? layers,
    decoderLayers: model.decoderLayers ?? layers,
    width: model.width ?? width,
    inner: model.inner ?? inner,
    heads: model.heads ?? heads,
  };
}
