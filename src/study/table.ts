/** The paper's Table 1 for the user's data: every policy of every arm, with its difference to random selection. */

import { count, decimal, MISSING, points, rewardPoints, signed } from "../report/format.js";
import type { Table } from "../report/tables.js";
import { BC } from "../rest/names.js";
import { differenceOf, type Estimate, rewardLevelOf } from "./intervals.js";
import type { ArmKind } from "./schema.js";
import { distinctBc, mean, type PolicyView, randomFor, type StudyView } from "./view.js";

/** A row of `table1.json`. Rewards and their intervals are in [0, 1], BLEU and chrF in [0, 100]. */
export interface TableRow {
  name: string;
  arm: string;
  /** Of the arm; `bc` for the policy that all of them start from. */
  kind: ArmKind | "bc";
  /** Loss of the Improve steps; null for what has none. */
  loss: string | null;
  grow: number;
  improve: number;
  reward: number;
  low: number;
  high: number;
  /** Null for best-of-N, whose choice among samples is judged by reward and chrF alone. */
  bleu: number | null;
  chrf: number;
  /** What `evaluate.judge` says of the translations, with its interval, in [0, 1]; null where there is none. */
  judge: { name: string; mean: number; low: number; high: number } | null;
  /** Candidates sampled to train the policy. */
  samples: number;
  seeds: number;
  /** What intervals are over. */
  over: Estimate["over"];
  /** Reward minus that of the policy trained on as many candidates chosen at random; null where there is none. */
  versusRandom: { reward: number; low: number; high: number } | null;
}

export function tableRows(view: StudyView): TableRow[] {
  const bc = distinctBc(view).map((policy) => policyRow(view, policy, null));
  const arms = view.arms.flatMap(({ arm, bc: start, steps }): TableRow[] => {
    if (arm.kind === "best-of-n") return bestOfNRow(start);
    const loss = arm.kind === "online" ? (arm.algorithm ?? null) : arm.config.improve.loss;
    return steps.map((policy) => policyRow(view, policy, loss));
  });
  return [...bc, ...arms];
}

function policyRow(view: StudyView, policy: PolicyView, loss: string | null): TableRow {
  const level = rewardLevelOf(policy.reward);
  const random = randomFor(view, policy);
  const difference = random && differenceOf(policy.reward, random.reward);
  return {
    name: policy.name,
    arm: policy.arm.name,
    kind: policy.grow === 0 && policy.policy === BC ? "bc" : policy.arm.kind,
    loss,
    grow: policy.grow,
    improve: policy.improve,
    reward: level.value,
    low: level.low,
    high: level.high,
    bleu: mean(policy.bleu.map(({ value }) => value)),
    chrf: mean(policy.chrf.map(({ value }) => value)),
    judge: judged(policy),
    samples: policy.samplesDrawn,
    seeds: level.seeds,
    over: level.over,
    versusRandom: difference
      ? { reward: difference.value, low: difference.low, high: difference.high }
      : null,
  };
}

function judged({ judge }: PolicyView): TableRow["judge"] {
  if (!judge) return null;
  const { value, low, high } = rewardLevelOf(judge.mean);
  return { name: judge.name, mean: value, low, high };
}

/** The largest N of BC's curve: what sampling alone reaches. */
function bestOfNRow(start: PolicyView): TableRow[] {
  const last = start.bestOfN.at(-1);
  if (last === undefined) return [];
  const level = rewardLevelOf(last.reward);
  return [
    {
      name: `BC best of ${last.n}`,
      arm: start.arm.name,
      kind: start.arm.kind,
      loss: null,
      grow: 0,
      improve: 0,
      reward: level.value,
      low: level.low,
      high: level.high,
      bleu: null,
      chrf: last.chrf,
      judge: null,
      samples: 0,
      seeds: level.seeds,
      over: level.over,
      versusRandom: null,
    },
  ];
}

/** For Markdown, a terminal and the page. */
export function table1(rows: readonly TableRow[]): Table {
  const judges = [...new Set(rows.flatMap(({ judge }) => judge?.name ?? []))];
  const best = Math.max(...rows.filter(isTrained).map(({ reward }) => reward));
  const right = (header: string) => ({ header, align: "right" as const });
  return {
    title: "Table 1",
    columns: [
      { header: "policy", align: "left" },
      { header: "loss", align: "left" },
      right("mean reward"),
      right("vs random"),
      right("BLEU"),
      right("chrF"),
      ...judges.map(right),
      right("samples"),
      right("seeds"),
    ],
    rows: rows.map((row) => ({
      cells: [
        row.name,
        row.loss ?? MISSING,
        withInterval(row.reward, row),
        versus(row),
        points(row.bleu),
        points(row.chrf),
        ...judges.map((name) =>
          row.judge?.name === name ? withInterval(row.judge.mean, row.judge) : MISSING,
        ),
        count(row.samples),
        decimal(row.seeds, 0),
      ],
      ...markOf(row, best),
    })),
    notes: [
      "Mean reward: 0 to 100, of samples on sources never trained on, with its 95 % interval.",
      "vs random: minus the policy trained by as many steps on as many candidates chosen at random, with its interval.",
      "samples: candidates drawn to train the policy; best of N draws its N at every use instead.",
      ...judges.map(
        (name) =>
          `${name}: the judge, which no policy is trained for; of the translations that BLEU and chrF see, 0 to 100, with its interval.`,
      ),
      basis(rows),
    ],
  };
}

/** In points of 100. */
function withInterval(value: number, { low, high }: { low: number; high: number }): string {
  return `${rewardPoints(value)} [${rewardPoints(low)}, ${rewardPoints(high)}]`;
}

function markOf(row: TableRow, best: number): Pick<Table["rows"][number], "mark"> {
  if (row.kind === "random") return { mark: "control" };
  return isTrained(row) && row.reward === best ? { mark: "best" } : {};
}

/** Neither BC, nor sampling from it, nor a control. */
function isTrained({ kind }: TableRow): boolean {
  return kind === "rest" || kind === "online";
}

function versus({ versusRandom }: TableRow): string {
  if (versusRandom === null) return MISSING;
  const { reward, low, high } = versusRandom;
  return `${signed(reward * 100)} [${signed(low * 100)}, ${signed(high * 100)}]`;
}

/** What the intervals of these rows say, and what they do not. */
export function basis(rows: readonly TableRow[]): string {
  const fewest = Math.min(...rows.map(({ seeds }) => seeds));
  return fewest < 2
    ? "One seed: intervals are over the evaluated sources and do not say what another seed would give."
    : `Intervals are Student's over ${fewest} seeds, differences paired by seed: with few seeds they are wide.`;
}
