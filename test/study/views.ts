/** Studies made by hand: arms, policies and figures, so that a test says what the numbers are. */

import { type ConfigInput, resolveConfig } from "../../src/rest/config.js";
import type { Measured } from "../../src/study/intervals.js";
import type { ArmKind } from "../../src/study/schema.js";
import type { Arm } from "../../src/study/study.js";
import type { ArmView, PolicyView, StudyView } from "../../src/study/view.js";

export function arm(name: string, kind: ArmKind = "rest", over: ConfigInput = {}): Arm {
  const config = resolveConfig({ data: { train: ["pairs.tsv"] }, reward: { kind: "places" }, ...over });
  return { name, kind, config, ...(kind === "online" ? { algorithm: "ppo" } : {}) };
}

/** One value a seed, from seed 1 on; with one seed, the same value for each of 20 sources. */
export function figures(values: readonly number[]): Measured[] {
  return values.map((value, at) => ({
    seed: at + 1,
    value,
    rows: () => Array.from({ length: 20 }, () => [value, 1]),
    metric: ([sum, count]) => sum! / count!,
  }));
}

export interface Given {
  /** In points of 100, one a seed. */
  reward: number[];
  bleu?: number[];
  chrf?: number[];
  /** What the judge bleurt says, in points of 100. */
  judge?: number[];
  samples?: number;
  /** By N, in points of 100, one a seed. */
  bestOfN?: Record<number, number[]>;
}

/** `policy` as in a run folder: `G0I0`, `G1I2`, `G1I2-random`, `PPO`. */
export function policy(of: Arm, name: string, given: Given): PolicyView {
  const [, grow, improve] = /^G(\d)I(\d)/.exec(name) ?? [];
  const hundredth = (values: readonly number[]) => values.map((value) => value / 100);
  const zeros = given.reward.map(() => 0);
  return {
    arm: of,
    name: name === "G0I0" ? "BC" : `${of.name} ${name}`,
    policy: name,
    grow: Number(grow ?? 0),
    improve: Number(improve ?? 0),
    control: name.endsWith("-random"),
    reward: figures(hundredth(given.reward)),
    bleu: figures(given.bleu ?? zeros),
    chrf: figures(given.chrf ?? zeros),
    ...(given.judge && { judge: { name: "bleurt", mean: figures(hundredth(given.judge)) } }),
    klFromBc: 0,
    samplesDrawn: given.samples ?? 0,
    rewardCalls: 0,
    bestOfN: Object.entries(given.bestOfN ?? {}).map(([n, values]) => ({
      n: Number(n),
      reward: figures(hundredth(values)),
      chrf: 0,
    })),
  };
}

/** An arm with its policies by name. */
export function armView(of: Arm, given: Record<string, Given>): ArmView {
  const policies = Object.entries(given).map(([name, one]) => policy(of, name, one));
  const controls = policies.filter(({ control }) => control);
  const trained = policies.filter((one) => one.policy !== "G0I0" && !one.control);
  return {
    arm: of,
    bc: policies.find((one) => one.policy === "G0I0")!,
    controls,
    steps: of.kind === "random" ? controls : trained,
  };
}

export function study(...arms: ArmView[]): StudyView {
  return {
    study: { file: "study.yaml", seeds: [1, 2], arms: arms.map((one) => one.arm), made: undefined },
    arms,
    runs: { all: arms.length, finished: arms.length },
  };
}
