/** The figures of a run as tables: built once from the summary, printed for a terminal and as Markdown; for a page see components/report-table.tsx. */

import type {
  BestOfNPoint,
  ExampleTranslations,
  Interval,
  PolicySummary,
  RunSummary,
} from "../store/summary.js";
import { abridged, escapeMarkdown, visible } from "./escape.js";
import { baseline, controlNames, controlPairs, inTableOrder, judgeName, steps } from "./figures.js";
import {
  count,
  decimal,
  duration,
  MISSING,
  percent,
  points,
  rewardPoints,
  signed,
  translationsBy,
} from "./format.js";
import { distanceOf, figureName, gainSeries, metricName, peakOf } from "./gains.js";

interface Column {
  header: string;
  align: "left" | "right";
}

/** `control`: the random-selection control; `best`: the highest mean reward among the policies of ReST. */
type RowMark = "control" | "best";

interface Row {
  cells: string[];
  mark?: RowMark;
}

/** Cells hold plain text as the summary has it: the printers below escape for where they print. */
export interface Table {
  title: string;
  columns: Column[];
  rows: Row[];
  notes: string[];
}

const left = (header: string): Column => ({ header, align: "left" });
const right = (header: string): Column => ({ header, align: "right" });

/** Put after the name of a control; explained in the note below the table. */
const CONTROL_MARK = " †";

function rewardInterval({ value, low, high }: Interval): string {
  return `${rewardPoints(value)} [${rewardPoints(low)}, ${rewardPoints(high)}]`;
}

/** The difference in mean reward, with its interval where the summary holds it. */
function rewardGain({ differences = [] }: RunSummary, policy: PolicySummary, against: PolicySummary): string {
  const found = differences.find((one) => one.policy === policy.name && one.against === against.name);
  const gain = signed((policy.reward.value - against.reward.value) * 100);
  if (!found) return gain;
  return `${gain} [${signed(100 * found.reward.low)}, ${signed(100 * found.reward.high)}]`;
}

/** One row a policy, controls marked and right below their counterpart. */
export function policyTable(summary: RunSummary): Table {
  const start = baseline(summary);
  const best = bestReward(summary);
  const controls = new Map(
    controlPairs(summary).map(({ selected, control }) => [selected.name, control] as const),
  );
  const judge = judgeName(summary);
  const rows = inTableOrder(summary).map((policy): Row => {
    const control = controls.get(policy.name);
    const cells = [
      policy.name + (policy.control ? CONTROL_MARK : ""),
      rewardInterval(policy.reward),
      start === undefined || policy === start ? MISSING : rewardGain(summary, policy, start),
      ...(controls.size === 0 ? [] : [control ? rewardGain(summary, policy, control) : MISSING]),
      points(policy.bleu.value),
      points(policy.chrf.value),
      ...(judge === undefined ? [] : [policy.judge ? rewardInterval(policy.judge.mean) : MISSING]),
      policy === start ? MISSING : decimal(policy.klFromBc, 2),
      decimal(policy.diversity.distinct2, 2),
      percent(policy.diversity.uniqueShare),
      decimal(policy.lengthRatio, 2),
      percent(policy.unfinishedShare),
      count(policy.samplesDrawn),
      count(policy.rewardCalls),
      duration(policy.seconds),
    ];
    if (policy.control) return { cells, mark: "control" };
    return policy.name === best ? { cells, mark: "best" } : { cells };
  });
  const counterparts = controlPairs(summary).map(
    ({ control, selected }) => `${control.name} to ${selected.name}`,
  );
  const notes = ["Mean reward: 0 to 100, higher is better, with its 95 % interval."];
  if (judge !== undefined)
    notes.push(
      `${judge}: the judge, which no policy is trained for; its mean over the translations that BLEU and chrF see, 0 to 100, with its 95 % interval.`,
    );
  if (rows.some(({ mark }) => mark === "control")) {
    notes.push(
      "† control: trained on as many candidates chosen at random, by the same steps" +
        (counterparts.length === 0 ? "." : `; compare ${counterparts.join(", ")}.`),
    );
  }
  notes.push(...beside(summary));
  return {
    title: "Policies",
    columns: [
      left("policy"),
      right("mean reward"),
      right("vs BC"),
      ...(controls.size === 0 ? [] : [right("vs random")]),
      right("BLEU"),
      right("chrF"),
      ...(judge === undefined ? [] : [right(judge)]),
      right("KL"),
      right("distinct"),
      right("unique"),
      right("length"),
      right("unfinished"),
      right("samples"),
      right("calls"),
      right("time"),
    ],
    rows,
    notes,
  };
}

