/** Drives a training that has begun in the worker: evaluates it now and then, keeps the best weights, goes on after a kill. */

import { Interrupted } from "../errors.js";
import { exists } from "../exists.js";
import { writeAside } from "../store/atomic.js";
import type { Remote } from "../tensor/thread.js";
import type { TrainOptions, TrainResult } from "./policy.js";
import type { Loaded, TrainingProgress } from "./training.js";
import type { StepsDone } from "./training-session.js";

export type TrainLoopOptions = Pick<
  TrainOptions,
  | "steps"
  | "evaluate"
  | "evaluateStart"
  | "evaluateEvery"
  | "patience"
  | "stateFile"
  | "onProgress"
  | "onNote"
  | "signal"
>;

interface Kept {
  result: TrainResult;
  waited: number;
}

/** What is said of a state that cannot be gone on from: it saves time and nothing else, so nobody need be stopped by it. */
export function damagedState(stateFile: string): string {
  return `${stateFile}: this training state is damaged, so its training starts again from the beginning.`;
}

/** Leaves the remote with its best weights. @throws Interrupted when `signal` asks for the stop. */
export async function trainLoop(remote: Remote, options: TrainLoopOptions): Promise<TrainResult> {
  const { evaluate, evaluateStart, evaluateEvery, patience, stateFile, onProgress, onNote, signal } = options;
  const result: TrainResult = { steps: 0, bestStep: 0, tokens: 0, evaluations: [] };
  let waited = 0;
  if (stateFile && (await exists(stateFile))) {
    const loaded = (await remote.call("loadTraining", stateFile)) as Loaded | undefined;
    if (loaded) {
      // What `saveTraining` below was given.
      const kept = loaded.extra as Kept;
      Object.assign(result, kept.result);
      waited = kept.waited;
    } else onNote?.(damagedState(stateFile));
  }
  const refused = () => result.evaluations.at(-1)?.refused === true;
  /** Evaluates the weights as they are now, after which a kill loses nothing. */
  const look = async (loss: number) => {
    const found = await evaluate?.(result.steps);
    const { score, ...more } = typeof found === "object" ? found : { score: found };
    if (signal?.aborted) throw new Interrupted();
    result.evaluations.push({
      step: result.steps,
      loss,
      ...(score === undefined ? {} : { score }),
      ...more,
    });
    if (refused()) waited++;
    else if (score === undefined || result.bestScore === undefined || score > result.bestScore) {
      if (score !== undefined) result.bestScore = score;
      result.bestStep = result.steps;
      waited = 0;
      await remote.call("keepBest", undefined);
    } else waited++;
    if (stateFile)
      await writeAside(stateFile, async (path) => {
        await remote.call("saveTraining", { path, extra: { result, waited } });
      });
  };
  if (evaluateStart && result.evaluations.length === 0) await look(Number.NaN);
  while (result.steps < options.steps && waited < patience && !refused()) {
    const done = (await remote.call("trainSteps", evaluateEvery - (result.steps % evaluateEvery), {
      onProgress: (data) => onProgress?.(data as TrainingProgress),
      ...(signal ? { signal } : {}),
    })) as StepsDone;
    if (done.stopped) throw new Interrupted();
    result.steps = done.step;
    result.tokens = done.tokens;
    await look(done.loss);
  }
  await remote.call("endTraining", undefined);
  return result;
}
