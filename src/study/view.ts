/** A study's results by arm and policy, each figure with one value a seed: what tables, figures and verdicts look at. */

import { isOnlinePolicy, stepNames } from "../rest/names.js";
import { sameOutcome } from "../rest/share.js";
import type { Measured } from "./intervals.js";
import type { PolicyResult, RunResult } from "./results.js";
import type { Arm, Study } from "./study.js";

/** One policy of an arm over the seeds that are finished. */
export interface PolicyView {
  arm: Arm;
  /** As the paper names it, with its arm: `BC`, `rest G1I2`. */
  name: string;
  policy: string;
  grow: number;
  improve: number;
  control: boolean;
  reward: Measured[];
  bleu: Measured[];
  chrf: Measured[];
  /** What `evaluate.judge` says, in [0, 1]; absent where not every seed has the same one. */
  judge?: { name: string; mean: Measured[] };
  klFromBc: number;
  samplesDrawn: number;
  rewardCalls: number;
  /** By rising N. */
  bestOfN: { n: number; reward: Measured[]; chrf: number }[];
}

export interface ArmView {
  arm: Arm;
  /** The policy that imitates: BC. */
  bc: PolicyView;
  /** After BC, in the order they were made; of a random arm the controls. */
  steps: PolicyView[];
  /** Policies trained on candidates chosen at random, by the same steps. */
  controls: PolicyView[];
}

export interface StudyView {
  study: Study;
  /** Arms of which at least one run is finished, in the order of the study. */
  arms: ArmView[];
  /** Runs in all, and finished ones. */
  runs: { all: number; finished: number };
}

export function viewOf(study: Study, results: readonly RunResult[], runs: number): StudyView {
  const arms = study.arms.flatMap((arm): ArmView[] => {
    const own = results.filter(({ run }) => run.arm.name === arm.name).flatMap(({ policies }) => policies);
    const policies = [...new Set(own.map(({ policy }) => policy))].map((policy) =>
      policyView(own.filter((one) => one.policy === policy)),
    );
    const bc = policies.find(({ policy }) => policy === stepNames.bc);
    if (bc === undefined) return [];
    const controls = policies.filter(({ control }) => control);
    const trained = policies.filter((one) => one !== bc && !one.control);
    return [{ arm, bc, controls, steps: arm.kind === "random" ? controls : trained }];
  });
  return { study, arms, runs: { all: runs, finished: results.length } };
}

function policyView(figures: readonly PolicyResult[]): PolicyView {
  const [first] = figures;
  const { arm, policy, grow, improve, control } = first!;
  return {
    ...{ arm, policy, grow, improve, control },
    name: nameOf(arm, policy),
    reward: figures.map(({ reward }) => reward),
    bleu: figures.map(({ bleu }) => bleu),
    chrf: figures.map(({ chrf }) => chrf),
    ...judged(figures),
    klFromBc: mean(figures.map(({ klFromBc }) => klFromBc)),
    samplesDrawn: mean(figures.map(({ samplesDrawn }) => samplesDrawn)),
    rewardCalls: mean(figures.map(({ rewardCalls }) => rewardCalls)),
    bestOfN: first!.bestOfN.map(({ n }, at) => ({
      n,
      reward: figures.map(({ bestOfN }) => bestOfN[at]!.reward),
      chrf: mean(figures.map(({ bestOfN }) => bestOfN[at]!.chrf)),
    })),
  };
}

function judged(figures: readonly PolicyResult[]): Pick<PolicyView, "judge"> {
  const judges = figures.flatMap(({ judge }) => judge ?? []);
  const [first] = judges;
  if (!first || judges.length < figures.length || judges.some(({ name }) => name !== first.name)) return {};
  return { judge: { name: first.name, mean: judges.map(({ mean }) => mean) } };
}

/** The judge that all of these policies have; undefined where there is none. */
export function judgeOf(policies: readonly PolicyView[]): string | undefined {
  const [first] = policies;
  return policies.every(({ judge }) => judge?.name === first?.judge?.name) ? first?.judge?.name : undefined;
}

/** The step tells policies of an arm apart, where it has more than one. */
function nameOf(arm: Arm, policy: string): string {
  if (policy === stepNames.bc) return "BC";
  return isOnlinePolicy(policy) ? arm.name : `${arm.name} ${policy.replace(/-random$/, "")}`;
}

/** The arm that stands for ReST as the paper has it: the first with the loss bc. */
export function mainArm({ arms }: StudyView): ArmView | undefined {
  return arms.find(
    ({ arm, steps }) => arm.kind === "rest" && arm.config.improve.loss === "bc" && steps.length > 0,
  );
}

/** BC once for every way in which arms train and evaluate it, under its first arm. */
export function distinctBc({ arms }: StudyView): PolicyView[] {
  const distinct: ArmView[] = [];
  for (const one of arms) if (!distinct.some(({ arm }) => sameBc(arm, one.arm))) distinct.push(one);
  return distinct.map(({ arm, bc }) => (distinct.length > 1 ? { ...bc, name: `BC (${arm.name})` } : bc));
}

/** The same policy on the same terms: one BC for both. */
export function sameBc(one: Arm, other: Arm): boolean {
  return sameOutcome(stepNames.evaluate(stepNames.bc), one.config, other.config);
}

/**
 * The policy made by the same steps from as many candidates chosen at random: of the arm itself, or of a random arm that
 * filters the same Grow in the same way, whatever its loss.
 */
export function randomFor(
  view: StudyView,
  { arm, grow, improve, control }: PolicyView,
): PolicyView | undefined {
  if (control || grow === 0) return undefined;
  const own = view.arms.filter((one) => one.arm === arm);
  const others = view.arms.filter(
    (one) => one.arm.kind === "random" && sameBc(one.arm, arm) && sameFilter(one.arm, arm),
  );
  return [...own, ...others]
    .flatMap(({ controls }) => controls)
    .find((one) => one.grow === grow && one.improve === improve);
}

/** Whether two arms keep equally many of the same candidates at every Improve step, and train equally long on them. */
function sameFilter(one: Arm, other: Arm): boolean {
  const [a, b] = [one, other].map(({ config: { grow, improve } }) => {
    const { thresholds, human, deduplicate, capPerSource, trainOnAll, trainSteps } = improve;
    return JSON.stringify([grow, thresholds, human, deduplicate, capPerSource, trainOnAll, trainSteps]);
  });
  return a === b;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
