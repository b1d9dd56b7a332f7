/** A network as the `onnx` folder of a Transformers.js model. */

import { join } from "node:path";
import type { Parameters } from "../../tensor/parameters.js";
import type { MarianConfig } from "../config.js";
import { writeWhole } from "../files.js";
import { decoderModel } from "./decoder.js";
import { encoderModel } from "./encoder.js";
import { Int8Weights } from "./int8-weights.js";
import { FloatWeights } from "./weights.js";

/**
 * Writes `encoder_model.onnx` and `decoder_model_merged.onnx` with 32-bit weights, and both with 8-bit ones as
 * `…_quantized.onnx`, into an existing folder.
 *
 * @throws UserError if a file cannot be written.
 */
export async function saveOnnxModels(
  folder: string,
  config: MarianConfig,
  parameters: Parameters,
): Promise<void> {
  for (const [weights, suffix] of [
    [new FloatWeights(parameters), ""],
    [new Int8Weights(parameters), "_quantized"],
  ] as const) {
    await writeWhole(join(folder, `encoder_model${suffix}.onnx`), [encoderModel(config, weights)]);
    await writeWhole(join(folder, `decoder_model_merged${suffix}.onnx`), [decoderModel(config, weights)]);
  }
}
