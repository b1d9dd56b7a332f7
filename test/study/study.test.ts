/** Study files: what they expand to, and what is wrong with those that are refused. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { configFor, parseStudy } from "../../src/study/study.js";

const read = (text: string) => parseStudy(text, "study.yaml", { madePairs: "/made/pairs.tsv" });

const base = `base:
  preset: toy
  data: { train: [pairs.tsv] }
seeds: [1, 2]
`;

describe("a study", () => {
  test("has its arms in the order of the file, with the keys of base below their own", () => {
    const { arms, seeds } = read(`${base}arms:
  plain:
  more: { grow: { samples: 32 } }
`);
    expect(seeds).toEqual([1, 2]);
    expect(
      arms.map(({ name, kind, config }) => [name, kind, config.grow.samples, config.grow.maxTokens]),
    ).toEqual([
      ["plain", "rest", 8, 16],
      ["more", "rest", 32, 16],
    ]);
  });

  test("makes an arm of every combination of the grid, named by its values", () => {
    const { arms } = read(`${base}grid:
  grow.samples: [4, 8]
  improve.thresholds:
    - { kind: percentile, values: [50] }
    - { kind: percentile, values: [50, 90] }
`);
    expect(
      arms.map(({ name, config: { grow, improve } }) => [
        name,
        grow.samples,
        improve.thresholds.values,
        improve.steps,
      ]),
    ).toEqual([
      ["samples-4-percentile-50", 4, [50], 1],
      ["samples-4-percentile-50-90", 4, [50, 90], 2],
      ["samples-8-percentile-50", 8, [50], 1],
      ["samples-8-percentile-50-90", 8, [50, 90], 2],
    ]);
  });

  test("lays an arm's preset over base, and the arm's own keys over the preset", () => {
    const { arms } = read(
      "base: { preset: demo, data: demo, grow: { samples: 6 }, improve: { thresholds: { kind: percentile, values: [50, 75] } } }\n" +
        "seeds: [1]\narms:\n  raft: { preset: raft, grow: { samples: 4 } }\n",
    );
    expect(arms[0]!.config).toMatchObject({
      model: { vocabulary: 3000 },
      grow: { steps: 4, samples: 4, maxSources: 4000 },
      improve: { steps: 1, human: "none", thresholds: { kind: "top", values: [1] } },
    });
    expect(() => read("base: { data: demo }\nseeds: [1]\narms:\n  a: { preset: rafft }\n")).toThrow(
      /study\.yaml:4: .*preset is "rafft".* Did you mean raft\?/,
    );
  });

  test("lets other thresholds bring their own number of steps", () => {
    const text = base.replace("  data:", "  improve: { steps: 2 }\n  data:");
    const { arms } = read(`${text}arms:\n  one: { improve: { thresholds: { kind: top, values: [1] } } }\n`);
    expect(arms[0]!.config.improve.steps).toBe(1);
  });

  test("puts a preset that an arm names over base, and below the arm's own keys", () => {
    const text = base.replace(
      "  data:",
      "  grow: { samples: 4 }\n  improve: { thresholds: { kind: absolute, values: [0.5] } }\n  data:",
    );
    const { arms } = read(
      `${text}arms:\n  raft: { preset: raft }\n  short: { preset: [raft], grow: { steps: 2 } }\n`,
    );
    // RAFT keeps the best of 8 samples, four times over; the toy's network stays.
    expect(
      arms.map(({ config: { grow, improve, model } }) => [
        grow.steps,
        grow.samples,
        improve.thresholds,
        model.width,
      ]),
    ).toEqual([
      [4, 8, { kind: "top", values: [1] }, 64],
      [2, 8, { kind: "top", values: [1] }, 64],
    ]);
    expect(() => read(`${text}arms:\n  a: { preset: rafd }\n`)).toThrow(
      /^study\.yaml:8: arms\.a: preset.*"rafd"/,
    );
  });

  test("trains the control of a random arm, and no Grow of a best-of-n arm", () => {
    const text = base.replace("  data:", "  improve: { control: false }\n  data:");
    const { arms } = read(`${text}arms:\n  a: { kind: random }\n  b: { kind: best-of-n }\n  c:\n`);
    expect(arms.map(({ config }) => [config.improve.control, config.grow.steps])).toEqual([
      [true, 1],
      [false, 0],
      [false, 1],
    ]);
  });

  test("makes the pairs of the demonstrations where base names them", () => {
    const made = read("base: { preset: toy, data: toy }\nseeds: [1]\narms: { a: }\n");
    expect([made.made, made.arms[0]!.config.data.train]).toEqual(["toy", ["/made/pairs.tsv"]]);
    expect(read(`${base}arms: { a: }\n`).made).toBeUndefined();
  });

  test("makes an online arm a run by that method, with as many samples as ReST draws", () => {
    const { arms } = read(`${base}arms:\n  a: { kind: online, algorithm: ppo }\n`);
    const { method, grow, online } = arms[0]!.config;
    expect([arms[0]!.algorithm, method, grow.steps, online.samples]).toEqual(["ppo", "ppo", 1, null]);
  });

  test("leaves out for each arm what base says to others", () => {
    const text = base.replace(
      "  data:",
      "  improve: { loss: rwr }\n  grow: { samples: 4, maxSources: 99 }\n  online: { ppo: { clip: 0.1 }, clipNorm: 2 }\n  data:",
    );
    const { arms } = read(`${text}arms:
  rest:
  ppo: { kind: online, algorithm: ppo }
  rloo: { kind: online, algorithm: rloo, online: { samples: 5000 } }
`);
    expect(
      arms.map(({ config: { method, improve, grow, online } }) => [
        ...[method, improve.loss, grow.samples, grow.maxSources],
        ...[online.samples, online.clipNorm, online.ppo.clip],
      ]),
    ).toEqual([
      ["rest", "rwr", 4, 99, null, 1, 0.2],
      ["ppo", "bc", 4, 99, null, 2, 0.1],
      // Of grow.samples the preset's.
      ["rloo", "bc", 8, 99, 5000, 2, 0.2],
    ]);
  });
});

test("paths start at the study file, and in a run folder from there", () => {
  const { arms } = parseStudy(
    `base:
  preset: toy
  data: { train: ["de.txt, en.txt"], test: /far/test.tsv }
  reward: { kind: module, path: reward.mjs }
seeds: [1]
arms: { a: }
`,
    "/home/me/study.yaml",
    { madePairs: "" },
  );
  const config = configFor(arms[0]!, 5, { studyFile: "/home/me/study.yaml", dir: "/home/out/runs/seed-5/a" });
  expect(config.seed).toBe(5);
  expect(config.data.train).toEqual(["../../../../me/de.txt,../../../../me/en.txt"]);
  expect(config.data.test).toBe("../../../../../far/test.tsv");
  expect(config.reward).toMatchObject({ path: "../../../../me/reward.mjs" });
});

describe("refused, with line and what to do:", () => {
  test.each([
    ["an unknown key, with the nearest", "bas: {}\n", "study.yaml:1: bas is not a key. Did you mean base?"],
    [
      "an unknown key of an arm, with the nearest",
      `${base}arms:\n  gold:\n    improve:\n      los: gold\n`,
      "study.yaml:8: arms.gold: improve.los is not a key. Did you mean improve.loss?",
    ],
    [
      "an unknown kind of arm",
      `${base}arms:\n  a: { kind: randon }\n`,
      'study.yaml:6: arms.a.kind is "randon" but must be one of rest, random, best-of-n, online. Did you mean random?',
    ],
    [
      "an unknown loss, with those known",
      `${base}arms:\n  a: { improve: { loss: goldish } }\n`,
      /^study\.yaml:6: arms\.a: improve\.loss is "goldish" but must be .*bc/,
    ],
    [
      "a seed given twice",
      base.replace("[1, 2]", "[1, 2, 1]"),
      "study.yaml:4: seeds[2] is 1, which the list already holds: the same seed gives the same run. Remove it or give another.",
    ],
    [
      "no seeds",
      base.replace("[1, 2]", "[]"),
      /^study\.yaml:4: seeds is a list of 0 but must be a list of 1 or more/,
    ],
    [
      "a seed in base",
      `${base.replace("  data:", "  seed: 3\n  data:")}arms: { a: }\n`,
      "study.yaml:3: base.seed has no effect beside `seeds:`. Remove it.",
    ],
    [
      "arms that are the same",
      `${base}arms:\n  a: {}\n  b: { grow: { samples: 8 } }\n`,
      "study.yaml:7: the arms a and b are the same. Remove one, or change a key of it.",
    ],
    [
      "a grid with a value given twice",
      `${base}grid:\n  grow.samples: [4, 4]\n`,
      "study.yaml:6: the arms samples-4 and samples-4 are the same. Remove one, or change a key of it.",
    ],
    [
      "a grid with a combination that no run can have",
      `${base}grid:\n  grow.samples: [4, 8]\n  improve.thresholds:\n    - { kind: top, values: [6] }\n`,
      "study.yaml:8: grid (samples-4-top-6): improve.thresholds.values[0] is 6 but must be at most grow.samples, 4, or nothing is filtered. Lower it or raise grow.samples.",
    ],
    [
      "an unknown key in the grid, with the nearest",
      `${base}grid:\n  grow.sample: [4]\n`,
      "study.yaml:6: grid.grow.sample is not a key. Did you mean grow.samples?",
    ],
    [
      "seeds in the grid",
      `${base}grid:\n  seed: [4]\n`,
      "study.yaml:6: grid.seed cannot stand in the grid: `seeds:` lists them. Move them there.",
    ],
    [
      "a name that cannot be a folder",
      `${base}arms:\n  ../a: {}\n`,
      /^study\.yaml:6: the name "\.\.\/a" of an arm becomes a folder/,
    ],
    ["no arms", base, /^study\.yaml: a study needs arms, or a grid/],
    [
      "an online baseline that there is not",
      `${base}arms:\n  a: { kind: online, algorithm: pop }\n`,
      'study.yaml:6: arms.a.algorithm is "pop", but an online arm needs one of the baselines that this version has: ppo, rloo. Did you mean ppo?',
    ],
    [
      "a key of Improve in an online arm",
      `${base}arms:\n  a: { kind: online, algorithm: ppo, improve: { loss: rwr } }\n`,
      "study.yaml:6: arms.a: improve has no effect where method is ppo. Remove one of the two.",
    ],
    [
      "a method, which kind and algorithm say",
      `${base}grid:\n  method: [ppo, rloo]\n`,
      "study.yaml:6: grid.method cannot stand in the grid. Write `arms:` of kind online, each with its algorithm.",
    ],
    [
      "a method of an arm, which its kind and algorithm say",
      `${base}arms:\n  a: { method: ppo }\n`,
      "study.yaml:6: arms.a.method is not for a study, where arms say it: { kind: online, algorithm: ppo }. Remove it.",
    ],
    [
      "an algorithm of an arm that is not online",
      `${base}arms:\n  a: { algorithm: ppo }\n`,
      "study.yaml:6: arms.a.algorithm has no effect where kind is rest. Remove it.",
    ],
    [
      "best-of-n without numbers of samples",
      `${base}arms:\n  a: { kind: best-of-n, evaluate: { bestOfN: [] } }\n`,
      /^study\.yaml:6: arms\.a: evaluate\.bestOfN is empty/,
    ],
    ["an empty file", "", /^study\.yaml: this file holds no keys/],
  ])("%s", (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

test.each(["study.yaml", "study-toy.yaml"])("examples/%s is a study", (name) => {
  const file = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
  const { arms } = parseStudy(readFileSync(file, "utf8"), file, { madePairs: "pairs.tsv" });
  expect(arms.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["best-of-n", "rest", "random"]));
});