/** What was drawn beside the samples of Grow. */
function beside({ policies }: RunSummary): string[] {
  const most = (figure: (policy: PolicySummary) => number | undefined) =>
    Math.max(0, ...policies.map((policy) => figure(policy) ?? 0));
  const validation = most(({ validationSamples }) => validationSamples);
  const lessons = most(({ lessonSamples }) => lessonSamples);
  const parts = [
    ...(validation > 0 ? [`${count(validation)} drawn and scored for validation`] : []),
    ...(lessons > 0 ? [`${count(lessons)} drawn to teach the reward`] : []),
  ];
  return parts.length === 0 ? [] : [`samples, calls: of Grow. Beside them: ${parts.join(", ")}.`];
}

/** One row a policy: what a mean reward does not show. */
export function effectsTable(summary: RunSummary): Table {
  const elsewhere = summary.policies.some(({ lossOutOfDomain }) => typeof lossOutOfDomain === "number");
  const rows = inTableOrder(summary).map((policy): Row => {
    const cells = [
      policy.name + (policy.control ? CONTROL_MARK : ""),
      decimal(distanceOf(summary, policy), 2),
      decimal(policy.diversity.entropy, 2),
      decimal(policy.diversity.selfBleu, 1),
      percent(policy.repetitionRate),
      percent(policy.copyRate),
      decimal(policy.lossOnTrain, 3),
      ...(elsewhere ? [decimal(policy.lossOutOfDomain, 3)] : []),
    ];
    return policy.control ? { cells, mark: "control" } : { cells };
  });
  return {
    title: "Side effects",
    columns: [
      left("policy"),
      right("√KL"),
      right("entropy"),
      right("self-BLEU"),
      right("repeats"),
      right("copies"),
      right("loss on train"),
      ...(elsewhere ? [right("out of domain")] : []),
    ],
    rows,
    notes: [
      "repeats: share of words that repeat what stands just before; copies: share of samples at least half of whose words stand in the source.",
      "loss: nats a token of human translations; it rises as the policy forgets.",
    ],
  };
}

/** One row a policy: how often answers are right; none where they are not compared. */
export function answersTable(summary: RunSummary): Table {
  const policies = inTableOrder(summary);
  const compared = policies.find(({ answers }) => answers !== undefined);
  const attempts = compared?.answers?.attempts ?? [];
  const share = (interval: Interval | undefined) => (interval ? rewardInterval(interval) : MISSING);
  const rows = (compared ? policies : []).map(({ name, control, answers }): Row => {
    const at = (k: number) => answers?.attempts.find((one) => one.k === k);
    const cells = [
      name + (control ? CONTROL_MARK : ""),
      share(answers?.exact),
      ...attempts.map(({ k }) => share(at(k)?.pass)),
      ...attempts.filter(({ k }) => k > 1).map(({ k }) => share(at(k)?.majority)),
    ];
    return control ? { cells, mark: "control" } : { cells };
  });
  return {
    title: "Answers",
    columns: [
      left("policy"),
      right("exact match"),
      ...attempts.map(({ k }) => right(`pass@${k}`)),
      ...attempts.filter(({ k }) => k > 1).map(({ k }) => right(`maj@${k}`)),
    ],
    rows,
    notes: [
      "Share of sources in percent, with its 95 % interval. exact match: the greedy answer; pass@k: one of k samples is right; maj@k: what most of k samples say is.",
    ],
  };
}

