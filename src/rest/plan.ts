/** What each threshold would keep of the newest scored Grow step: a look before an Improve step is paid for. */

import { UserError } from "../errors.js";
import { CandidateStore, numberIn } from "../store/candidate-store.js";
import { Manifest } from "../store/manifest.js";
import { runFolder } from "../store/run-folder.js";
import { selectCandidates } from "../store/select.js";
import type { Config } from "./config.js";
import { crossIssues } from "./config-rules.js";
import { pathText } from "./config-words.js";
import { readConfig } from "./run.js";
import { ruleOf, selectSpec } from "./steps/improve.js";

/** What one threshold would keep. */
export interface PlannedThreshold {
  /** As a reader would say it. */
  threshold: string;
  kept: number;
  /** Share of all candidates. */
  share: number;
  sourcesKept: number;
  /** Mean reward of the kept, in [0, 1], and their mean length in characters; null where nothing is kept. */
  meanReward: number | null;
  meanCharacters: number | null;
}

export interface ImprovePlan {
  grow: number;
  candidates: number;
  sources: number;
  /** E_{D_g}[R], which the paper's first threshold lies above. */
  meanReward: number;
  maxReward: number;
  thresholds: PlannedThreshold[];
}

export type Thresholds = Config["improve"]["thresholds"];

/**
 * Tries the thresholds of `coppice.yaml`, or others, with its filters; changes nothing, and another process may work in
 * the folder. @throws UserError where no Grow step is scored yet.
 */
export async function planImprove(dir: string, others?: Thresholds): Promise<ImprovePlan> {
  const folder = runFolder(dir);
  const config = await readConfig(folder.config);
  const manifest = await Manifest.read(dir);
  const scored = (manifest?.steps ?? []).flatMap(({ name }) => /^score-(\d+)$/.exec(name)?.[1] ?? []);
  const grow = Number(scored.at(-1));
  if (!manifest || scored.length === 0)
    throw new UserError(`no Grow step is scored yet. Come to one with coppice run ${dir}`, { file: dir });
  const improve = others
    ? { ...config.improve, thresholds: others, steps: others.values.length }
    : config.improve;
  const [issue] = crossIssues({ ...config, improve });
  if (issue) throw new UserError(`${pathText(issue.path)} ${issue.message}`);
  const store = await CandidateStore.open(folder.grow(grow), { runId: manifest.runId });
  try {
    const thresholds: PlannedThreshold[] = [];
    const stats = await store.stats({ human: improve.human !== "none" });
    for (const step of improve.thresholds.values.keys()) {
      const spec = { ...selectSpec(improve, ruleOf(improve, step + 1)), minimum: 0 };
      const selection = await selectCandidates(store, spec, { seed: config.seed });
      const [lengths] = await store.query(
        `SELECT avg(length(trim(text))) AS mean FROM (${selection.rowsSql})`,
      );
      const { threshold, kept, keptShare, sourcesKept, meanRewardKept } = selection;
      thresholds.push({
        threshold,
        kept,
        share: keptShare,
        sourcesKept,
        meanReward: kept === 0 ? null : meanRewardKept,
        meanCharacters: kept === 0 ? null : numberIn(lengths, "mean"),
      });
    }
    const { candidates, sources, meanReward, maxReward } = stats;
    return { grow, candidates, sources, meanReward, maxReward, thresholds };
  } finally {
    store.close();
  }
}
