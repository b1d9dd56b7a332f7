/** Every key of a study file: the base configuration, the seeds, and the arms that are compared. */

import { z } from "zod";
import type { SchemaNode } from "../rest/config-words.js";

/** What an arm is; the rest of its keys override those of `base`. */
export const armKinds = ["rest", "random", "best-of-n", "online"] as const;
export type ArmKind = (typeof armKinds)[number];

const seed = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const group = z.record(z.string(), z.unknown());

const arm = z
  .looseObject({
    kind: z.enum(armKinds).default("rest").meta({
      description:
        "rest: Grow and Improve; random: as many candidates chosen at random; best-of-n: BC and sampling alone; online: a baseline that samples while it trains",
    }),
    algorithm: z.string().optional().meta({ description: "Of an online arm: ppo or rloo" }),
  })
  .meta({ description: "Keys of the run configuration that differ from base" });

export const studySchema = z.strictObject({
  base: group.meta({
    description: "Configuration of every run; `data: demo` and `data: toy` make the demonstrations' pairs",
  }),
  seeds: z.array(seed).min(1).meta({ description: "Each arm is run once for each" }),
  arms: z
    .record(z.string(), arm)
    .optional()
    .meta({ description: "What is compared, each under a name of its own" }),
  grid: z.record(z.string(), z.array(z.unknown()).min(1)).optional().meta({
    description:
      "Names of keys (improve.loss, improve.thresholds, grow.samples, …) with the values to try: an arm for every combination",
  }),
});

export type StudyInput = z.output<typeof studySchema>;

let cached: SchemaNode | undefined;

/** The schema in words, for errors. */
export function studyTree(): SchemaNode {
  cached ??= z.toJSONSchema(studySchema, { io: "input" });
  return cached;
}
