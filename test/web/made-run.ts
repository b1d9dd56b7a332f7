/** Run folders written by hand for the dashboard's tests: invented figures, texts that try to be markup. */

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const HOSTILE = '<img src=x onerror="alert(1)"> quelle';

/** Evaluated sources with their references. */
export const PAIRS = [
  { source: "Quelle eins", target: "ab" },
  { source: HOSTILE, target: "ab" },
  { source: "Satz drei", target: "ab" },
];

/**
 * chrF of these against "ab", by hand: "ab" 100. "ac": of one-grams 1 of 2, of two-grams 0 of 1, so P = R = 1/4 and chrF 25.
 * "b": one-grams P = 1, R = 1/2, no two-grams; 5·1·½ / (4·1 + ½) = 5/9.
 */
export const CHRF: Readonly<Record<string, number>> = { ab: 100, ac: 25, b: (100 * 5) / 9 };

/** Of `writeRun` with a judge, which falls while the reward rises. */
export const JUDGE = "<b>bleurt</b>";

interface MadePolicy {
  /** [text, reward] of each source. */
  translations: [string, number][];
  reward: number;
  chrf: number;
  /** What the judge says, in [0, 1]. */
  judge: number;
  kl: number;
  bestOfN?: { n: number; reward: number; chrf: number; bleu: number }[];
}

export const POLICIES: Readonly<Record<string, MadePolicy>> = {
  G0I0: {
    translations: [
      ["ab", 0.2],
      ["ac", 0.9],
      ["b", 0.5],
    ],
    reward: 0.5,
    chrf: 60,
    judge: 0.7,
    kl: 0,
    bestOfN: [
      { n: 1, reward: 0.5, chrf: 58, bleu: 20 },
      { n: 2, reward: 0.6, chrf: 57, bleu: 21 },
    ],
  },
  G1I1: {
    translations: [
      ["ac", 0.8],
      ["ab", 0.6],
      ["b", 0.55],
    ],
    reward: 0.58,
    chrf: 59,
    judge: 0.6,
    kl: 4,
  },
  "G1I1-random": {
    translations: [
      ["ab", 0.3],
      ["ac", 0.9],
      ["b", 0.5],
    ],
    reward: 0.52,
    chrf: 60.5,
    judge: 0.69,
    kl: 1,
  },
};

const PROBE = [
  { kind: "dropped", damage: "words dropped", pairs: 40, noticed: 0.95 },
  { kind: "doubled", damage: "words doubled", pairs: 40, noticed: 0.55 },
];

const AGREEMENT = {
  overall: { kendall: 0.4, spearman: 0.57 },
  withinSource: { kendall: 0.27, spearman: 0.33, sources: 83 },
  pairwiseAccuracy: 0.63,
  pairs: 2125,
  candidates: 688,
  sources: 86,
};

const FACTS = {
  format: 1,
  kind: "learned",
  target: { chrf: 1, bleu: 0 },
  calibration: { kind: "quantile", raw: [-1, 0, 2], reward: [0.1, 0.5, 0.9] },
  agreement: { samples: AGREEMENT, damage: AGREEMENT, policyLogProb: AGREEMENT },
  meanReward: { samples: 0.5, references: 0.7 },
  probe: [{ kind: "dropped", pairs: 65, noticed: 0.92, tied: 0, meanLoss: 0.26 }],
  training: {
    seed: 1,
    pairs: { train: 10, validation: 5, test: 5 },
    lessons: 80,
    steps: 100,
    bestStep: 100,
    evaluations: [],
  },
};

const around = (value: number, half: number) => ({ value, low: value - half, high: value + half });

function evaluationOf(
  name: string,
  { translations, reward, chrf, judge, kl, bestOfN = [] }: MadePolicy,
  judged: boolean,
): unknown {
  return {
    summary: {
      name,
      reward: around(reward, 0.02),
      greedyReward: reward,
      bleu: around(30, 2),
      chrf: around(chrf, 1),
      ...(judged && { judge: { name: JUDGE, mean: around(judge, 0.02) } }),
      klFromBc: kl,
    },
    bestOfN,
    // A third of the mean, two thirds, and all of it.
    translations: translations.map(([text, own], at) => ({
      text,
      reward: own,
      ...(judged && { judge: (judge * (at + 1)) / 3 }),
    })),
  };
}

export interface MadeRunOptions {
  /** Names of `POLICIES` that are evaluated; all of them when absent. */
  evaluated?: readonly string[];
  /** Lines of the configuration after `data.train` and `seed`. */
  config?: string;
  seed?: number;
  reward?: boolean;
  /** Whether `JUDGE` has scored the translations. */
  judged?: boolean;
}

