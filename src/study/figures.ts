/** The paper's figures for the user's data: those whose arms are there, with their figures as CSV beside them. */

import { type Chart, shortName } from "../report/charts.js";
import { decimal } from "../report/format.js";
import { type Drawing, dotChart, type Line, lineChart } from "./charts.js";
import { differenceOf, type Estimate, rewardLevelOf } from "./intervals.js";
import { type ArmView, distinctBc, judgeOf, mainArm, type PolicyView, type StudyView } from "./view.js";

export interface Figure {
  /** `figure-3`, as the paper numbers it; fit for a file name. */
  name: string;
  title: string;
  /** What to see in it, for the page. */
  about: string;
  chart: Chart;
  /** Comma-separated values, a header first. */
  csv: string;
}

/** A figure that this study has no arms for. */
export interface MissingFigure {
  name: string;
  title: string;
  why: string;
}

const INTERVALS = "0 to 100, sources never trained on; bars: 95 % interval";

/** Figures 3 to 7 and 13 to 16, in that order, drawn or said why not. */
export function figures(view: StudyView): { drawn: Figure[]; missing: MissingFigure[] } {
  const main = mainArm(view);
  const all = [
    byImproveStep(main),
    secondGrow(view),
    lossesAtFirstStep(view),
    bestOfNCurves(view, main),
    anotherJudge(view),
    againstGold(view),
    lossesByStep(view),
    sweep(view, "percentile", "figure-15", "p", "Percentile p of the first Improve step"),
    sweep(view, "interpolation", "figure-16", "γ", "Interpolation γ of the first Improve step"),
  ];
  return {
    drawn: all.filter((one) => "chart" in one),
    missing: all.filter((one) => "why" in one),
  };
}

function byImproveStep(main: ArmView | undefined): Figure | MissingFigure {
  const name = "figure-3";
  const title = "Reward by Improve step";
  const steps = main?.steps.filter(({ grow }) => grow === 1) ?? [];
  if (!main || steps.length === 0)
    return { name, title, why: "no arm of kind rest with the loss bc is finished" };
  const about =
    "The paper's Figure 3: each Improve step, with its higher threshold, should raise the reward.";
  return stepFigure({ name, title, about }, [main], (policy) => policy.grow <= 1);
}

function secondGrow(view: StudyView): Figure | MissingFigure {
  const name = "figure-4";
  const title = "Reward with a second Grow";
  const twice = view.arms.filter(
    ({ arm, steps }) => arm.kind === "rest" && steps.some(({ grow }) => grow === 2),
  );
  if (twice.length === 0) return { name, title, why: "no arm has two Grow steps" };
  const about = "The paper's Figure 4: samples of the improved policy, scored and improved on once more.";
  return stepFigure({ name, title, about }, twice, () => true);
}

function lossesAtFirstStep(view: StudyView): Figure | MissingFigure {
  const name = "figure-5";
  const title = "Losses after one Improve step";
  const arms = lossArms(view);
  if (arms.length === 0) return { name, title, why: "no two arms differ in improve.loss" };
  const policies = arms.flatMap(({ steps }) =>
    steps.filter(({ grow, improve }) => grow === 1 && improve === 1),
  );
  const [bc] = distinctBc(view);
  return dotFigure(
    { name, title, about: "The paper's Figure 5: every loss at G1 I1, beside BC." },
    bc ? [bc, ...policies] : policies,
  );
}

function bestOfNCurves(view: StudyView, main: ArmView | undefined): Figure | MissingFigure {
  const name = "figure-6";
  const title = "Reward of the best of N";
  const [bc] = distinctBc(view);
  const policies = [bc, ...(main?.steps ?? [])].flatMap((policy) =>
    policy && policy.bestOfN.length > 1 ? [policy] : [],
  );
  if (policies.length < 2)
    return { name, title, why: "there are no best-of-N curves of BC and of ReST (evaluate.bestOfN)" };
  const lines = policies.map((policy) => ({
    policy,
    line: {
      name: policy.name,
      points: policy.bestOfN.map(({ n, reward }) => ({ x: n, ...hundredfold(rewardLevelOf(reward)) })),
    } satisfies Line,
  }));
  const about =
    "The paper's Figure 6: expected reward of the best of N samples. Read across: how many samples of ReST equal many of BC.";
  return {
    ...{ name, title, about },
    chart: lineChart(drawing(name, title, "best by reward among N samples"), {
      places: "doubling",
      lines: lines.map(({ line }) => line),
    }),
    csv: csv(
      ["policy", "n", "reward", "low", "high"],
      lines.flatMap(({ policy, line }) =>
        line.points.map(({ x, value, low, high }) => [policy.name, x, value, low, high]),
      ),
    ),
  };
}