/** One row a curve: gain against √KL, fitted, and where it peaks. */
export function curveTable(summary: RunSummary): Table {
  const rows = gainSeries(summary).map(({ name, figure, form, points: places, fit }): Row => {
    const label = name
      .replace("held-out", `${figureName(summary, figure)} (held out)`)
      .replace("judge", `${figureName(summary, figure)} (judge)`);
    const shape = form === "rl" ? "d(α − β ln d)" : "d(α − βd)";
    const [alpha, beta] =
      "curve" in fit ? [decimal(fit.curve.alpha, 2), decimal(fit.curve.beta, 2)] : [MISSING, MISSING];
    const found = peakOf(fit);
    const peak =
      "undecided" in found
        ? [MISSING, MISSING, `not decided: ${found.undecided}`]
        : [
            decimal(found.peak.distance, 2),
            signed(found.peak.gain),
            found.reached ? "within the points" : "beyond the points: extrapolated",
          ];
    return { cells: [label, shape, count(places.length), alpha, beta, ...peak] };
  });
  return {
    title: "Gain against distance from BC",
    columns: [
      left("series"),
      left("form"),
      right("points"),
      right("α"),
      right("β"),
      right("peak at d"),
      right("gain there"),
      left("peak"),
    ],
    rows,
    notes: [
      "d: √KL from BC. Gain: points of 100 over BC; of the best of N, over one sample. Forms: Gao et al. (2022), least squares.",
      `KL is at temperature 1, mean reward at the evaluation's; BLEU${judgeName(summary) === undefined ? "" : ", the judge"} and chrF are of ${translationsBy(summary.beam)}, of the best of N sentence by sentence.`,
      summary.heldOut.why,
    ],
  };
}

/** One row a point of the curves. */
export function gainTable(summary: RunSummary): Table {
  const all = gainSeries(summary);
  const judge = judgeName(summary);
  const column = (name: string, place: string): string => {
    const point = all
      .filter((series) => series.name.startsWith(name))
      .flatMap((series) => series.points)
      .find((each) => each.name === place);
    return point === undefined ? MISSING : signed(point.gain);
  };
  const places = new Map(
    all.flatMap((series) => series.points).map(({ name, distance }) => [name, distance]),
  );
  return {
    title: "Points of the curves",
    columns: [
      left("point"),
      right("√KL"),
      right("reward"),
      right(metricName(summary.heldOut.metric)),
      ...(judge === undefined ? [] : [right(judge)]),
    ],
    rows: [...places].map(([name, distance]) => ({
      cells: [
        name,
        decimal(distance, 3),
        column("reward", name),
        column("held-out", name),
        ...(judge === undefined ? [] : [column("judge", name)]),
      ],
    })),
    notes: ["Gains in points of 100 over BC; of the best of N over one sample of BC's."],
  };
}

/** Name of the policy of ReST with the highest mean reward; absent when there is one policy only. */
function bestReward(summary: RunSummary): string | undefined {
  const all = steps(summary);
  if (all.length < 2) return undefined;
  return all.reduce((best, policy) => (policy.reward.value > best.reward.value ? policy : best)).name;
}

/** One row an Improve step: what the threshold let through. */
export function improveTable(summary: RunSummary): Table {
  const controls = controlNames(summary);
  const rows = summary.improves.map((step): Row => {
    const control = controls.has(step.policy);
    const cells = [
      step.policy + (control ? CONTROL_MARK : ""),
      step.threshold,
      count(step.candidates),
      count(step.kept),
      percent(step.keptShare),
      `${count(step.sourcesKept)} of ${count(step.sources)}`,
      rewardPoints(step.meanReward),
      rewardPoints(step.meanRewardKept),
      percent(step.tiedSources),
      count(step.distinctCandidates),
      decimal(step.meanTokens, 1),
      percent(step.unfinishedShare),
      count(step.trainSteps),
      count(step.trainTokens),
      duration(step.seconds),
    ];
    return control ? { cells, mark: "control" } : { cells };
  });
  return {
    title: "Improve steps",
    columns: [
      left("policy"),
      left("threshold"),
      right("candidates"),
      right("kept"),
      right("share"),
      right("sources"),
      right("mean reward"),
      right("of kept"),
      right("tied"),
      right("distinct"),
      right("tokens"),
      right("unfinished"),
      right("steps"),
      right("trained on"),
      right("time"),
    ],
    rows,
    notes: [
      "sources: those that keep at least one candidate; tied: share of sources whose candidates all score alike; steps: of training; trained on: tokens, each time one was seen.",
      ...(rows.some(({ mark }) => mark === "control") ? ["† control: chosen at random, not by reward."] : []),
    ],
  };
}

