/** A model with its tokenizers as Transformers.js loads them, in Node and in browsers. */

import { join } from "node:path";
import { makeFolder } from "../make-folder.js";
import { type StoredModel, saveModelSettings } from "../model/folder.js";
import { saveOnnxModels } from "../model/onnx-export/folder.js";
import { saveFastTokenizers, type TextCodec } from "../text/text-codec.js";

/**
 * Writes into an existing folder `config.json`, `generation_config.json`, `tokenizer.json`, `tokenizer_config.json` and the
 * models in `onnx`; where each language has a vocabulary of its own, the target's tokenizer in `target`.
 *
 * @throws UserError if a file cannot be written, or a SentencePiece model not be said as a tokenizer.json.
 */
export async function saveTransformersJsFolder(
  folder: string,
  { config, parameters }: StoredModel,
  codec: TextCodec,
): Promise<void> {
  await saveModelSettings(folder, config);
  await saveFastTokenizers(codec, folder, config.maxPositions);
  const onnx = join(folder, "onnx");
  makeFolder(onnx);
  await saveOnnxModels(onnx, config, parameters);
}