function anotherJudge(view: StudyView): Figure | MissingFigure {
  const name = "figure-7";
  const title = "What another judge says: change from BC";
  const judge = judgeOf(view.arms.flatMap(({ bc, steps }) => [bc, ...steps.slice(-1)]));
  const rows = view.arms.flatMap(({ arm, bc, steps }) => {
    const last = arm.kind === "best-of-n" ? undefined : steps.at(-1);
    const reward = last && differenceOf(last.reward, bc.reward);
    const chrf = last && differenceOf(last.chrf, bc.chrf);
    const judged = judge !== undefined && last ? differenceOf(last.judge!.mean, bc.judge!.mean) : undefined;
    return last && reward && chrf
      ? [{ name: last.name, reward: hundredfold(reward), chrf, judge: judged && hundredfold(judged) }]
      : [];
  });
  if (rows.length === 0) return { name, title, why: "no arm beside BC is finished" };
  const about =
    judge === undefined
      ? "The paper's Figure 7 asks people; here chrF, which no policy was selected by, stands in their place. Where the two rank the policies differently, more reward is not a better translation."
      : `The paper's Figure 7 asks people; here chrF and ${judge}, which no policy was selected by, stand in their place. Where they rank the policies differently than the reward does, more reward is not a better translation.`;
  return {
    ...{ name, title, about },
    chart: dotChart(
      drawing(
        name,
        title,
        `blue: reward, green: chrF${judge === undefined ? "" : `, orange: ${shortName(judge)}`}; bars: 95 % interval`,
      ),
      {
        series: ["reward", "chrF", ...(judge === undefined ? [] : [judge])],
        groups: rows.map((row) => ({
          name: row.name,
          dots: [row.reward, row.chrf, ...(row.judge ? [row.judge] : [])],
        })),
      },
    ),
    csv: csv(
      [
        "policy",
        ...["reward", "chrf", ...(judge === undefined ? [] : ["judge"])].flatMap((figure) => [
          `${figure}_change`,
          `${figure}_low`,
          `${figure}_high`,
        ]),
      ],
      rows.map(({ name: policy, reward, chrf, judge: judged }) => [
        policy,
        ...[reward, chrf, ...(judged ? [judged] : [])].flatMap(({ value, low, high }) => [value, low, high]),
      ]),
    ),
  };
}

function againstGold(view: StudyView): Figure | MissingFigure {
  const name = "figure-13";
  const title = "BC against GOLD by Improve step";
  const arms = lossArms(view).filter(({ arm }) => ["bc", "gold"].includes(String(arm.config.improve.loss)));
  if (arms.length < 2) return { name, title, why: "no arm has the loss gold beside one with bc" };
  const about = "The paper's Figure 13. GOLD is the method of Pang and He (2021).";
  return stepFigure({ name, title, about }, arms, inTwo(arms));
}

function lossesByStep(view: StudyView): Figure | MissingFigure {
  const name = "figure-14";
  const title = "Losses by Improve step";
  const arms = lossArms(view);
  if (arms.length === 0) return { name, title, why: "no two arms differ in improve.loss" };
  return stepFigure(
    { name, title, about: "The paper's Figure 14: every loss, step by step." },
    arms,
    inTwo(arms),
  );
}

/** Arms of which the first Improve step differs in one threshold: the reward after that step. */
function sweep(
  view: StudyView,
  kind: "percentile" | "interpolation",
  name: string,
  letter: string,
  title: string,
): Figure | MissingFigure {
  const found = new Map<number, PolicyView>();
  for (const { arm, steps } of view.arms) {
    const { thresholds } = arm.config.improve;
    const first = steps.find(({ grow, improve }) => grow === 1 && improve === 1);
    const value = thresholds.values[0]!;
    const plain = arm.kind === "rest" && arm.config.improve.loss === "bc" && thresholds.kind === kind;
    if (plain && first && !found.has(value)) found.set(value, first);
  }
  if (found.size < 2)
    return { name, title, why: `no two arms differ in the first threshold of kind ${kind}` };
  const policies = [...found].sort(([a], [b]) => a - b);
  const places = policies.map(([value]) => `${letter} = ${value}`);
  const levels = policies.map(([, policy]) => hundredfold(rewardLevelOf(policy.reward)));
  const number = name.replace("figure-", "");
  return {
    ...{ name, title },
    about: `The paper's Figure ${number}: how strict the filter of each source is, at G1 I1.`,
    chart: lineChart(drawing(name, title), {
      places,
      lines: [{ name: "G1I1", points: levels.map((level, x) => ({ x, ...level })) }],
    }),
    csv: csv(
      ["policy", kind === "percentile" ? "p" : "gamma", "reward", "low", "high"],
      policies.map(([value, policy], at) => [
        policy.name,
        value,
        ...[levels[at]!.value, levels[at]!.low, levels[at]!.high],
      ]),
    ),
  };
}

