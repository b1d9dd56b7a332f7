/** `/api/reward`: what the reward overlooks, how it agrees with its target, where it parts from other judges. */

import { Hono } from "hono";
import { z } from "zod";
import { kendall, spearman } from "../../evaluate/correlation.js";
import { BOUNDS } from "../../report/verdict.js";
import { BC, stepNames } from "../../rest/names.js";
import { readConfig } from "../../rest/run.js";
import { loadFacts, type RewardFacts } from "../../reward/learned/facts.js";
import { DAMAGE_WORDS } from "../../reward/probe.js";
import type { Manifest } from "../../store/manifest.js";
import { runFolder } from "../../store/run-folder.js";
import { disagreements, rewardBands } from "../disagreement.js";
import { type Evaluated, EvaluatedRuns, openManifest } from "../evaluated-run.js";
import { type EvaluatedPolicy, fileInside } from "../evaluation-files.js";
import { missing } from "../missing.js";
import { readQuery } from "../query.js";
import type { RatedTranslation } from "../rated-translations.js";
import type { Route } from "../site.js";
import type { DisagreementsView, Judge, LearnedView, RewardView } from "../views.js";

/** Translations shown at each end. */
const SHOWN = 15;
/** Points of the chart; of more, every so many-th. */
const MOST_POINTS = 1500;
const BANDS = 10;

const Query = z.object({
  policy: z.string().optional(),
  judge: z.enum(["chrf", "model", "people"]).default("chrf"),
});

/** @param readRatings the rated translations of the run in a folder; none where nobody has rated yet */
export function rewardRoute(readRatings: (dir: string) => Promise<RatedTranslation[]>): Route {
  return (site) => {
    const runs = new EvaluatedRuns();
    const app = new Hono();

    app.get("/api/reward", async (context) => {
      const { root, resolvedConfig } = await site.run(context);
      const manifest = await openManifest(root);
      const config = await readConfig(resolvedConfig);
      const { policies } = await runs.read(root);
      const facts = manifest.isDone(stepNames.reward) ? await learnedFacts(root) : undefined;
      const probe = probed(manifest);
      return context.json<RewardView>({
        kind: config.reward.kind,
        ...(facts && { learned: learnedView(facts) }),
        ...(probe && { probe }),
        weakBelow: BOUNDS.noticed,
        retrained: retrained(manifest),
        policies: policies.map(({ name, control }) => ({ name, control })),
        judge: keptJudge(policies),
        rated: (await readRatings(root)).length,
      });
    });

    app.get("/api/reward/disagreements", async (context) => {
      const { policy, judge } = readQuery(context, Query);
      const { root } = await site.run(context);
      const judged =
        judge === "people"
          ? (await readRatings(root)).map(({ rating, ...rest }) => ({ ...rest, judge: rating }))
          : await byEvaluation(await runs.read(root), policy, judge);
      const own = judged.filter((one) => policy === undefined || one.policy === policy);
      if (own.length === 0)
        throw missing(
          judge === "people"
            ? "Nobody has rated translations of this policy. Rate some with coppice rate."
            : "No policy of this run has been evaluated yet.",
        );
      return context.json<DisagreementsView>(disagreementsView(own, judge));
    });

    return app;
  };
}

type Judged = Omit<RatedTranslation, "rating"> & { judge: number };

/** The policy of that name, or the last that is no control. */
async function byEvaluation(
  evaluated: Evaluated,
  name: string | undefined,
  judge: "chrf" | "model",
): Promise<Judged[]> {
  const policy: EvaluatedPolicy | undefined =
    name === undefined ? evaluated.policies.findLast(({ control }) => !control) : evaluated.policy(name);
  if (!policy) throw missing("No policy of that name has been evaluated. Choose one from the list.");
  if (judge === "model" && keptJudge([policy]) === null)
    throw missing("No judge has scored this policy's translations. Choose chrF.");
  const chrf = judge === "chrf" ? await evaluated.allChrf(policy) : undefined;
  return evaluated.pairs.map(({ source, target }, at) => {
    const { text, reward, judge: score = Number.NaN } = policy.translations[at]!;
    return { policy: policy.name, source, reference: target, text, reward, judge: chrf?.[at] ?? 100 * score };
  });
}

