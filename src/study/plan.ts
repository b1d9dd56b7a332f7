/** Which runs a study is made of, in which order, and how long those that are left will take. */

import { join } from "node:path";
import { plannedSteps } from "../rest/algorithm.js";
import { type Config, parseConfig, renderConfig } from "../rest/config.js";
import { isOnlinePolicy, parsePolicyName } from "../rest/names.js";
import { sameOutcome } from "../rest/share.js";
import { runFolder } from "../store/run-folder.js";
import { type Arm, configFor, type Study } from "./study.js";

/** One arm with one seed: an ordinary run folder. */
export interface StudyRun {
  readonly arm: Arm;
  readonly seed: number;
  readonly dir: string;
  readonly config: Config;
  /** Runs before it with the same seed, whose steps it may take over. */
  readonly donors: readonly string[];
  /** Names of its steps, in order. */
  readonly steps: readonly string[];
}

/** What shows something first: BC alone, then ReST with the paper's loss, then the rest. */
const RANK: Readonly<Record<Arm["kind"], number>> = { "best-of-n": 0, rest: 1, random: 2, online: 3 };

/** All runs, the first seed's first; of a seed the cheapest first within what shows something early. */
export async function planRuns(study: Study, dir: string): Promise<StudyRun[]> {
  const arms = [...study.arms].sort((a, b) => rank(a) - rank(b) || cost(a.config) - cost(b.config));
  const runs: StudyRun[] = [];
  for (const seed of study.seeds) {
    const donors: string[] = [];
    for (const arm of arms) {
      const folder = join(dir, "runs", `seed-${seed}`, arm.name);
      // As the run's own file will say it: keys without effect there are not in the file.
      const config = parseConfig(
        renderConfig(configFor(arm, seed, { studyFile: study.file, dir: folder })),
        runFolder(folder).config,
      );
      const steps = (await plannedSteps(config)).map(({ name }) => name);
      runs.push({ arm, seed, dir: folder, config, donors: [...donors], steps });
      donors.push(folder);
    }
  }
  return runs;
}

function rank({ kind, config }: Arm): number {
  return kind === "rest" && config.improve.loss !== "bc" ? RANK.random + 0.5 : RANK[kind];
}

/** Target tokens trained on and sampled, roughly: enough to put arms in order. */
function cost({ grow, improve }: Config): number {
  const trained = improve.steps * improve.trainSteps * improve.batchTokens * (improve.control ? 2 : 1);
  return grow.steps * (trained + grow.samples * (grow.maxSources ?? 10_000) * grow.maxTokens);
}

/** A step that was done, with what it took; `taken` where another run had done it. */
export interface TimedStep {
  name: string;
  seconds: number;
  taken: boolean;
}

/**
 * Seconds that the runs of `left` will take, from the steps of finished ones: as long as the same step took on average,
 * or else one of its kind. A step that an earlier run of the same seed will have done costs nothing. Undefined while
 * nothing is finished.
 *
 * @param done finished runs, each with its steps
 */
export function secondsLeft(
  left: readonly StudyRun[],
  done: readonly { run: StudyRun; steps: readonly TimedStep[] }[],
): number | undefined {
  const own = done.flatMap(({ steps }) => steps.filter(({ taken }) => !taken));
  if (own.length === 0) return undefined;
  const expected = (name: string): number => {
    const same = own.filter((step) => step.name === name);
    const alike = own.filter((step) => kindOf(step.name) === kindOf(name));
    return mean((same.length > 0 ? same : alike.length > 0 ? alike : own).map(({ seconds }) => seconds));
  };
  const before: StudyRun[] = done.map(({ run }) => run);
  let total = 0;
  for (const run of left) {
    for (const name of run.steps) {
      const shared = before.some(
        (other) => other.steps.includes(name) && sameOutcome(name, other.config, run.config),
      );
      if (!shared) total += expected(name);
    }
    before.push(run);
  }
  return total;
}

/** `evaluate-G1I2` → evaluate, `G1I2-random` → improve, `grow-1` → grow. */
function kindOf(step: string): string {
  if (isOnlinePolicy(step)) return "online";
  const place = parsePolicyName(step);
  if (place) return place.grow === 0 ? "bc" : "improve";
  return step.split("-")[0]!;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