/** One row a look at an online training: how the policy stood after so many samples. */
export function onlineTable(summary: RunSummary): Table {
  const rows = (summary.online ?? []).flatMap(({ policy, bestBatch, looks }) =>
    looks.map((look): Row => {
      const cells = [
        policy,
        count(look.batch),
        count(look.samplesDrawn),
        count(look.rewardCalls),
        rewardPoints(look.reward),
        points(look.bleu),
        points(look.chrf),
        decimal(look.klFromBc, 2),
        decimal(look.klCoefficient, 4),
      ];
      return look.batch === bestBatch ? { cells, mark: "best" } : { cells };
    }),
  );
  return {
    title: "Online training",
    columns: [
      left("policy"),
      right("batch"),
      right("samples"),
      right("calls"),
      right("mean reward"),
      right("BLEU"),
      right("chrF"),
      right("KL"),
      right("price of KL"),
    ],
    rows,
    notes: [
      "On validation sentences; batch 0 is BC, and the marked row is the policy that was kept. KL: over the samples of the last batch, before it was trained on.",
    ],
  };
}

/** One row a policy, one column an N, each cell `reward / chrF` of the best of N by reward. */
export function bestOfNTable(summary: RunSummary): Table {
  const sizes = [...new Set(summary.bestOfN.map(({ n }) => n))].sort((a, b) => a - b);
  const controls = new Set(summary.policies.filter(({ control }) => control).map(({ name }) => name));
  const rows = bestOfNPolicies(summary).flatMap(([name, curve]): Row[] => {
    const row = (
      label: string,
      at: (point: BestOfNPoint) => { reward: number; chrf: number } | undefined,
    ): Row => {
      const cells = [
        label,
        ...sizes.map((size) => {
          const point = curve.find(({ n }) => n === size);
          const figures = point && at(point);
          return figures === undefined
            ? MISSING
            : `${rewardPoints(figures.reward)} / ${points(figures.chrf)}`;
        }),
      ];
      return controls.has(name) ? { cells, mark: "control" } : { cells };
    };
    const label = name + (controls.has(name) ? CONTROL_MARK : "");
    const reranked = curve.some((point) => point.reranked !== undefined);
    return [
      row(label, (point) => point),
      ...(reranked ? [row(`${label}, by the sum`, (point) => point.reranked)] : []),
    ];
  });
  return {
    title: "Best of N by reward",
    columns: [left("policy"), ...sizes.map((size) => right(`N = ${count(size)}`))],
    rows,
    notes: [
      "Each cell: expected reward / sentence chrF of the candidate with the highest reward among N samples.",
      ...rerankNotes(summary),
    ],
  };
}

/** What the tuned sums are, one sentence a policy. */
function rerankNotes({ rerank = [] }: RunSummary): string[] {
  return rerank.map(({ policy, parts, metric, n, sources, alone, tuned }) => {
    const weights = parts
      .filter(({ weight }) => weight > 0)
      .map(({ name, weight }) => `${decimal(weight, 2)} ${name}`)
      .join(" + ");
    return (
      `By the sum, ${policy}: ${weights}, each less its mean over its deviation; tuned on ${count(sources)} validation ` +
      `sources, where the best of ${count(n)} has ${metric === "bleu" ? "BLEU" : "chrF"} ${points(tuned)} instead of ${points(alone)}.`
    );
  });
}

/** The curves of `bestOfN`, policies in the order of the table, points by rising N. */
export function bestOfNPolicies(summary: RunSummary): [string, BestOfNPoint[]][] {
  const names = new Set([
    ...inTableOrder(summary).map(({ name }) => name),
    ...summary.bestOfN.map(({ policy }) => policy),
  ]);
  return [...names].flatMap((name): [string, BestOfNPoint[]][] => {
    const curve = summary.bestOfN.filter(({ policy }) => policy === name).sort((a, b) => a.n - b.n);
    return curve.length === 0 ? [] : [[name, curve]];
  });
}