/** One arm a loss, where there are two losses or more. */
function lossArms({ arms }: StudyView): ArmView[] {
  const byLoss = new Map<string, ArmView>();
  for (const one of arms) {
    const loss = String(one.arm.config.improve.loss);
    if (one.arm.kind === "rest" && one.steps.length > 0 && !byLoss.has(loss)) byLoss.set(loss, one);
  }
  return byLoss.size < 2 ? [] : [...byLoss.values()];
}

/** Steps that two arms have at least: a step of one alone compares nothing. */
function inTwo(arms: readonly ArmView[]): (policy: PolicyView) => boolean {
  return ({ grow, improve }) =>
    arms.filter(({ bc, steps }) =>
      [bc, ...steps].some((policy) => policy.grow === grow && policy.improve === improve),
    ).length > 1;
}

/** Arms as lines over their steps, BC before them. */
function stepFigure(
  head: Pick<Figure, "name" | "title" | "about">,
  arms: readonly ArmView[],
  shown: (policy: PolicyView) => boolean,
): Figure {
  const places: string[] = [];
  const rows: (string | number)[][] = [];
  const order = arms
    .flatMap(({ steps }) => steps)
    .filter(shown)
    .sort((a, b) => a.grow - b.grow || a.improve - b.improve);
  for (const label of ["BC", ...order.map(placeName)]) if (!places.includes(label)) places.push(label);
  const lines = arms.flatMap(({ arm, bc, steps, controls }): Line[] => {
    const line = (name: string, policies: readonly PolicyView[]): Line => ({
      name,
      points: policies.filter(shown).map((policy) => {
        const level = hundredfold(rewardLevelOf(policy.reward));
        rows.push([name, policy.policy, level.value, level.low, level.high]);
        return { x: places.indexOf(policy === bc ? "BC" : placeName(policy)), ...level };
      }),
    });
    const random = arm.kind === "random" ? [] : controls.filter(shown);
    return [
      line(arm.name, [bc, ...steps]),
      ...(random.length > 0 ? [{ ...line(`${arm.name}, random`, random), dashed: true }] : []),
    ];
  });
  return {
    ...head,
    chart: lineChart(drawing(head.name, head.title), { places, lines }),
    csv: csv(["arm", "policy", "reward", "low", "high"], rows),
  };
}

function dotFigure(head: Pick<Figure, "name" | "title" | "about">, policies: readonly PolicyView[]): Figure {
  const groups = policies.map((policy) => ({
    name: policy.name,
    dots: [hundredfold(rewardLevelOf(policy.reward))],
  }));
  return {
    ...head,
    chart: dotChart(drawing(head.name, head.title), { series: ["reward"], groups }),
    csv: csv(
      ["policy", "reward", "low", "high"],
      groups.flatMap(({ name, dots }) => dots.map(({ value, low, high }) => [name, value, low, high])),
    ),
  };
}

function placeName({ grow, improve }: PolicyView): string {
  return `G${grow}I${improve}`;
}

function drawing(name: string, title: string, subtitle = INTERVALS): Drawing {
  return { name, title, subtitle, description: `${title}.` };
}

function hundredfold({ value, low, high }: Pick<Estimate, "value" | "low" | "high">) {
  return { value: value * 100, low: low * 100, high: high * 100 };
}

/** As RFC 4180 has it; numbers with six decimals. */
function csv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number): string => {
    if (typeof value === "number") return Number.isInteger(value) ? String(value) : decimal(value, 6);
    return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  };
  return `${[header, ...rows].map((row) => row.map(cell).join(",")).join("\n")}\n`;
}
