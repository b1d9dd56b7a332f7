/** Makes a run folder that starts from a Marian model of others. */

import { checkModel } from "../rest/inputs.js";
import { type InitOptions, type Started, startRunFolder } from "./init.js";
import { licenceOf } from "./model-card.js";

/** What `import` found and wrote. */
export interface Imported extends Started {
  /** Numbers that the network learns. */
  parameters: number;
  vocabulary: number;
  encoderLayers: number;
  decoderLayers: number;
  width: number;
  /** As the folder's README.md names it; null where it names none. */
  licence: string | null;
}

/**
 * Reads the model whole, then writes `coppice.yaml` into `dir` with the model as its first policy.
 * Throws a UserError where either cannot be; then nothing is written.
 */
export async function importModel(options: InitOptions & { from: string }): Promise<Imported> {
  const { config, parameters } = await checkModel(options.from);
  const licence = (await licenceOf(options.from)) ?? null;
  const started = await startRunFolder(options);
  return {
    ...started,
    parameters: parameters.data.length,
    vocabulary: config.targetVocabulary,
    encoderLayers: config.encoderLayers,
    decoderLayers: config.decoderLayers,
    width: config.width,
    licence,
  };
}
