/** The page `report.html`: one file without scripts, fonts or addresses, made from the summary alone. */

import { stringify } from "yaml";
import type { ExampleTranslations, Interval, PolicySummary, RunSummary } from "../store/summary.js";
import { type Chart, charts, drawSvg } from "./charts.js";
import { differences } from "./differences.js";
import { escapeHtml, shorten, visible } from "./escape.js";
import { baseline, lastStep, steps } from "./figures.js";
import { count, decimal, duration, percent, plural, rewardPoints, signed, translationsBy } from "./format.js";
import { metricName } from "./gains.js";
import { page } from "./page.js";
import { withoutSecrets } from "./secrets.js";
import {
  answersTable,
  bestOfNTable,
  curveTable,
  effectsTable,
  exampleEntries,
  gainTable,
  improveTable,
  onlineTable,
  policyTable,
  toHtml,
} from "./tables.js";
import { BOUNDS, type Finding, verdict } from "./verdict.js";

/** Longest source, reference or translation that the page shows. */
const TEXT_CHARACTERS = 2000;

/** Sentences shown before the rest is folded away. */
const OPEN_EXAMPLES = 6;

/**
 * The whole page as UTF-8 text; the same summary gives the same bytes. Everything that came from a model, a file or a
 * configuration is escaped, and values of keys that name a secret are left out.
 */
export async function renderReport(summary: RunSummary): Promise<string> {
  const drawn = new Map<string, string>();
  for (const chart of charts(summary)) drawn.set(chart.name, figure(chart, await drawSvg(chart)));
  const { headline, findings } = verdict(summary);
  const body = [
    header(summary, headline),
    chartGrid(drawn, ["reward-by-step"], ["chrf-by-step", "bleu-by-step"]),
    findingList(findings),
    section(
      "All policies",
      ...[policyTable(summary), answersTable(summary), effectsTable(summary)]
        .filter(({ rows }, at) => at === 0 || rows.length > 0)
        .map(toHtml),
    ),
    examples(summary),
    improves(summary, drawn),
    online(summary),
    bestOfN(summary, drawn),
    distance(summary, drawn),
    glossary(),
    making(summary),
  ];
  return page(`Coppice report: ${html(headline)}`, body.filter((part) => part !== "").join("\n"));
}

/** Text for the page: acting characters made visible, markup escaped. */
function html(text: string): string {
  return escapeHtml(visible(text));
}

/** A sentence of ours: a number stays on one line with its percent sign. */
function prose(text: string): string {
  return html(text).replace(/(\d) %/g, "$1\u00a0%");
}

/** Text of unknown language and direction, isolated from what stands beside it. */
function isolated(text: string): string {
  return `<bdi>${html(text)}</bdi>`;
}

function section(title: string, ...parts: string[]): string {
  return `<section>\n<h2>${html(title)}</h2>\n${parts.join("\n")}\n</section>`;
}

function paragraph(text: string, kind = ""): string {
  return `<p${kind === "" ? "" : ` class="${kind}"`}>${text}</p>`;
}

function figure(chart: Chart, svg: string): string {
  return `<figure id="${chart.name}">${svg}</figure>`;
}

/** Columns of charts; a column whose charts have no figures is left out. */
function chartGrid(drawn: Map<string, string>, ...columns: string[][]): string {
  const filled = columns
    .map((names) => names.flatMap((name) => drawn.get(name) ?? []).join("\n"))
    .filter((column) => column !== "");
  return filled.length === 0
    ? ""
    : `<div class="charts">${filled.map((column) => `<div>${column}</div>`).join("\n")}</div>`;
}

function header(summary: RunSummary, headline: string): string {
  return [
    "<header>",
    `<h1>Coppice: Reinforced Self-Training report</h1>`,
    `<p class="headline">${html(headline)}</p>`,
    paragraph(whatWasRun(summary)),
    tiles(summary),
    "</header>",
  ].join("\n");
}

