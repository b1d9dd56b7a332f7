/** `reward.json`: what a learned reward predicts, on which scale, and how well it does on sources it has not seen. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../errors.js";
import { BLEU_TOKENIZERS } from "../../evaluate/tokenize/tokenizers.js";
import { writeJsonAtomic } from "../../store/atomic.js";
import { type Calibration, readCalibration } from "../calibration.js";
import { PROBE_KINDS } from "../damage.js";

const FILE = "reward.json";
const FORMAT = 1;

const count = z.int().nonnegative();
/** JSON has no NaN; a figure that is not defined is null there. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const agreement = z.object({
  overall: z.object({ kendall: figure, spearman: figure }),
  withinSource: z.object({ kendall: figure, spearman: figure, sources: count }),
  pairwiseAccuracy: figure,
  pairs: count,
  candidates: count,
  sources: count,
});

const schema = z.object({
  format: z.literal(FORMAT),
  kind: z.literal("learned"),
  /** The metric against the human translation that is predicted: weights of its parts. */
  target: z.object({
    chrf: z.number().nonnegative(),
    bleu: z.number().nonnegative(),
    tokenize: z.enum(BLEU_TOKENIZERS).optional(),
  }),
  calibration: z.unknown(),
  /** Agreement with the target metric on held-out sources. */
  agreement: z.object({
    /** On the policy's own samples: what Grow will ask for. */
    samples: agreement,
    /** On references and their damaged versions. */
    damage: agreement,
    /** Of the policy's mean log-probability a token on the same samples: what the reward should beat. */
    policyLogProb: agreement,
  }),
  /** Mean reward of held-out samples, one half by calibration, and of the references of the same sources. */
  meanReward: z.object({ samples: figure, references: figure }),
  /** Held-out references against damaged ones, by kind of damage. */
  probe: z.array(
    z.object({
      kind: z.enum(PROBE_KINDS),
      pairs: count,
      noticed: figure,
      tied: figure,
      meanLoss: figure,
    }),
  ),
  training: z.object({
    seed: z.number(),
    pairs: z.object({ train: count, validation: count, test: count }),
    lessons: count,
    steps: count,
    /** The step whose weights were kept; 0: training never improved on the start. */
    bestStep: count,
    evaluations: z.array(z.object({ step: count, loss: figure, score: figure })),
  }),
});

/** What `reward.json` holds. */
export type RewardFacts = Omit<z.output<typeof schema>, "calibration"> & { calibration: Calibration };

/** Writes `reward.json` into an existing folder; equal facts are equal bytes. */
export function saveFacts(folder: string, facts: Omit<RewardFacts, "format" | "kind">): Promise<void> {
  return writeJsonAtomic(join(folder, FILE), { format: FORMAT, kind: "learned", ...facts });
}

/** Reads `reward.json`. @throws UserError naming the file and the key where it is missing, damaged or of another version. */
export async function loadFacts(folder: string): Promise<RewardFacts> {
  const file = join(folder, FILE);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new UserError(
      "this cannot be read. A learned reward is a folder with a reward.json: train the reward, or name its folder.",
      { file },
      { cause },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UserError("this is not JSON. Train the reward again.", { file }, { cause });
  }
  const found = schema.safeParse(json);
  if (found.success) return { ...found.data, calibration: readCalibration(found.data.calibration, file) };
  const issue = found.error.issues[0]!;
  const key = issue.path.join(".") || "the file";
  throw new UserError(
    `${key}: ${issue.message}. This version reads learned rewards of format ${FORMAT}: train the reward again.`,
    { file },
  );
}