/** The judge's name where its scores of all translations were kept. */
function keptJudge(policies: readonly EvaluatedPolicy[]): string | null {
  const kept = policies.every(({ translations }) => translations.every(({ judge }) => judge !== undefined));
  return (kept && policies[0]?.summary.judge?.name) || null;
}

function disagreementsView(judged: readonly Judged[], judge: Judge): DisagreementsView {
  const rewards = judged.map(({ reward }) => reward);
  const judgements = judged.map((one) => one.judge);
  const gaps = disagreements(rewards, judgements);
  const show = ({ index, gap }: (typeof gaps)[number]) => ({ ...judged[index]!, gap });
  const every = Math.ceil(judged.length / MOST_POINTS);
  const names = new Set(judged.map(({ policy }) => policy));
  return {
    policy: names.size === 1 ? judged[0]!.policy : "",
    judge,
    translations: judged.length,
    spearman: spearman(rewards, judgements),
    kendall: kendall(rewards, judgements),
    bands: rewardBands(rewards, judgements, BANDS),
    points: judged.filter((_, at) => at % every === 0).map((one) => [one.reward, one.judge]),
    overrated: gaps
      .slice(0, SHOWN)
      .filter(({ gap }) => gap > 0)
      .map(show),
    underrated: gaps
      .slice(-SHOWN)
      .filter(({ gap }) => gap < 0)
      .reverse()
      .map(show),
  };
}

async function learnedFacts(dir: string): Promise<RewardFacts | undefined> {
  return (await fileInside(dir, "reward/reward.json")) ? loadFacts(runFolder(dir).reward) : undefined;
}

function learnedView(facts: RewardFacts): LearnedView {
  const { chrf, bleu } = facts.target;
  const row = (on: string, { overall, pairwiseAccuracy, pairs }: RewardFacts["agreement"]["samples"]) => ({
    on,
    ...overall,
    pairwiseAccuracy,
    pairs,
  });
  return {
    target: [...(chrf > 0 ? ["chrF"] : []), ...(bleu > 0 ? ["BLEU"] : [])].join(" and "),
    calibration: facts.calibration.raw.map((raw, at) => ({ raw, reward: facts.calibration.reward[at]! })),
    agreement: [
      row("samples of the first policy", facts.agreement.samples),
      row("references and damaged references", facts.agreement.damage),
      row("for comparison: the policy's own log-probability of those samples", facts.agreement.policyLogProb),
    ],
    meanReward: facts.meanReward,
    probe: facts.probe.map(({ kind, pairs, noticed, meanLoss }) => ({
      kind,
      damage: DAMAGE_WORDS[kind],
      pairs,
      noticed,
      meanLoss,
    })),
  };
}

const Probe = z.object({
  probe: z.array(z.object({ kind: z.string(), damage: z.string(), pairs: z.number(), noticed: z.number() })),
});

/** What the first policy's evaluation found out about the reward; older runs lack it. */
function probed(manifest: Manifest): RewardView["probe"] {
  return Probe.safeParse(manifest.step(stepNames.evaluate(BC))?.result).data?.probe;
}

const Retrained = z.object({
  kendall: z.number(),
  spearman: z.number(),
  pairwiseAccuracy: z.number(),
  pairs: z.number(),
});

function retrained(manifest: Manifest): RewardView["retrained"] {
  return manifest.steps.flatMap(({ name, result }) => {
    const grow = /^reward-(\d+)$/.exec(name)?.[1];
    const figures = Retrained.safeParse(result).data;
    return grow === undefined || !figures ? [] : [{ grow: Number(grow), ...figures }];
  });
}
