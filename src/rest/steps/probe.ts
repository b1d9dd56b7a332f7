/** The probe in small: what the run's reward is blind to, found out before anything is selected by it. */

import { PROBE_KINDS } from "../../reward/damage.js";
import { blindSpots, blindSpotWords, DAMAGE_WORDS, probeReward } from "../../reward/probe.js";
import type { Reward } from "../../reward/reward.js";
import type { ProbeSummary } from "../../store/summary.js";
import { deriveKey } from "../../tensor/random.js";
import type { RunContext } from "../context.js";
import { streams } from "../names.js";
import { loadPrepared } from "./prepare.js";

/** Validation pairs that the run probes its reward with. */
const PROBED_PAIRS = 40;

/** Probes the reward on validation pairs and says in one note what it overlooks. Kinds that fit no pair are left out. */
export async function probeInSmall(run: RunContext, reward: Reward): Promise<ProbeSummary[]> {
  const { validation } = await loadPrepared(run);
  const rows = await probeReward(
    reward,
    validation.slice(0, PROBED_PAIRS),
    deriveKey(run.config.seed, streams.probe),
    { kinds: PROBE_KINDS },
  );
  const tried = rows.filter(({ pairs }) => pairs > 0);
  const blind = blindSpots(tried);
  run.reporter.note(
    blind.length === 0
      ? `Reward probe: all ${tried.length} kinds of damage lower the reward.`
      : `Reward probe: the reward often misses ${blindSpotWords(tried)} (how often it falls in brackets). ` +
          `See the cases with: coppice reward probe ${run.folder.root}`,
  );
  return tried.map(({ kind, pairs, noticed }) => ({ kind, damage: DAMAGE_WORDS[kind], pairs, noticed }));
}
