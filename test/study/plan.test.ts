/** The order of a study's runs, and the time that is left. */

import { describe, expect, test } from "vitest";
import { parseConfig, renderConfig } from "../../src/rest/config.js";
import { planRuns, type StudyRun, secondsLeft } from "../../src/study/plan.js";
import { parseStudy } from "../../src/study/study.js";

const text = `base:
  preset: toy
  data: { train: [pairs.tsv] }
  improve: { control: false }
seeds: [3, 1]
arms:
  many: { grow: { samples: 32 } }
  random: { kind: random }
  few: {}
  sampling: { kind: best-of-n }
`;
const study = parseStudy(text, "/study/study.yaml", { madePairs: "" });
const runs = await planRuns(study, "/out");
const named = (seed: number, arm: string): StudyRun =>
  runs.find((run) => run.seed === seed && run.arm.name === arm)!;

test("all arms of the first seed come first, what shows something early before what costs more", () => {
  expect(runs.map(({ seed, arm }) => `${seed} ${arm.name}`)).toEqual([
    "3 sampling",
    "3 few",
    "3 many",
    "3 random",
    "1 sampling",
    "1 few",
    "1 many",
    "1 random",
  ]);
});

test("a run is planned as its file will be read, keys without effect left out: validation has a file, not a size", async () => {
  const files = "data: { train: [pairs.tsv], validation: valid.tsv, test: test.tsv }";
  const given = `base: { preset: demo, ${files} }\nseeds: [1]\narms: { sampling: { kind: best-of-n } }\n`;
  const [run] = await planRuns(parseStudy(given, "/study/study.yaml", { madePairs: "" }), "/out");
  expect(parseConfig(renderConfig(run!.config), "coppice.yaml")).toEqual(run!.config);
  expect(renderConfig(run!.config)).not.toContain("validationSize");
});

test("a run may take steps from those before it with its own seed", () => {
  expect(named(1, "many").donors).toEqual(["/out/runs/seed-1/sampling", "/out/runs/seed-1/few"]);
  expect(named(3, "sampling").donors).toEqual([]);
});

describe("secondsLeft", () => {
  const seconds: Record<string, number> = { prepare: 1, G0I0: 100, "evaluate-G0I0": 10 };
  const sampling = named(3, "sampling");
  const done = [
    {
      run: sampling,
      steps: sampling.steps.map((name) => ({ name, seconds: seconds[name]!, taken: false })),
    },
  ];

  test("is not known while nothing is finished", () => {
    expect(secondsLeft(runs, [])).toBeUndefined();
  });

  test("is what the same steps took for another seed", () => {
    expect(secondsLeft([named(1, "sampling")], done)).toBe(111);
  });

  test("does not count what an earlier run of the seed has done or will do", () => {
    const few = named(3, "few");
    const own = few.steps.filter((name) => !sampling.steps.includes(name));
    expect(own).toEqual(["grow-1", "score-1", "G1I1", "evaluate-G1I1", "G1I2", "evaluate-G1I2"]);
    // Nothing like Grow, scoring and Improve has been measured: the mean of all, 37. Evaluation took 10.
    expect(secondsLeft([few], done)).toBeCloseTo(4 * 37 + 2 * 10, 9);
    // The random arm adds its two Improve steps and one evaluation only.
    expect(secondsLeft([few, named(3, "random")], done)).toBeCloseTo(6 * 37 + 3 * 10, 9);
  });

  test("steps that were taken over say nothing of what they take", () => {
    const taken = done.map(({ run, steps }) => ({
      run,
      steps: steps.map((step) => ({ ...step, taken: true })),
    }));
    expect(secondsLeft([named(1, "sampling")], taken)).toBeUndefined();
  });
});