/** The translations of one sentence; policies that wrote the same text with the same reward share an entry. */
export interface ExampleEntry {
  policies: string[];
  text: string;
  reward: number;
  judge?: number;
}

/** Translations of an example in the order of the policy table. */
export function exampleEntries(summary: RunSummary, example: ExampleTranslations): ExampleEntry[] {
  const translations = new Map(Object.entries(example.translations));
  const names = new Set([
    ...inTableOrder(summary)
      .map(({ name }) => name)
      .filter((name) => translations.has(name)),
    ...translations.keys(),
  ]);
  const entries: ExampleEntry[] = [];
  for (const name of names) {
    const { text, reward, judge } = translations.get(name)!;
    const same = entries.find(
      (entry) =>
        entry.text === text &&
        rewardPoints(entry.reward) === rewardPoints(reward) &&
        rewardPoints(entry.judge) === rewardPoints(judge),
    );
    if (same) same.policies.push(name);
    else entries.push({ policies: [name], text, reward, ...(judge !== undefined && { judge }) });
  }
  return entries;
}

export interface PrintOptions {
  /** Use terminal colours; the caller knows whether it is a terminal. */
  colour?: boolean;
  /** Characters of a line; a wider table continues below with its first column repeated. Absent: no limit. */
  width?: number;
}

const ANSI = { bold: "\u001b[1m", dim: "\u001b[2m", green: "\u001b[32m", off: "\u001b[0m" };

function painter(colour: boolean | undefined): (style: keyof typeof ANSI, text: string) => string {
  return (style, text) => (colour ? ANSI[style] + text + ANSI.off : text);
}

/** Aligned plain text for a terminal, ending without a line break. */
export function toText(table: Table, options: PrintOptions = {}): string {
  const paint = painter(options.colour);
  const rows = table.rows.map((row) => ({ ...row, cells: row.cells.map(visible) }));
  const headers = table.columns.map(({ header }) => visible(header));
  const widths = headers.map((header, at) =>
    Math.max(length(header), ...rows.map(({ cells }) => length(cells[at] ?? ""))),
  );
  const block = (columns: number[]): string[] => {
    const line = (cells: string[]): string =>
      columns
        .map((at) => {
          const cell = cells[at] ?? "";
          const space = " ".repeat(widths[at]! - length(cell));
          return table.columns[at]!.align === "left" ? cell + space : space + cell;
        })
        .join(GAP)
        .trimEnd();
    const rule = "─".repeat(columns.reduce((sum, at) => sum + widths[at]! + GAP.length, -GAP.length));
    const body = rows.map(({ cells, mark }) => {
      const text = line(cells);
      return mark === "control" ? paint("dim", text) : mark === "best" ? paint("green", text) : text;
    });
    return [paint("bold", line(headers)), paint("dim", rule), ...body];
  };
  const blocks = columnBlocks(widths, options.width ?? Number.POSITIVE_INFINITY).map(block);
  return [
    paint("bold", table.title),
    ...blocks.flatMap((lines, at) => (at === 0 ? lines : ["", ...lines])),
    ...(rows.length === 0 ? [paint("dim", "(none)")] : []),
    ...table.notes.map((note) => paint("dim", visible(note))),
  ].join("\n");
}

const GAP = "  ";

/** Columns that fit side by side, the first one in every block; a block has at least one other column. */
function columnBlocks(widths: number[], limit: number): number[][] {
  const first = widths[0] ?? 0;
  const blocks: number[][] = [[0]];
  let used = first;
  for (let at = 1; at < widths.length; at++) {
    const more = GAP.length + widths[at]!;
    if (used + more > limit && blocks.at(-1)!.length > 1) {
      blocks.push([0]);
      used = first;
    }
    blocks.at(-1)!.push(at);
    used += more;
  }
  return blocks;
}

function length(text: string): number {
  return Array.from(text).length;
}