/** One paragraph for a reader who has never seen such a run. */
function whatWasRun(summary: RunSummary): string {
  const start = baseline(summary);
  // A control's earlier steps are trained, not evaluated: only what is a step of ReST itself is counted.
  const own = new Set(steps(summary).map(({ name }) => name));
  const improves = summary.improves.filter(({ policy }) => own.has(policy));
  const grows = new Set(improves.map(({ grow }) => grow)).size;
  const sentences = [
    `A policy first learned to imitate the references of ${plural(summary.data.train, "sentence pair")} (<b>BC</b>, behaviour cloning).`,
  ];
  if (improves.length > 0) {
    sentences.push(
      `Then, ${grows === 1 ? "once" : grows === 2 ? "twice" : `${count(grows)} times`}, it wrote many candidates for each source, scored by the reward “${isolated(summary.reward.name)}” (<b>Grow</b>), and was trained further on those above a threshold, in ${plural(improves.length, "step")}${grows === 1 ? "" : " in all"} (<b>Improve</b>).`,
      `<b>G1I2</b> means: first Grow, second Improve.`,
    );
  }
  for (const { policy, samplesDrawn } of summary.online ?? [])
    sentences.push(
      `Then it was trained online as <b>${html(policy)}</b> on ${plural(samplesDrawn, "candidate")} of its own, each scored by the reward “${isolated(summary.reward.name)}” as it was sampled.`,
    );
  if (start !== undefined && summary.policies.every(({ n }) => n === start.n)) {
    sentences.push(
      `Every policy is judged on the same ${plural(start.n, "sentence")}, none of them trained on.`,
    );
  }
  return sentences.join(" ");
}

function tiles(summary: RunSummary): string {
  const start = baseline(summary);
  if (start === undefined) return "";
  const last = lastStep(summary);
  const compared = (label: string, before: Interval, after: Interval | undefined, scale: number): string => {
    const now = after ?? before;
    const small =
      after === undefined
        ? `[${decimal(now.low * scale, 1)}, ${decimal(now.high * scale, 1)}]`
        : `${signed((after.value - before.value) * scale)} against BC`;
    const value = `${after === undefined ? "" : `${decimal(before.value * scale, 1)} → `}${decimal(now.value * scale, 1)}`;
    return tile(label, value, small);
  };
  const latest = summary.policies.reduce((a, b) => (b.seconds > a.seconds ? b : a), start);
  const most = (figure: (policy: PolicySummary) => number): number =>
    Math.max(...summary.policies.map(figure));
  return `<dl class="tiles">${[
    compared("Mean reward of 100", start.reward, last?.reward, 100),
    compared("chrF", start.chrf, last?.chrf, 1),
    compared("BLEU", start.bleu, last?.bleu, 1),
    tile(
      "Samples drawn",
      count(most(({ samplesDrawn }) => samplesDrawn)),
      `${count(most(({ rewardCalls }) => rewardCalls))} reward calls`,
    ),
    tile("Time", duration(latest.seconds), `on ${plural(summary.machine.cores, "core")}`),
  ].join("")}</dl>`;
}

function tile(label: string, value: string, small: string): string {
  return `<div><dt>${html(label)}</dt><dd>${html(value)}<small>${html(small)}</small></dd></div>`;
}

const SIGNS: Record<Finding["kind"], { sign: string; said: string }> = {
  good: { sign: "✓", said: "Good: " },
  bad: { sign: "✗", said: "Bad: " },
  neutral: { sign: "•", said: "" },
  warning: { sign: "!", said: "Warning: " },
};

function findingList(findings: Finding[]): string {
  if (findings.length === 0) return "";
  const items = findings.map(({ kind, text }) => {
    const { sign, said } = SIGNS[kind];
    const spoken = said === "" ? "" : ` role="img" aria-label="${said}"`;
    return `<li class="${kind}"><span class="sign"${spoken}>${sign}</span>${prose(text)}</li>`;
  });
  return section(
    "What the figures say",
    `<ul class="findings">${items.join("\n")}</ul>`,
    paragraph(
      "Intervals say how much the choice of evaluated sentences matters. They do not say what another random seed or other data would give: for that, run again.",
      "note",
    ),
  );
}

