/** What evaluation left in a run folder, policy by policy, as far as its finished steps go. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { parsePolicyName } from "../rest/names.js";
import type { Manifest } from "../store/manifest.js";
import { insideFolder } from "./inside.js";

/** JSON has no NaN: a figure that is not defined is null there. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const interval = z.object({ value: figure, low: figure, high: figure });

const File = z.object({
  summary: z.object({
    reward: interval,
    greedyReward: figure,
    bleu: interval,
    chrf: interval,
    klFromBc: figure,
    judge: z.object({ name: z.string(), mean: interval }).exactOptional(),
  }),
  bestOfN: z.array(
    z.object({
      n: z.int().positive(),
      reward: figure,
      chrf: figure,
      bleu: figure,
      reranked: z.object({ reward: figure, chrf: figure, bleu: figure }).exactOptional(),
    }),
  ),
  /** Of each evaluated source, in the order of the test part. */
  translations: z.array(z.object({ text: z.string(), reward: figure, judge: figure.exactOptional() })),
});

export interface EvaluatedPolicy extends z.output<typeof File> {
  name: string;
  grow: number;
  improve: number;
  control: boolean;
}

/** A policy whose evaluation is finished, and what its file holds, to know whether it is another by now. */
export interface EvaluationStep {
  policy: string;
  sha256: string;
}

/** By Grow, then Improve; a control behind the policy that it is the control of. */
export function evaluationSteps(manifest: Manifest): EvaluationStep[] {
  return manifest.steps
    .flatMap(({ name, outputs }) => {
      const policy = /^evaluate-(.+)$/.exec(name)?.[1] ?? "";
      const place = parsePolicyName(policy);
      return place ? [{ policy, sha256: outputs[0]?.sha256 ?? "", place }] : [];
    })
    .sort(
      ({ place: a }, { place: b }) =>
        a.grow - b.grow || a.improve - b.improve || Number(a.control) - Number(b.control),
    )
    .map(({ policy, sha256 }) => ({ policy, sha256 }));
}

/** The file's path with links resolved; undefined where it is not there, or leads out of the folder. */
export function fileInside(dir: string, file: string): Promise<string | undefined> {
  return insideFolder(dir, join(dir, file)).catch(() => undefined);
}

/** Throws a UserError naming the file, and the key where one is not as Coppice writes it. */
export async function readEvaluation(dir: string, policy: string): Promise<EvaluatedPolicy> {
  const place = parsePolicyName(policy);
  if (!place) throw new Error(`${policy} is not the name of a policy`);
  const file = `evaluation/${policy}.json`;
  const path = await fileInside(dir, file);
  const again = "Put it back from a copy, or evaluate the run again in a new folder.";
  if (path === undefined)
    throw new UserError(`${file}, which a finished step wrote, is missing. ${again}`, { file: dir });
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new UserError(`this is not JSON. ${again}`, { file: path }, { cause });
  }
  const parsed = File.safeParse(json);
  if (parsed.success) return { name: policy, ...place, ...parsed.data };
  const issue = parsed.error.issues[0]!;
  throw new UserError(
    `key ${issue.path.join(".") || "(the whole file)"} is not as Coppice writes it (${issue.message}). ${again}`,
    { file: path },
  );
}
