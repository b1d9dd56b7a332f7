/** A rating reward's folder: `reward.json`, which says what it is, and `model.json.gz`, which is what it has learned. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import { UserError } from "../../errors.js";
import { writeJsonAtomic } from "../../store/atomic.js";
import { type Calibration, readCalibration } from "../calibration.js";
import { loadModel, type RatingModel, storedModel, storeModel } from "./model.js";

export const RATING_FILES = ["reward.json", "model.json.gz"] as const;
const [FACTS, MODEL] = RATING_FILES;

/** JSON has no NaN; a figure that is not defined is null there. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const interval = z.object({ value: figure, low: figure, high: figure });
const accuracy = z.object({ accuracy: figure, pairs: z.int() }).nullable();

const schema = z.object({
  format: z.literal(1),
  kind: z.literal("ratings"),
  /** What it looks at beside source and candidate. */
  uses: z.object({ given: z.array(z.string()), reference: z.boolean() }),
  seed: z.number(),
  calibration: z.unknown(),
  texts: z.object({ train: z.int(), dev: z.int() }),
  /** Agreement with people on the development part, which penalties and sizes were chosen on; null of preferences. */
  figures: z
    .object({
      texts: z.int(),
      pearson: interval,
      spearman: interval,
      kendall: figure,
      withinSource: accuracy,
      systems: accuracy,
      allPairs: figure,
    })
    .nullable(),
  /** Of preferences: share of the development part's that it has right. */
  preferred: figure.nullable(),
  chosen: z.object({
    ridgePenalty: z.number(),
    sparsePenalties: z.array(z.number()).exactOptional(),
    treeDepth: z.int().exactOptional(),
    treeShare: z.number().exactOptional(),
  }),
  features: z.array(z.string()),
});

/** What `reward.json` holds. */
export type RatingFacts = Omit<z.output<typeof schema>, "calibration"> & { calibration: Calibration };

export function saveFacts(folder: string, facts: RatingFacts): Promise<void> {
  return writeJsonAtomic(join(folder, FACTS), facts);
}

export async function saveModel(folder: string, model: RatingModel): Promise<void> {
  await writeFile(join(folder, MODEL), await promisify(gzip)(JSON.stringify(storeModel(model))));
}

/** @throws UserError naming the file where it is missing, damaged or of another kind of reward. */
export async function loadRatingFacts(folder: string): Promise<RatingFacts> {
  const file = join(folder, FACTS);
  const found = schema.safeParse(parsed(await bytesOf(file), file));
  if (found.success) return { ...found.data, calibration: readCalibration(found.data.calibration, file) };
  const issue = found.error.issues[0]!;
  throw new UserError(
    `${issue.path.join(".") || "the file"}: ${issue.message}. A reward of people's ratings was expected: make one with coppice train-reward --ratings FILE --out FOLDER.`,
    { file },
  );
}

/** @throws UserError naming the file where it is missing or damaged. */
export async function loadRatingModel(folder: string): Promise<RatingModel> {
  const file = join(folder, MODEL);
  const packed = await bytesOf(file);
  let bytes: Buffer;
  try {
    bytes = await promisify(gunzip)(packed);
  } catch (cause) {
    throw new UserError(
      "this is not a gzip file, or it ends too early. Train the reward again.",
      { file },
      { cause },
    );
  }
  const found = storedModel.safeParse(parsed(bytes, file));
  if (found.success) return loadModel(found.data);
  throw new UserError(
    `${found.error.issues[0]!.path.join(".") || "the file"} is not as it was written. Train the reward again.`,
    { file },
  );
}

async function bytesOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new UserError(
      "this cannot be read. A reward of people's ratings is a folder with reward.json and model.json.gz: make one with coppice train-reward --ratings FILE --out FOLDER.",
      { file },
      { cause },
    );
  }
}

function parsed(bytes: Buffer, file: string): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new UserError("this is not JSON. Train the reward again.", { file }, { cause });
  }
}
