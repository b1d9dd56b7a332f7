/** The training loop of the learned reward: looks at the validation part, keeps the best weights, goes on after a kill. */

import { stat } from "node:fs/promises";
import { Interrupted } from "../../errors.js";
import type { Group } from "../../policy/batches.js";
import { packGroups } from "../../policy/packed.js";
import { damagedState } from "../../policy/train-loop.js";
import type { Loaded, TrainingProgress } from "../../policy/training.js";
import { writeAside } from "../../store/atomic.js";
import type { Remote } from "../../tensor/thread.js";
import type { Agreement } from "../agreement.js";
import type { TrainRequest } from "./worker.js";

export interface TeachOptions {
  readonly steps: number;
  /** Target positions an update, padding included. */
  readonly batchTokens: number;
  readonly learningRate: number;
  readonly warmupSteps: number;
  readonly dropout: number;
  /** Updates between two looks at the validation part; the training state is kept as often. */
  readonly evaluateEvery: number;
  /** Stop after this many looks without a better one; 0: go through all steps. */
  readonly patience: number;
}

/** Agreement with the target metric on the validation part. */
export interface Validation {
  /** On the policy's samples. */
  readonly samples: Agreement;
  /** On references and their damaged versions. */
  readonly damage: Agreement;
}

export type TeachProgress =
  | ({ readonly phase: "training" } & TrainingProgress)
  | ({ readonly phase: "validation"; readonly step: number } & Validation);

export interface TeachRequest {
  /** The worker's reward, not yet trained. */
  readonly remote: Remote;
  /** A target's weight is its quality. */
  readonly groups: readonly Group[];
  /** Measures the reward as it is now. */
  readonly validate: () => Promise<Validation>;
  readonly stateFile: string;
  readonly options: TeachOptions;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TeachProgress) => void;
  /** One sentence on what a user should know: that a kept state was of no use. */
  readonly onNote?: (sentence: string) => void;
}

/** What training did; part of `reward.json`. */
export interface Taught {
  steps: number;
  bestStep: number;
  evaluations: { step: number; loss: number; score: number }[];
}

/** What the state file holds beside the weights. */
interface Kept {
  taught: Taught;
  waited: number;
}

/** Trains the remote reward and leaves it with its best weights. @throws Interrupted when `signal` asks for the stop. */
export async function teach(request: TeachRequest): Promise<Taught> {
  const { remote, options, stateFile, signal, onProgress, onNote } = request;
  await remote.call("beginTraining", trainRequest(request));
  const resumed = await stat(stateFile).catch(() => undefined);
  const loaded = resumed && ((await remote.call("loadTraining", stateFile)) as Loaded | undefined);
  if (resumed && !loaded) onNote?.(damagedState(stateFile));
  // What `saveTraining` below was given.
  const kept = (loaded?.extra as Kept | undefined) ?? {
    taught: { steps: 0, bestStep: 0, evaluations: [] },
    waited: 0,
  };
  const { taught } = kept;

  /** Looks at the validation part, after which a kill loses nothing. */
  const look = async (loss: number) => {
    const found = await request.validate();
    onProgress?.({ phase: "validation", step: taught.steps, ...found });
    const score = validationScore(found);
    const best = Math.max(...taught.evaluations.map((evaluation) => evaluation.score));
    taught.evaluations.push({ step: taught.steps, loss, score });
    if (score > best) {
      taught.bestStep = taught.steps;
      kept.waited = 0;
      await remote.call("keepBest", undefined);
    } else kept.waited++;
    await writeAside(stateFile, async (path) => {
      await remote.call("saveTraining", { path, extra: kept });
    });
  };

  // The start is looked at too: it ranks as the policy's own confidence does, and training must beat that.
  if (taught.evaluations.length === 0) await look(Number.NaN);
  while (taught.steps < options.steps && (options.patience === 0 || kept.waited < options.patience)) {
    const done = (await remote.call("trainSteps", options.evaluateEvery, {
      onProgress: (data) => onProgress?.({ phase: "training", ...(data as TrainingProgress) }),
      ...(signal ? { signal } : {}),
    })) as { step: number; loss: number; stopped: boolean };
    if (done.stopped) throw new Interrupted();
    taught.steps = done.step;
    await look(done.loss);
  }
  await remote.call("endTraining", undefined);
  return taught;
}

/**
 * One figure to stop by: the mean of Kendall's τ over all samples, which thresholds need, among one source's samples, which
 * choosing needs, and among a reference and its damaged versions, so that the reward cannot be gamed by those damages. A
 * figure that is not defined (all equal) is left out.
 */
function validationScore({ samples, damage }: Validation): number {
  const all = [samples.overall.kendall, samples.withinSource.kendall, damage.withinSource.kendall];
  const defined = all.filter((tau) => !Number.isNaN(tau));
  return defined.reduce((sum, tau) => sum + tau, 0) / Math.max(1, defined.length);
}

function trainRequest({ groups, options, seed }: TeachRequest): TrainRequest {
  const { steps, batchTokens, learningRate, warmupSteps, dropout } = options;
  return {
    groups: packGroups(groups),
    options: {
      steps,
      batchTokens,
      learningRate,
      warmupSteps,
      dropout,
      seed,
      accumulate: 1,
      schedule: "linear",
      labelSmoothing: 0,
      weightDecay: 1e-4,
      clipNorm: 1,
      averageDecay: 0,
    },
  };
}
