/** Holds a run to the pretrained rewards that it has begun with: the same files, and the same scores of a few golden pairs. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { UserError } from "../errors.js";
import type { PretrainedRewardOptions } from "../reward/create.js";
import type { PretrainedScorer } from "../reward/pretrained/family.js";
import { goldenDifference, goldenScores, refuseOtherScale } from "../reward/pretrained/golden.js";
import { writeJsonAtomic } from "../store/atomic.js";
import { changedInputs, type InputFile, inputFiles } from "../store/input-files.js";
import type { RunContext } from "./context.js";
import { PRETRAINED_CONTENT, pretrainedFiles } from "./inputs.js";

const pinSchema = z.strictObject({
  /** As the configuration names it. */
  model: z.string(),
  variant: z.string(),
  /** Of the names and hashes of all files that the scores follow from. */
  sha256: z.string(),
  /** Raw scores of the golden pairs. */
  golden: z.array(z.number()),
});
const pinsSchema = z.strictObject({ format: z.literal(1), models: z.array(pinSchema) });
type Pin = z.infer<typeof pinSchema>;

/**
 * Throws a UserError where a checkpoint has been exchanged since `was` under its own name: candidates scored by one must not
 * meet candidates scored by the other.
 */
export function refuseExchanged(was: readonly InputFile[], now: readonly InputFile[]): void {
  const exchanged = changedInputs(was, now).find(({ key }) => key === PRETRAINED_CONTENT);
  if (exchanged) throw exchangedError(exchanged.path);
}

function exchangedError(file: string): UserError {
  return new UserError(
    "this is not the pretrained reward that the run has begun with: its content has changed. Put the former files back, or " +
      "name the new ones by another folder: then all is scored again.",
    { file },
  );
}

/**
 * Compares a loaded checkpoint with what the run has kept of it in `pretrained.json`, or keeps that where it is new.
 * @throws UserError where files or golden scores differ, or the scores are of another scale than the variant's.
 */
export async function holdToPin(
  run: RunContext,
  part: PretrainedRewardOptions,
  scorer: PretrainedScorer,
): Promise<void> {
  const places = await pretrainedFiles(part, run.folder.config);
  const sha256 = hashOf(await inputFiles(places, run.manifest.inputs));
  const pins = await readPins(run.folder.pretrained);
  const pin = pins.find(({ model, variant }) => model === part.model && variant === scorer.variant);
  if (pin && pin.sha256 !== sha256) throw exchangedError(part.model);
  const golden = await goldenScores(scorer);
  refuseOtherScale(scorer, golden, part.model);
  if (!pin) {
    const added: Pin = { model: part.model, variant: scorer.variant, sha256, golden };
    if (run.writes) await writeJsonAtomic(run.folder.pretrained, { format: 1, models: [...pins, added] });
    return;
  }
  const difference = goldenDifference(pin.golden, golden);
  if (difference)
    throw new UserError(
      `the candidate ${JSON.stringify(difference.input.candidate)} has the raw score ${difference.is} now and had ` +
        `${difference.was} when the run began, from the same files: this version of Coppice, or this machine, computes otherwise. ` +
        "Go on with the former one, or start the run anew in another folder.",
      { file: part.model },
    );
}

function hashOf(files: readonly InputFile[]): string {
  const hash = createHash("sha256");
  for (const line of files.map(({ path, sha256 }) => `${path} ${sha256}\n`).sort()) hash.update(line);
  return hash.digest("hex");
}

async function readPins(file: string): Promise<Pin[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  try {
    return pinsSchema.parse(JSON.parse(text)).models;
  } catch (cause) {
    throw new UserError(
      "this is not what Coppice keeps of a pretrained reward; restore it, or start the run anew in another folder.",
      { file },
      { cause },
    );
  }
}
