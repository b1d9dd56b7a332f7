/** @jsxRuntime automatic @jsxImportSource preact */

/** What was run and what came of it, for a reader who has never seen such a run. */

import type { Interval, PolicySummary, RunSummary } from "../../store/summary.js";
import type { Tile } from "../components/tiles.js";
import { Tiles } from "../components/tiles.js";
import { Words } from "../components/words.js";
import { visible } from "../escape.js";
import { baseline, lastStep, steps } from "../figures.js";
import { count, decimal, duration, plural, signed } from "../format.js";

export function Opening({ summary, headline }: { summary: RunSummary; headline: string }) {
  const tiles = mainFigures(summary);
  return (
    <header>
      <h1>Coppice: Reinforced Self-Training report</h1>
      <p class="headline">{visible(headline)}</p>
      <WhatWasRun summary={summary} />
      {tiles.length > 0 && <Tiles tiles={tiles} />}
    </header>
  );
}

function WhatWasRun({ summary }: { summary: RunSummary }) {
  const start = baseline(summary);
  // A control's earlier steps are trained, not evaluated: only what is a step of ReST itself is counted.
  const own = new Set(steps(summary).map(({ name }) => name));
  const improves = summary.improves.filter(({ policy }) => own.has(policy));
  const grows = new Set(improves.map(({ grow }) => grow)).size;
  const reward = (
    <>
      the reward “<Words text={summary.reward.name} />”
    </>
  );
  return (
    <p>
      A policy first learned to imitate the references of {plural(summary.data.train, "sentence pair")} (
      <b>BC</b>, behaviour cloning).
      {improves.length > 0 && (
        <>
          {" "}
          Then, {grows === 1 ? "once" : grows === 2 ? "twice" : `${count(grows)} times`}, it wrote many
          candidates for each source, scored by {reward} (<b>Grow</b>), and was trained further on those above
          a threshold, in {plural(improves.length, "step")}
          {grows === 1 ? "" : " in all"} (<b>Improve</b>). <b>G1I2</b> means: first Grow, second Improve.
        </>
      )}
      {(summary.online ?? []).map(({ policy, samplesDrawn }) => (
        <span key={policy}>
          {" "}
          Then it was trained online as <b>{visible(policy)}</b> on {plural(samplesDrawn, "candidate")} of its
          own, each scored by {reward} as it was sampled.
        </span>
      ))}
      {start !== undefined &&
        summary.policies.every(({ n }) => n === start.n) &&
        ` Every policy is judged on the same ${plural(start.n, "sentence")}, none of them trained on.`}
    </p>
  );
}

function mainFigures(summary: RunSummary): Tile[] {
  const start = baseline(summary);
  if (start === undefined) return [];
  const last = lastStep(summary);
  const compared = (label: string, before: Interval, after: Interval | undefined, scale: number): Tile => {
    if (after === undefined)
      return {
        label,
        value: decimal(before.value * scale, 1),
        note: `[${decimal(before.low * scale, 1)}, ${decimal(before.high * scale, 1)}]`,
      };
    return {
      label,
      value: `${decimal(before.value * scale, 1)} → ${decimal(after.value * scale, 1)}`,
      note: `${signed((after.value - before.value) * scale)} against BC`,
    };
  };
  const latest = summary.policies.reduce((a, b) => (b.seconds > a.seconds ? b : a), start);
  const most = (figure: (policy: PolicySummary) => number): number =>
    Math.max(...summary.policies.map(figure));
  return [
    compared("Mean reward of 100", start.reward, last?.reward, 100),
    compared("chrF", start.chrf, last?.chrf, 1),
    compared("BLEU", start.bleu, last?.bleu, 1),
    ...(start.judge
      ? [compared(`Judge ${start.judge.name}, of 100`, start.judge.mean, last?.judge?.mean, 100)]
      : []),
    {
      label: "Samples drawn",
      value: count(most(({ samplesDrawn }) => samplesDrawn)),
      note: `${count(most(({ rewardCalls }) => rewardCalls))} reward calls`,
    },
    {
      label: "Time",
      value: duration(latest.seconds),
      note: `on ${plural(summary.machine.cores, "core")}`,
    },
  ];
}