/** Writes a run into `dir`, as its finished steps would have left it but for models and candidates. */
export function writeRun(dir: string, options: MadeRunOptions = {}): void {
  const { evaluated = Object.keys(POLICIES), config = "", seed = 1, reward = true, judged = false } = options;
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
    return { path, sha256: createHash("sha256").update(text).digest("hex"), bytes: Buffer.byteLength(text) };
  };
  const yaml = `seed: ${seed}\ndata:\n  train: [pairs.tsv]\n${config}`;
  write("coppice.yaml", yaml);
  write("coppice.resolved.yaml", yaml);
  const step = (name: string, seconds: number, more: object = {}) => ({
    name,
    outputs: [],
    metricsLines: 0,
    cpu: "made up",
    time: { seconds, finishedAt: "2025-03-01T12:00:00.000Z" },
    ...more,
  });
  const data = write("data/test.jsonl", PAIRS.map((pair) => `${JSON.stringify(pair)}\n`).join(""));
  const evaluate = (name: string) => {
    if (!evaluated.includes(name)) return [];
    const outputs = [
      write(`evaluation/${name}.json`, JSON.stringify(evaluationOf(name, POLICIES[name]!, judged))),
    ];
    return [step(`evaluate-${name}`, 100, { outputs, ...(name === "G0I0" && { result: { probe: PROBE } }) })];
  };
  const grown = evaluated.some((name) => name !== "G0I0");
  const steps = [
    step("prepare", 1, { outputs: [data] }),
    step("G0I0", 10),
    ...(reward
      ? [
          step("reward", 5, {
            outputs: [write("reward/reward.json", JSON.stringify(FACTS))],
            result: { lessonSamples: 80 },
          }),
        ]
      : []),
    ...evaluate("G0I0"),
    ...(grown
      ? [
          step("grow-1", 20, { result: { sources: 60, samples: 600 } }),
          step("score-1", 4, { result: { rewardCalls: 650 } }),
          step("G1I1", 8, { result: { policy: "G1I1" } }),
          ...evaluate("G1I1"),
          step("G1I1-random", 9, { result: { policy: "G1I1-random" } }),
          ...evaluate("G1I1-random"),
        ]
      : []),
  ];
  write(
    "manifest.json",
    JSON.stringify({
      format: 1,
      coppice: "0.1.0",
      runId: "0123456789abcdef",
      seed,
      machine: { cpu: "made up", cores: 2, memoryGb: 8, node: "v20.19.0", os: "linux x64" },
      configHash: "0",
      config: {},
      steps,
      time: { createdAt: "2025-03-01T11:00:00.000Z" },
    }),
  );
}

/** What `coppice compare` writes about two arms. */
export function writeStudy(dir: string): void {
  const row = {
    name: "BC",
    arm: "rest",
    kind: "bc",
    loss: null,
    grow: 0,
    improve: 0,
    reward: 0.5,
    low: 0.48,
    high: 0.52,
    bleu: 30,
    chrf: 60,
    samples: 0,
    seeds: 1,
    over: "sources",
    versusRandom: null,
  };
  const best = {
    ...row,
    name: "rest G1I1",
    kind: "rest",
    loss: "bc",
    grow: 1,
    improve: 1,
    reward: 0.58,
    low: 0.56,
    high: 0.6,
    samples: 600,
    versusRandom: { reward: 0.06, low: 0.02, high: 0.1 },
  };
  const finding = {
    number: 1,
    claim: "Every Improve step raises the reward.",
    verdict: "holds",
    figure: {
      value: 8,
      low: 5,
      high: 11,
      over: "sources",
      seeds: 1,
      of: "BC to rest G1I1",
      unit: "points of reward, of 100",
    },
    text: "Changes step by step: +8.0.",
  };
  mkdirSync(join(dir, "figures"), { recursive: true });
  writeFileSync(
    join(dir, "table1.json"),
    JSON.stringify({ runs: { all: 4, finished: 2 }, rows: [row, best] }),
  );
  writeFileSync(join(dir, "verdict.json"), JSON.stringify({ findings: [finding] }));
  writeFileSync(join(dir, "figures/figure-3.csv"), "arm,policy,reward\nrest,BC,50\n");
  writeFileSync(join(dir, "figures/figure-3.svg"), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(dir, "figures/notes.txt"), "not a figure");
}

/** A temporary folder, links resolved, and what removes it. */
export function temporaryFolder(): { dir: string; remove(): void } {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "coppice-web-")));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
