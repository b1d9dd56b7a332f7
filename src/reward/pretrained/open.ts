/** Opens the folder of a pretrained reward, whatever its family. */

import { stat } from "node:fs/promises";
import { UserError } from "../../errors.js";
import type { Thread } from "../../tensor/thread.js";
import { families } from "./families.js";
import type { PretrainedFamily, PretrainedOptions, PretrainedScorer } from "./family.js";

/**
 * The family whose checkpoint a folder holds, by its files or, where they leave it open, by the variant that is asked for.
 * @throws UserError where there is no such folder, no family knows it, or no family has the variant.
 */
export async function familyOf(folder: string, options: PretrainedOptions = {}): Promise<PretrainedFamily> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory())
    throw new UserError("there is no such folder; name the one that holds the checkpoint.", { file: folder });
  const { variant } = options;
  const ofVariant = families.filter(({ variants }) => variant === undefined || variants.includes(variant));
  if (ofVariant.length === 0)
    throw new UserError(
      `"${variant}" is no variant of a pretrained reward; it must be one of ${families.flatMap(({ variants }) => variants).join(", ")}.`,
      { file: folder },
    );
  for (const family of ofVariant) if (await family.recognises(folder)) return family;
  const names = ofVariant.map(({ name }) => name).join(", ");
  throw new UserError(
    `this does not look like a checkpoint of ${names}. Name the folder as it was published, with its config.json (or hparams.yaml) and weights.`,
    { file: folder },
  );
}

/** Loads a checkpoint; see `PretrainedFamily.open` for what it throws. */
export async function openPretrained(
  thread: Thread,
  folder: string,
  options: PretrainedOptions = {},
): Promise<PretrainedScorer> {
  const family = await familyOf(folder, options);
  return family.open(thread, folder, options);
}
