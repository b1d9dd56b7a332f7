/** @jsxRuntime automatic @jsxImportSource preact */

/** How the policies were made and how far each went: one section a table, with its charts. */

import type { RunSummary } from "../../store/summary.js";
import { ReportTable } from "../components/report-table.js";
import { Section } from "../components/section.js";
import { judgeName } from "../figures.js";
import { metricName } from "../gains.js";
import { bestOfNTable, curveTable, gainTable, improveTable, onlineTable } from "../tables.js";
import { type Drawings, Figures } from "./figures.js";

interface Props {
  summary: RunSummary;
  drawings: Drawings;
}

export function Improves({ summary, drawings }: Props) {
  if (summary.improves.length === 0) return null;
  return (
    <Section title="Improve steps">
      <p class="faint">
        Each step keeps the candidates above a higher threshold and trains on them. A filter that keeps few
        sources trains on easy sentences only.
      </p>
      <Figures drawings={drawings} columns={[["kept-by-improve-step"]]} />
      <ReportTable table={improveTable(summary)} />
    </Section>
  );
}

export function Online({ summary }: { summary: RunSummary }) {
  if (!summary.online) return null;
  return (
    <Section title="Online training">
      <p class="faint">
        Each batch is sampled from the policy as it is then, scored, and trained on once or a few times.
        Samples and reward calls are those drawn so far.
      </p>
      <ReportTable table={onlineTable(summary)} />
    </Section>
  );
}

export function BestOfN({ summary, drawings }: Props) {
  if (summary.bestOfN.length === 0) return null;
  return (
    <Section title="Best of N">
      <p class="faint">
        Draw N translations, keep the one with the highest reward: what sampling alone could reach, without
        training. If reward rises with N and chrF falls, the reward is being fooled.
      </p>
      <Figures drawings={drawings} columns={[["best-of-n-reward"], ["best-of-n-chrf"]]} />
      <ReportTable table={bestOfNTable(summary)} />
    </Section>
  );
}

export function Distance({ summary, drawings }: Props) {
  const { metric } = summary.heldOut;
  const names = ["reward-against-kl", `${metric}-against-kl`, "judge-against-kl"];
  if (!names.some((name) => drawings.has(name))) return null;
  return (
    <Section title="How far from BC">
      <p class="faint">
        A policy that moves far from BC for little reward, or whose {metricName(metric)}
        {judgeName(summary) === undefined ? "" : " or judge"} falls as it moves, is over-optimised. Dashed:
        curves fitted to the policies and to the best of N of BC's samples; where one turns down, more of the
        same costs more than it brings.
      </p>
      <Figures drawings={drawings} columns={names.map((name) => [name])} />
      <ReportTable table={curveTable(summary)} />
      <details>
        <summary>Points of the curves</summary>
        <ReportTable table={gainTable(summary)} />
      </details>
    </Section>
  );
}