function examples(summary: RunSummary): string {
  if (summary.examples.length === 0) return "";
  const shown = summary.examples.map((example) => exampleHtml(summary, example));
  const rest = shown.slice(OPEN_EXAMPLES);
  return section(
    "The same sentence by each policy",
    paragraph(
      `Of sentences never trained on, ${translationsBy(summary.beam)}, with their reward. <mark>Underlined</mark>: not in the reference at that place. <span class="gap">‸</span>: words of the reference are left out here. Neither need be wrong.`,
      "faint",
    ),
    ...shown.slice(0, OPEN_EXAMPLES),
    ...(rest.length === 0
      ? []
      : [`<details><summary>${plural(rest.length, "more sentence")}</summary>${rest.join("\n")}</details>`]),
  );
}

function exampleHtml(summary: RunSummary, example: ExampleTranslations): string {
  const controls = new Set(summary.policies.filter(({ control }) => control).map(({ name }) => name));
  const reference = clipped(example.reference);
  const rows = exampleEntries(summary, example).map(({ policies, text, reward }) => {
    const names = policies.map((name) => isolated(name) + (controls.has(name) ? " †" : "")).join(", ");
    const shown = clipped(text);
    return `<dt>${names}</dt><dd class="reward">${bar(reward)}${rewardPoints(reward)}</dd><dd class="text" dir="auto">${marked(shown.text, reference.text)}${shown.note}</dd>`;
  });
  const source = clipped(example.source);
  return `<article class="example"><dl>
<dt>source</dt><dd class="text given" dir="auto">${html(source.text)}${source.note}</dd>
<dt>reference</dt><dd class="text reference" dir="auto">${html(reference.text)}${reference.note}</dd>
${rows.join("\n")}
</dl></article>`;
}

function clipped(text: string): { text: string; note: string } {
  const short = shorten(text, TEXT_CHARACTERS);
  return {
    text: short.text,
    note: short.left === 0 ? "" : ` <span class="note">… (${plural(short.left, "more character")})</span>`,
  };
}

/** `text` with its differences from the reference marked; empty text is said to be so. */
function marked(text: string, reference: string): string {
  if (text.trim() === "") return '<span class="note">(empty)</span>';
  return differences(visible(text), visible(reference))
    .map(({ text: stretch, kind }) =>
      kind === "differs"
        ? `<mark>${escapeHtml(stretch)}</mark>`
        : kind === "missing"
          ? GAP
          : escapeHtml(stretch),
    )
    .join("");
}

/** Stands where the reference has words that the translation leaves out. */
const GAP =
  '<span class="gap" role="img" aria-label="left out" title="words of the reference are left out here">‸</span>';

/** The reward as a small bar; the figure stands beside it. */
function bar(reward: number): string {
  const width = Number.isFinite(reward) ? decimal(Math.min(1, Math.max(0, reward)) * 100, 1) : "0";
  return `<svg class="bar" viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="16" rx="3"/><rect class="fill" width="${width}" height="16" rx="3"/></svg>`;
}

function improves(summary: RunSummary, drawn: Map<string, string>): string {
  if (summary.improves.length === 0) return "";
  return section(
    "Improve steps",
    paragraph(
      "Each step keeps the candidates above a higher threshold and trains on them. A filter that keeps few sources trains on easy sentences only.",
      "faint",
    ),
    chartGrid(drawn, ["kept-by-improve-step"]),
    toHtml(improveTable(summary)),
  );
}

function online(summary: RunSummary): string {
  if (!summary.online) return "";
  return section(
    "Online training",
    paragraph(
      "Each batch is sampled from the policy as it is then, scored, and trained on once or a few times. Samples and reward calls are those drawn so far.",
      "faint",
    ),
    toHtml(onlineTable(summary)),
  );
}

