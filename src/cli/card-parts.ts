/** What the cards of policies share: the figures that they are written from, and how these are shown. */

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { escapeMarkdown } from "../report/escape.js";
import { MISSING, rewardPoints } from "../report/format.js";
import { gaming } from "../report/verdict.js";
import type { Config } from "../rest/config.js";
import { heldOutMetric } from "../rest/held-out.js";
import { BC, stepNames } from "../rest/names.js";
import { rewardParts } from "../rest/reward-parts.js";
import type { Manifest } from "../store/manifest.js";
import type { RunFolder } from "../store/run-folder.js";
import type { Interval } from "../store/summary.js";

/** JSON has no NaN: a figure that is not defined is null there. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const interval = z.object({ value: figure, low: figure, high: figure });
const answers = z.object({
  exact: interval,
  attempts: z.array(z.object({ k: z.number(), pass: interval, majority: interval })),
});
const evaluationSchema = z.object({
  summary: z.object({
    name: z.string(),
    n: z.number(),
    reward: interval,
    bleu: interval,
    chrf: interval,
    judge: z.object({ name: z.string(), mean: interval }).exactOptional(),
    answers: answers.exactOptional(),
    klFromBc: figure,
  }),
});
export type Figures = z.output<typeof evaluationSchema>["summary"];

/** What a card needs of a run. */
export interface CardRun {
  readonly config: Config;
  readonly folder: RunFolder;
  readonly manifest: Manifest;
}

/** What the run measured of a policy and of the one where ReST began, as far as they were evaluated. */
export function measuredOf({ folder, manifest }: CardRun, policy: string): Promise<Figures[]> {
  const measured = [...new Set([BC, policy])].filter((name) => manifest.isDone(stepNames.evaluate(name)));
  return Promise.all(
    measured.map(async (name) => {
      const text = await readFile(folder.inside(`evaluation/${name}.json`), "utf8");
      return evaluationSchema.parse(JSON.parse(text)).summary;
    }),
  );
}

/** What the reward is, in a sentence. */
export function rewardLine(reward: Config["reward"]): string {
  const kinds = rewardParts(reward).map(({ kind }) => kind);
  return `The reward is of kind ${reward.kind}${"parts" in reward ? ` of ${kinds.join(", ")}` : ""}.`;
}

export function range({ value, low, high }: Interval, show: (value: number) => string): string {
  return `${show(value)} [${show(low)}, ${show(high)}]`;
}

/** A column: its head, and a policy's figure in it. */
export type Column = [head: string, show: (figures: Figures) => string];

/** None where there is no judge. */
export function judgeColumns(judge: string | undefined): Column[] {
  if (judge === undefined) return [];
  return [[escapeMarkdown(judge), (one) => (one.judge ? range(one.judge.mean, rewardPoints) : MISSING)]];
}

/** The figures as a table of Markdown, a row a policy. */
export function table(policy: string, figures: readonly Figures[], columns: readonly Column[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    row(["policy", ...columns.map(([head]) => head)]),
    `|---|${"---:|".repeat(columns.length)}`,
    ...figures.map((one) =>
      row([
        one.name === BC && policy !== BC ? `${one.name}, where ReST began` : one.name,
        ...columns.map(([, show]) => show(one)),
      ]),
    ),
  ].join("\n");
}

/** A paragraph for each figure of `own` beside where ReST began that speaks of gaming the reward. */
export function partings(own: Figures, figures: readonly Figures[], config: Config): string {
  const start = figures.find(({ name }) => name === BC);
  const parted = start && start !== own ? gaming(start, own, heldOutMetric(config)) : [];
  return parted.map(({ text }) => `\n\n${escapeMarkdown(text)}`).join("");
}
