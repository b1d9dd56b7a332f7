/** The figures of a run for comparing it with others: finished or not, as far as it has been evaluated. */

import { gainAt } from "../evaluate/over-optimisation.js";
import { decimal, signed } from "../report/format.js";
import { type GainSeries, gainSeries, peakOf } from "../report/gains.js";
import { type GamedRun, gamingByPolicy } from "../report/verdict.js";
import type { Config } from "../rest/config.js";
import { heldOutMetric } from "../rest/held-out.js";
import { isOnlinePolicy } from "../rest/names.js";
import { readConfig } from "../rest/run.js";
import { costs } from "../rest/steps/summarise.js";
import type { Manifest } from "../store/manifest.js";
import type { OnlineSummary, RunSummary } from "../store/summary.js";
import { readSummaryFile } from "../store/summary-file.js";
import { openManifest } from "./evaluated-run.js";
import { evaluationSteps, readEvaluation } from "./evaluation-files.js";
import type { NamedRun } from "./site.js";
import type { ComparedRun, GainLine } from "./views.js";

/** Stretches that a fitted curve is drawn in. */
const CURVE = 40;

export interface RunResults {
  run: ComparedRun;
  config: Config;
}

/** Throws a UserError where the run has not begun, or a file of it is not as Coppice writes it. */
export async function readResults({ name, root, resolvedConfig, summary }: NamedRun): Promise<RunResults> {
  const manifest = await openManifest(root);
  const config = await readConfig(resolvedConfig);
  const evaluations = await Promise.all(
    evaluationSteps(manifest).map(({ policy }) => readEvaluation(root, policy)),
  );
  const policies = evaluations.map(({ name: policy, grow, improve, control, summary: measured }) => {
    const { samplesDrawn, rewardCalls, seconds } = costs(
      { manifest },
      { name: policy, grow, improve, control },
    );
    return { name: policy, grow, improve, control, ...measured, samplesDrawn, rewardCalls, seconds };
  });
  const bestOfN = evaluations.flatMap(({ name: policy, bestOfN: points }) =>
    points.map((point) => ({ policy, ...point })),
  );
  const heldOut = heldOutMetric(config);
  const differences = await writtenDifferences(summary);
  return {
    config,
    run: {
      name,
      seed: manifest.seed,
      heldOut: { metric: heldOut.metric, why: heldOut.why },
      policies,
      looks: looks(manifest),
      bestOfN,
      gains: gainSeries({ policies, bestOfN, heldOut }).map(gainLine),
      warnings: gamingByPolicy({ policies, heldOut, ...differences }),
    },
  };
}

/** Where a policy's reward is above the first one's while the judge or metrics are below, in plain words. */
export async function warningsOf(
  { resolvedConfig, summary }: NamedRun,
  policies: GamedRun["policies"],
): Promise<{ policy: string; text: string }[]> {
  const heldOut = heldOutMetric(await readConfig(resolvedConfig));
  return gamingByPolicy({ policies, heldOut, ...(await writtenDifferences(summary)) });
}

/** Of the finished run: they tell more than intervals that overlap. A summary that cannot be read has its sentence elsewhere. */
async function writtenDifferences(summary: string): Promise<Pick<RunSummary, "differences">> {
  const { differences } = (await readSummaryFile(summary).catch(() => undefined)) ?? {};
  return differences ? { differences } : {};
}

function looks(manifest: Manifest): ComparedRun["looks"] {
  return manifest.steps
    .filter(({ name }) => isOnlinePolicy(name))
    .flatMap(({ name, result }) =>
      // Written by the online training of that name.
      (result as unknown as OnlineSummary).looks.map(({ samplesDrawn, reward }) => ({
        policy: name,
        samplesDrawn,
        reward,
      })),
    );
}

function gainLine({ figure, form, points, fit }: GainSeries): GainLine {
  const furthest = Math.max(...points.map(({ distance }) => distance));
  return {
    figure,
    along: form === "rl" ? "policies" : "best of N",
    points: points.map(({ name, distance, gain }) => ({ name, distance, gain })),
    curve:
      "undecided" in fit
        ? []
        : Array.from({ length: CURVE + 1 }, (_, i) => {
            const distance = (furthest * i) / CURVE;
            return { distance, gain: gainAt(fit.curve, distance) };
          }),
    words: peakWords(fit),
  };
}

function peakWords(fit: GainSeries["fit"]): string {
  const found = peakOf(fit);
  if ("undecided" in found) return `no peak: ${found.undecided}`;
  const { peak, reached } = found;
  return `highest at √KL ${decimal(peak.distance, 2)} (${signed(peak.gain)})${reached ? "" : ", further than the points go"}`;
}
