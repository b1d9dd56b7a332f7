/** The probe in small: what the run's reward is blind to, found out before anything is selected by it. */

import { CalibratedReward } from "../../reward/calibrated.js";
import { PROBE_KINDS } from "../../reward/damage.js";
import { EnsembleReward } from "../../reward/ensemble.js";
import { PenalisedReward } from "../../reward/penalty.js";
import { blindSpots, blindSpotWords, DAMAGE_WORDS, probeReward } from "../../reward/probe.js";
import type { Reward, RewardInput } from "../../reward/reward.js";
import type { ProbeSummary } from "../../store/summary.js";
import { deriveKey } from "../../tensor/random.js";
import type { RunContext } from "../context.js";
import { BC, streams } from "../names.js";
import { loadPrepared } from "./prepare.js";

/** Validation pairs that the run probes its reward with. */
const PROBED_PAIRS = 40;

/** Validation sources, and samples of each by the first policy, on which the parts of an ensemble are compared. */
const SCALE_SOURCES = 64;
const SCALE_SAMPLES = 4;

/**
 * Compares the scales of an ensemble's parts on the first policy's samples; other rewards pass.
 * @throws UserError where one part would decide alone.
 */
export async function checkEnsemble(run: RunContext, reward: Reward): Promise<void> {
  const unpenalised = reward instanceof PenalisedReward ? reward.raw : reward;
  const ensemble = unpenalised instanceof CalibratedReward ? unpenalised.raw : unpenalised;
  if (!(ensemble instanceof EnsembleReward)) return;
  const pairs = (await loadPrepared(run)).validation.slice(0, SCALE_SOURCES);
  const policy = await run.policy(BC);
  const inputs: RewardInput[] = [];
  for await (const batch of policy.sample(
    pairs.map(({ source }, sourceId) => ({ sourceId, text: source })),
    {
      n: SCALE_SAMPLES,
      temperature: run.config.evaluate.temperature,
      maxTokens: run.config.grow.maxTokens,
      seed: run.seed(streams.probe),
      grow: 0,
      ...(run.signal ? { signal: run.signal } : {}),
    },
  ))
    for (const { sourceId, text } of batch) {
      const { source, target } = pairs[sourceId]!;
      inputs.push({ source, candidate: text, reference: target });
    }
  await ensemble.compareScales(inputs);
}

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
