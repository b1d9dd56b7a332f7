/** A Marian body with a head of its own, as a folder: a learned reward's and a value function's. */

import { join } from "node:path";
import { UserError } from "../errors.js";
import type { MarianConfig } from "../model/config.js";
import { loadModelFolder, saveModelFolder } from "../model/folder.js";
import { parameterSpecs } from "../model/marian.js";
import { readSafetensors, writeSafetensors } from "../model/safetensors.js";
import { type ParameterSpec, Parameters } from "../tensor/parameters.js";

export interface Head {
  /** Its own file beside the body's: `model.safetensors` stays a plain Marian body that other programs read. */
  readonly file: string;
  /** What it is a head of, for errors: "the reward". */
  readonly of: string;
  specs(config: MarianConfig): readonly ParameterSpec[];
}

/**
 * Body and head of a folder that `saveWithHead` wrote.
 * @throws UserError where a tensor of the head is missing or has another shape
 */
export async function loadWithHead(
  folder: string,
  head: Head,
): Promise<{ config: MarianConfig; parameters: Parameters }> {
  const { config, parameters } = await loadBody(folder, head);
  const file = join(folder, head.file);
  const { tensors } = await readSafetensors(file);
  for (const { name, shape } of head.specs(config)) {
    const tensor = tensors.get(name);
    if (!(tensor?.data instanceof Float32Array) || tensor.shape.join() !== shape.join())
      throw new UserError(
        `tensor "${name}" of shape [${shape}] is missing or has another shape. Train ${head.of} again.`,
        { file },
      );
    parameters.view(name).set(tensor.data);
  }
  return { config, parameters };
}

/** The body of a model folder, with room for the head: zeros, for the caller to fill. */
export async function loadBody(
  folder: string,
  head: Head,
): Promise<{ config: MarianConfig; parameters: Parameters }> {
  const { config, parameters: body } = await loadModelFolder(folder);
  const parameters = new Parameters([...parameterSpecs(config), ...head.specs(config)]);
  for (const { name } of body.specs) parameters.view(name).set(body.view(name));
  return { config, parameters };
}

/** Writes the body as a model folder and the head beside it. */
export async function saveWithHead(
  folder: string,
  head: Head,
  config: MarianConfig,
  parameters: Parameters,
): Promise<void> {
  await saveModelFolder(folder, config, parameters);
  const tensors = head
    .specs(config)
    .map(({ name, shape }) => [name, { shape, data: parameters.view(name) }] as const);
  await writeSafetensors(join(folder, head.file), new Map(tensors));
}
