/** The pace of a training that has just begun, and what it tells of the trainings to come. */

import { duration } from "../report/format.js";
import type { PlannedStep } from "./algorithm.js";
import type { Config } from "./config.js";

/** The first steps prepare programs and are slow; so many milliseconds after them tell the pace. */
const TIMED = 10_000;

/**
 * Watches the steps of a training go by, and gives the seconds that one takes, once, when enough have been timed. The
 * clock gives milliseconds.
 */
export function paceOf(clock: () => number = () => performance.now()): (step: number) => number | undefined {
  let first: { step: number; at: number } | undefined;
  let told = false;
  return (step) => {
    const at = clock();
    first ??= { step, at };
    if (told || at - first.at < TIMED || step === first.step) return undefined;
    told = true;
    return (at - first.at) / 1000 / (step - first.step);
  };
}

/** Target positions of an optimizer step, padding included. */
export function tokensAStep(section: { batchTokens: number; accumulate: number }): number {
  return section.batchTokens * section.accumulate;
}

/** How long training will take, all Improve steps included, from the seconds that a step of BC takes; the most it can be. */
export function trainingTime(
  { bc, improve }: Config,
  plan: readonly PlannedStep[],
  { seconds, step }: { seconds: number; step: number },
): string {
  const left = bc.steps - step;
  const times = plan.filter(({ kind }) => kind === "improve").length;
  const later = (times * improve.trainSteps * seconds * tokensAStep(improve)) / tokensAStep(bc);
  const improving = times === 0 ? "" : `, and training in the Improve steps ${duration(later)}`;
  return (
    `BC takes about ${duration(left * seconds)} more for ${left} steps${improving}, if nothing stops early. ` +
    "What else there is to do is timed once BC is trained."
  );
}