function bestOfN(summary: RunSummary, drawn: Map<string, string>): string {
  if (summary.bestOfN.length === 0) return "";
  return section(
    "Best of N",
    paragraph(
      "Draw N translations, keep the one with the highest reward: what sampling alone could reach, without training. If reward rises with N and chrF falls, the reward is being fooled.",
      "faint",
    ),
    chartGrid(drawn, ["best-of-n-reward"], ["best-of-n-chrf"]),
    toHtml(bestOfNTable(summary)),
  );
}

function distance(summary: RunSummary, drawn: Map<string, string>): string {
  const { metric } = summary.heldOut;
  const grid = chartGrid(drawn, ["reward-against-kl"], [`${metric}-against-kl`]);
  if (grid === "") return "";
  return section(
    "How far from BC",
    paragraph(
      html(
        `A policy that moves far from BC for little reward, or whose ${metricName(metric)} falls as it moves, is over-optimised. Dashed: curves fitted to the policies and to the best of N of BC's samples; where one turns down, more of the same costs more than it brings.`,
      ),
      "faint",
    ),
    grid,
    toHtml(curveTable(summary)),
    `<details><summary>Points of the curves</summary>${toHtml(gainTable(summary))}</details>`,
  );
}

const GLOSSARY: [string, string][] = [
  [
    "mean reward",
    "Mean of the reward over samples drawn at the evaluation temperature, times 100. Higher is better. It is what training aims at, so that alone it proves little.",
  ],
  [
    "95 % interval, noise",
    'Bootstrap over the evaluated sentences. "Beyond noise": the intervals of two policies do not overlap. "Within noise": they do, so that the change may be chance.',
  ],
  ["vs BC", "Difference of mean reward to the starting policy, in points."],
  [
    "BLEU, chrF",
    "Agreement of the policy's translations with human references, in word sequences (BLEU) and character sequences (chrF); 0 to 100, higher is better. They show whether a gain of reward is real.",
  ],
  [
    "KL",
    "How far the policy has moved from BC: Kullback-Leibler divergence a sentence at temperature 1, in nats: exact over the vocabulary, at prefixes sampled from the policy. 0 means not at all.",
  ],
  [
    "distinct",
    "Distinct pairs of neighbouring words among all pairs (distinct-2), 0 to 1. A sharp fall means monotonous output.",
  ],
  [
    "unique",
    "Share of samples that differ from each other. Few unique samples leave a next Grow step little to choose from.",
  ],
  ["held out", "Of another family than the reward: a policy that games the reward does not gain by it."],
  [
    "repeats, copies",
    "Share of words that repeat the word or word pair just before; share of samples at least half of whose words stand in the source.",
  ],
  [
    "loss",
    "Mean negative log-likelihood a token of human translations, in nats, on a sample of the training pairs and of pairs out of domain. A rise is forgetting.",
  ],
  ["length", "Characters of the translations over those of the references; 1 is equally long."],
  ["unfinished", "Share of candidates cut at the length limit."],
  [
    "samples, calls",
    "Candidates sampled, and calls of the reward, up to this policy, evaluation not counted: the price.",
  ],
  ["time", "Work up to this policy."],
  [
    "† control",
    "Trained on as many candidates chosen at random, by the same steps: what more training on own samples gives without selection by reward.",
  ],
  ["threshold", "A candidate is kept when its reward is strictly above it."],
  ["tied", "Share of sources whose candidates all score alike: nothing can be chosen among them."],
  [
    "best of N",
    "The candidate with the highest reward among N; expected value over all subsets of one pool.",
  ],
];

