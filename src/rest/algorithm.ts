/** Algorithm 1 in terms of a run's steps: the one place that says which step follows which. */

import type { Config } from "./config.js";
import { type Algorithm, rest } from "./loop.js";
import { needsValue } from "./losses/names.js";
import { BC, onlinePolicyName, policyName, stepNames } from "./names.js";
import { retrainsReward } from "./reward-parts.js";
import type { ImproveStep } from "./steps/improve.js";
import { learnsReward } from "./steps/prepare.js";

/** What can be done to a run; each is done once, whoever asks again. */
export interface Steps {
  prepare(): Promise<void>;
  imitate(): Promise<void>;
  teachReward(): Promise<void>;
  retrainReward(policy: string, grow: number): Promise<void>;
  sample(policy: string, grow: number): Promise<void>;
  score(grow: number): Promise<void>;
  teachValue(grow: number): Promise<void>;
  improve(step: ImproveStep): Promise<void>;
  /** PPO or RLOO from BC on, in place of Grow and Improve. */
  trainOnline(policy: string): Promise<void>;
  evaluate(policy: string): Promise<void>;
}

/** Policies are known by name, candidates by their Grow step. */
export function algorithm(config: Config, steps: Steps): Algorithm<string, number> {
  const { trainOnAll, control } = config.improve;
  const improveTo = async (step: ImproveStep): Promise<string> => {
    await steps.improve(step);
    return policyName(step.grow, step.improve, step.control);
  };
  /** ReST goes on from the policy before; its relatives start from BC every time. */
  const startOf = (previous: string): string => (config.improve.from === "base" ? BC : previous);
  /**
   * The control: the last Grow's Improve steps once more with as many candidates chosen at random, so that the gain of
   * selection stands apart from the gain of more self-training.
   */
  const trainControl = async (grow: number): Promise<void> => {
    let from = grow === 1 ? BC : policyName(grow - 1, config.improve.steps);
    for (let improve = trainOnAll ? 0 : 1; improve <= config.improve.steps; improve++)
      from = await improveTo({ grow, improve, from: startOf(from), control: improve > 0 });
    await steps.evaluate(from);
  };
  return {
    growSteps: config.grow.steps,
    improveSteps: config.improve.steps,
    imitate: async () => {
      await steps.prepare();
      await steps.imitate();
      if (learnsReward(config)) await steps.teachReward();
      await steps.evaluate(BC);
      return BC;
    },
    grow: async (policy, grow) => {
      if (grow > 1 && retrainsReward(config)) await steps.retrainReward(policy, grow);
      await steps.sample(policy, grow);
      await steps.score(grow);
      return grow;
    },
    improve: async (policy, grow, _, improve) => {
      let from = policy;
      if (improve === 1 && needsValue(config.improve.loss)) await steps.teachValue(grow);
      if (improve === 1 && trainOnAll) {
        from = await improveTo({ grow, improve: 0, from: startOf(from), control: false });
        await steps.evaluate(from);
      }
      const name = await improveTo({ grow, improve, from: startOf(from), control: false });
      await steps.evaluate(name);
      if (control && grow === config.grow.steps && improve === config.improve.steps) await trainControl(grow);
      return name;
    },
  };
}

/** ReST, or where the configuration asks for it an online method after the same first policy and reward. */
export async function perform(
  config: Config,
  one: Algorithm<string, number>,
  steps: Pick<Steps, "trainOnline" | "evaluate">,
): Promise<string> {
  if (config.method === "rest") return rest(one);
  await one.imitate();
  const name = onlinePolicyName(config.method);
  await steps.trainOnline(name);
  await steps.evaluate(name);
  return name;
}

/** What a single-step command does, and so what a step belongs to. */
export type Phase = "imitate" | "grow" | "score" | "improve" | "online";

export interface PlannedStep {
  /** As the manifest knows it. */
  readonly name: string;
  readonly kind: "prepare" | "bc" | "reward" | "grow" | "score" | "value" | "improve" | "online" | "evaluate";
  readonly phase: Phase;
  /** Steps with the same number are done by one single-step command. */
  readonly unit: number;
}

/** Every step of a run in order, by going through it without doing any. */
export async function plannedSteps(config: Config): Promise<PlannedStep[]> {
  const plan: PlannedStep[] = [];
  let phase: Phase = "imitate";
  let unit = 0;
  const begin = (next: Phase) => {
    phase = next;
    unit++;
  };
  const add = async (kind: PlannedStep["kind"], name: string) => {
    // With trainOnAll the control starts from the policy that the main line has trained already.
    if (!plan.some((step) => step.name === name)) plan.push({ kind, name, phase, unit });
  };
  const steps: Steps = {
    prepare: () => add("prepare", stepNames.prepare),
    imitate: () => add("bc", stepNames.bc),
    teachReward: () => add("reward", stepNames.reward),
    retrainReward: (_, grow) => add("reward", stepNames.retrain(grow)),
    sample: (_, grow) => add("grow", stepNames.grow(grow)),
    score: (grow) => {
      begin("score");
      return add("score", stepNames.score(grow));
    },
    teachValue: (grow) => add("value", stepNames.value(grow)),
    improve: (step) => add("improve", policyName(step.grow, step.improve, step.control)),
    trainOnline: (policy) => {
      begin("online");
      return add("online", policy);
    },
    evaluate: (policy) => add("evaluate", stepNames.evaluate(policy)),
  };
  const one = algorithm(config, steps);
  const begun: typeof one = {
    ...one,
    grow: (...given) => {
      begin("grow");
      return one.grow(...given);
    },
    improve: (...given) => {
      begin("improve");
      return one.improve(...given);
    },
  };
  await perform(config, begun, steps);
  return plan;
}
