/** One step of a run at a time: `coppice train-reward`, `grow`, `score` and `improve`. */

import { UserError } from "../errors.js";
import type { FinishedStep } from "../store/manifest.js";
import { algorithm, type Phase, type PlannedStep, perform, plannedSteps, type Steps } from "./algorithm.js";
import type { RunContext } from "./context.js";
import { policyName, stepNames } from "./names.js";
import { type RunOptions, stepsOf, withRun } from "./run.js";
import { learnsReward } from "./steps/prepare.js";
import { writeSummary } from "./steps/summarise.js";

export type SingleCommand = "train-reward" | "grow" | "score" | "improve";

export interface SingleResult {
  done: FinishedStep[];
  /** The step that is due next and the command that does it; null at the end of the run, when the report is written. */
  next: { step: string; command: SingleCommand } | null;
}

/**
 * Does what is due, if it is what `command` does; evaluation and the control belong to the Improve step they follow.
 * The first policy is trained by `train-reward`, or by the first `grow` where no reward is learned.
 *
 * @throws UserError that names the step that is due where it is another one.
 */
export async function runSingle(command: SingleCommand, options: RunOptions): Promise<SingleResult> {
  return withRun(options, async (run) => {
    if (run.config.method !== "rest")
      throw new UserError(
        `method ${run.config.method} trains in one step and has none of its own for coppice ${command}. ` +
          `Do it with: coppice run ${options.dir}`,
        { file: run.folder.config },
      );
    const plan = await plannedSteps(run.config);
    const due = nextStep(run, plan);
    if (command === "train-reward" && !learnsReward(run.config))
      throw new UserError(
        `reward.kind is ${run.config.reward.kind}, which is not learned, so there is nothing to train` +
          (due ? `. Due is ${due.name}: coppice ${commandOf(run, due.phase)} ${options.dir}` : "."),
        { file: run.folder.config },
      );
    if (!due)
      throw new UserError("every step of this run is done. Its figures: coppice status.", {
        file: options.dir,
      });
    if (commandOf(run, due.phase) !== command)
      throw new UserError(
        `the step that is due is ${due.name}. Do it with: coppice ${commandOf(run, due.phase)} ${options.dir}`,
        { file: options.dir },
      );
    const chosen = plan.filter(
      ({ unit, phase }) => unit === due.unit || (due.phase === "imitate" && phase === command && unit === 1),
    );
    const names = new Set(chosen.map(({ name }) => name).filter((name) => !run.manifest.isDone(name)));
    const steps = only(names, stepsOf(run));
    await perform(run.config, algorithm(run.config, steps), steps);
    const next = nextStep(run, plan);
    if (!next) await writeSummary(run);
    return {
      done: run.manifest.steps.filter(({ name }) => names.has(name)),
      next: next ? { step: next.name, command: commandOf(run, next.phase) } : null,
    };
  });
}

/** Undefined where every step is done. */
export function nextStep(run: RunContext, plan: readonly PlannedStep[]): PlannedStep | undefined {
  return plan.find(({ name }) => !run.manifest.isDone(name));
}

function commandOf({ config }: RunContext, phase: Phase): SingleCommand {
  if (phase === "online") throw new Error("an online method has no single steps");
  if (phase !== "imitate") return phase;
  return learnsReward(config) ? "train-reward" : "grow";
}

/** The same steps, those not in `names` passed over. */
export function only(names: ReadonlySet<string>, steps: Steps): Steps {
  const pass = async (name: string, step: () => Promise<void>) => {
    if (names.has(name)) await step();
  };
  return {
    prepare: () => pass(stepNames.prepare, steps.prepare),
    imitate: () => pass(stepNames.bc, steps.imitate),
    teachReward: () => pass(stepNames.reward, steps.teachReward),
    retrainReward: (policy, grow) => pass(stepNames.retrain(grow), () => steps.retrainReward(policy, grow)),
    sample: (policy, grow) => pass(stepNames.grow(grow), () => steps.sample(policy, grow)),
    score: (grow) => pass(stepNames.score(grow), () => steps.score(grow)),
    teachValue: (grow) => pass(stepNames.value(grow), () => steps.teachValue(grow)),
    improve: (step) => pass(policyName(step.grow, step.improve, step.control), () => steps.improve(step)),
    trainOnline: (policy) => pass(policy, () => steps.trainOnline(policy)),
    evaluate: (policy) => pass(stepNames.evaluate(policy), () => steps.evaluate(policy)),
  };
}