function glossary(): string {
  const entries = GLOSSARY.map(([term, meaning]) => `<dt>${html(term)}</dt><dd>${html(meaning)}</dd>`);
  const bounds = `Warnings appear at: fewer than ${count(BOUNDS.sentences)} sentences, reward of ${rewardPoints(BOUNDS.ceiling)} or more, unfinished above ${percent(BOUNDS.unfinished)}, tied sources above ${percent(BOUNDS.ties)}, sources kept below ${percent(BOUNDS.sourcesKept)}, distinct-2 below ${percent(BOUNDS.distinctLeft)} or unique samples or entropy below ${percent(BOUNDS.uniqueLeft)} of BC's, length ratio changed by more than ${percent(BOUNDS.length)}, copies up by more than ${percent(BOUNDS.copying)}, loss up by more than ${decimal(BOUNDS.forgetting, 1)} nats, Kendall's τ of the reward below ${decimal(BOUNDS.kendall, 1)}. Rules of thumb.`;
  return section(
    "What the words mean",
    `<dl class="glossary">${entries.join("\n")}</dl>`,
    paragraph(prose(bounds), "note"),
  );
}

/** How the reward's order agrees with its target metric, in words; undefined where it was not measured. */
function agreement(measured: {
  kendall?: number;
  spearman?: number;
  pairwiseAccuracy?: number;
  pairs?: number;
}): string | undefined {
  const { kendall, spearman, pairwiseAccuracy, pairs } = measured;
  const parts = [
    typeof kendall !== "number" ? [] : `Kendall's τ ${decimal(kendall, 3)}`,
    typeof spearman !== "number" ? [] : `Spearman's ρ ${decimal(spearman, 3)}`,
    typeof pairwiseAccuracy !== "number"
      ? []
      : `${percent(pairwiseAccuracy)} of pairs of one source in the right order`,
  ].flat();
  if (parts.length === 0) return undefined;
  return `${parts.join(", ")}, on unseen sources${typeof pairs !== "number" ? "" : ` (${plural(pairs, "pair")})`}`;
}

function making(summary: RunSummary): string {
  const { machine, data, reward } = summary;
  const facts: [string, string][] = [
    ["Reward", reward.name],
    ["Reward agrees with its target metric", agreement(reward) ?? "not measured (not a learned reward)"],
    ...(reward.retrained ?? []).map((again): [string, string] => [
      `Taught again before Grow ${again.grow}`,
      agreement(again) ?? "not measured",
    ]),
    [
      "Sentence pairs",
      `${count(data.train)} for training, ${count(data.rewardPart)} for the reward, ${count(data.validation)} for validation, ${count(data.test)} for the test`,
    ],
    ["The reward falls when a translation is damaged", probed(summary)],
    ["Held-out metric", summary.heldOut.why],
    ["BLEU signature", summary.bleuSignature],
    ["chrF signature", summary.chrfSignature],
    [
      "Policies",
      steps(summary)
        .map(({ name }) => name)
        .join(", "),
    ],
    ["Seed", String(summary.seed)],
    ["Finished", summary.finishedAt],
    [
      "Machine",
      `${machine.cpu}, ${plural(machine.cores, "core")}, ${decimal(machine.memoryGb, 0)} GB, ${machine.os}, Node ${machine.node}`,
    ],
    ["Coppice", summary.coppice],
  ];
  return section(
    "How it was made",
    `<dl class="facts">${facts.map(([term, fact]) => `<dt>${html(term)}</dt><dd>${isolated(fact)}</dd>`).join("\n")}</dl>`,
    `<details><summary>Configuration</summary><pre>${configuration(summary.config)}</pre></details>`,
  );
}

/** Share of noticed damage, kind by kind. */
function probed({ reward }: RunSummary): string {
  if (reward.probe === undefined || reward.probe.length === 0) return "not probed";
  return reward.probe.map(({ damage, noticed }) => `${damage} ${percent(noticed)}`).join(", ");
}

/** The configuration as YAML, secrets left out, line by line so that line breaks stay. */
function configuration(config: unknown): string {
  const text = config === undefined ? "(not recorded)" : stringify(withoutSecrets(config), { lineWidth: 0 });
  return text.trimEnd().split("\n").map(html).join("\n");
}