/** A Markdown table with a heading (of that level) above and its notes below, ending without a line break. */
export function toMarkdown(table: Table, level = 3): string {
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  const rows = table.rows.map(({ cells, mark }) => {
    const escaped = table.columns.map((_, at) => escapeMarkdown(cells[at] ?? ""));
    return line(
      mark === undefined ? escaped : escaped.map((cell) => (mark === "best" ? `**${cell}**` : `_${cell}_`)),
    );
  });
  return [
    `${"#".repeat(level)} ${escapeMarkdown(table.title)}`,
    "",
    line(table.columns.map(({ header }) => escapeMarkdown(header))),
    line(table.columns.map(({ align }) => (align === "left" ? ":--" : "--:"))),
    ...rows,
    ...table.notes.flatMap((note) => ["", escapeMarkdown(note)]),
  ].join("\n");
}

/** Longest text of one translation that a terminal or Markdown shows. */
const EXAMPLE_CHARACTERS = 400;

/** The same sentences translated by each policy, for a terminal; empty when the summary holds none. */
export function examplesText(summary: RunSummary, options: PrintOptions & { limit?: number } = {}): string {
  const paint = painter(options.colour);
  const shown = summary.examples.slice(0, options.limit ?? summary.examples.length);
  return shown
    .map((example) => {
      const entries = exampleEntries(summary, example).map(({ policies, text, reward }) => ({
        label: visible(policies.join(", ")),
        reward: rewardPoints(reward),
        text: visible(abridged(text, EXAMPLE_CHARACTERS)),
      }));
      const width = Math.max("reference".length, ...entries.map(({ label }) => length(label)));
      const row = (label: string, reward: string, text: string): string =>
        `${label}${" ".repeat(width - length(label))}  ${reward.padStart(5)}  ${text}`.trimEnd();
      return [
        paint("bold", row("source", "", visible(abridged(example.source, EXAMPLE_CHARACTERS)))),
        paint("dim", row("reference", "", visible(abridged(example.reference, EXAMPLE_CHARACTERS)))),
        ...entries.map(({ label, reward, text }) => row(label, reward, text)),
      ].join("\n");
    })
    .join("\n\n");
}

/** The same for Markdown: one table a sentence. */
function examplesMarkdown(summary: RunSummary, limit = summary.examples.length): string {
  return summary.examples
    .slice(0, limit)
    .map((example) => {
      const cell = (text: string): string => escapeMarkdown(abridged(text, EXAMPLE_CHARACTERS));
      return [
        "| | reward | text |",
        "| :-- | --: | :-- |",
        `| source | | ${cell(example.source)} |`,
        `| reference | | ${cell(example.reference)} |`,
        ...exampleEntries(summary, example).map(
          ({ policies, text, reward }) =>
            `| ${escapeMarkdown(policies.join(", "))} | ${rewardPoints(reward)} | ${cell(text)} |`,
        ),
      ].join("\n");
    })
    .join("\n\n");
}

/** The tables that hold something, in the order they are read. */
function tables(summary: RunSummary): Table[] {
  return [
    policyTable(summary),
    answersTable(summary),
    effectsTable(summary),
    improveTable(summary),
    onlineTable(summary),
    bestOfNTable(summary),
    curveTable(summary),
  ].filter(({ rows }, at) => at === 0 || rows.length > 0);
}

/** Everything a terminal shows at the end of a run: tables, then up to three examples; ends without a line break. */
export function consoleTables(summary: RunSummary, options: PrintOptions = {}): string {
  const paint = painter(options.colour);
  const parts = tables(summary).map((table) => toText(table, options));
  const examples = examplesText(summary, { ...options, limit: 3 });
  if (examples !== "") parts.push(`${paint("bold", "The same sentence by each policy")}\n${examples}`);
  return parts.join("\n\n");
}

/** The same as a Markdown document part, all examples included. */
export function markdownTables(summary: RunSummary): string {
  const parts = tables(summary).map(toMarkdown);
  if (summary.examples.length > 0)
    parts.push(`### The same sentence by each policy\n\n${examplesMarkdown(summary)}`);
  return `${parts.join("\n\n")}\n`;
}
