/** Hand-written summaries for the report's tests. The figures are invented to be plausible; they are results of nothing. */

import type { ImproveSummary, Interval, PolicySummary, RunSummary } from "../../src/store/summary.js";

/** A figure with a symmetric interval. */
export function around(value: number, half: number): Interval {
  return { value, low: value - half, high: value + half };
}

export function policy(name: string, changes: Partial<PolicySummary> = {}): PolicySummary {
  const [, grow = "0", improve = "0"] = /^G(\d+)I(\d+)/.exec(name) ?? [];
  return {
    name,
    grow: Number(grow),
    improve: Number(improve),
    control: name.endsWith("-random"),
    reward: around(0.6, 0.012),
    greedyReward: 0.64,
    bleu: around(27, 1.4),
    chrf: around(50, 1.1),
    n: 800,
    klFromBc: 0,
    diversity: { distinct1: 0.31, distinct2: 0.62, selfBleu: 0.35, uniqueShare: 0.91, entropy: 1.6 },
    lengthRatio: 1.01,
    repetitionRate: 0.004,
    copyRate: 0.01,
    lossOnTrain: 1.9,
    lossOutOfDomain: null,
    unfinishedShare: 0.003,
    samplesDrawn: 64_000,
    rewardCalls: 72_000,
    seconds: 120,
    ...changes,
  };
}

export function improveStep(name: string, changes: Partial<ImproveSummary> = {}): ImproveSummary {
  const [, grow = "1", improve = "1"] = /^G(\d+)I(\d+)/.exec(name) ?? [];
  return {
    policy: name,
    grow: Number(grow),
    improve: Number(improve),
    threshold: "reward > 0.713 (quantile 0.7)",
    thresholdValue: 0.713,
    candidates: 72_000,
    kept: 21_600,
    keptShare: 0.3,
    sourcesKept: 6_900,
    sources: 8_000,
    meanReward: 0.601,
    meanRewardKept: 0.792,
    tiedSources: 0.04,
    distinctCandidates: 65_120,
    meanTokens: 14.2,
    unfinishedShare: 0.004,
    trainSteps: 400,
    trainTokens: 1_638_400,
    seconds: 31,
    ...changes,
  };
}

function curve(name: string, reward: number, chrf: number): RunSummary["bestOfN"] {
  return [1, 2, 4, 8, 16].map((n) => ({
    policy: name,
    n,
    reward: reward + (0.97 - reward) * (1 - 1 / (1 + 0.28 * Math.log2(n))),
    chrf: chrf + 1.7 * Math.log2(n) - 0.12 * Math.log2(n) ** 2,
    bleu: chrf - 20 + 1.1 * Math.log2(n) - 0.1 * Math.log2(n) ** 2,
  }));
}

/** One Grow step, three Improve steps, a control: reward and chrF rise, BLEU within noise. */
export function rising(changes: Partial<RunSummary> = {}): RunSummary {
  return {
    format: 1,
    coppice: "0.1.0",
    finishedAt: "2025-03-01T12:00:00.000Z",
    seed: 17,
    machine: { cpu: "Sample CPU @ 2.4 GHz", cores: 2, memoryGb: 8, node: "v20.19.0", os: "linux x64" },
    data: { train: 8_000, rewardPart: 1_200, validation: 400, test: 800 },
    reward: { name: "learned (chrF)", kendall: 0.47, spearman: 0.63, pairwiseAccuracy: 0.74, pairs: 6_400 },
    heldOut: {
      metric: "bleu",
      judges: ["bleu"],
      why: "BLEU is of another family than the reward, which learned from chrF.",
    },
    bleuSignature: "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0",
    chrfSignature: "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0",
    policies: [
      policy("BC", { samplesDrawn: 0, rewardCalls: 0, seconds: 96 }),
      policy("G1I1", {
        reward: around(0.662, 0.011),
        greedyReward: 0.69,
        bleu: around(27.9, 1.4),
        chrf: around(51.6, 1.1),
        klFromBc: 1.1,
        diversity: { distinct1: 0.3, distinct2: 0.59, selfBleu: 0.41, uniqueShare: 0.86, entropy: 1.4 },
        seconds: 151,
      }),
      policy("G1I2", {
        reward: around(0.703, 0.01),
        greedyReward: 0.72,
        bleu: around(28.3, 1.4),
        chrf: around(52.4, 1.1),
        klFromBc: 2.4,
        diversity: { distinct1: 0.29, distinct2: 0.56, selfBleu: 0.46, uniqueShare: 0.8, entropy: 1.2 },
        seconds: 183,
      }),
      policy("G1I3", {
        reward: around(0.731, 0.01),
        greedyReward: 0.742,
        bleu: around(28.4, 1.4),
        chrf: around(52.6, 1.1),
        klFromBc: 4.0,
        diversity: { distinct1: 0.28, distinct2: 0.53, selfBleu: 0.52, uniqueShare: 0.73, entropy: 1.0 },
        lengthRatio: 0.98,
        seconds: 214,
      }),
      policy("G1I3-random", {
        reward: around(0.612, 0.012),
        greedyReward: 0.648,
        bleu: around(27.2, 1.4),
        chrf: around(50.3, 1.1),
        klFromBc: 0.6,
        seconds: 245,
      }),
    ],
    improves: [
      improveStep("G1I1"),
      improveStep("G1I2", {
        threshold: "reward > 0.768 (quantile 0.8)",
        thresholdValue: 0.768,
        kept: 14_400,
        keptShare: 0.2,
        sourcesKept: 5_840,
        meanRewardKept: 0.834,
        trainSteps: 300,
        seconds: 25,
      }),
      improveStep("G1I3", {
        threshold: "reward > 0.841 (quantile 0.9)",
        thresholdValue: 0.841,
        kept: 7_200,
        keptShare: 0.1,
        sourcesKept: 3_910,
        meanRewardKept: 0.889,
        trainSteps: 200,
        seconds: 18,
      }),
      improveStep("G1I3-random", {
        threshold: "7,200 at random",
        kept: 7_200,
        keptShare: 0.1,
        sourcesKept: 4_800,
        meanRewardKept: 0.6,
        trainSteps: 200,
        seconds: 18,
      }),
    ].map(withoutValueAtRandom),
    bestOfN: [...curve("BC", 0.6, 44), ...curve("G1I3", 0.731, 48.5), ...curve("G1I3-random", 0.612, 44.6)],
    examples: [
      {
        source: "Die Datei konnte nicht gespeichert werden, weil der Datenträger voll ist.",
        reference: "The file could not be saved because the disk is full.",
        translations: {
          BC: { text: "The file could be saved because the data carrier is.", reward: 0.412 },
          G1I1: { text: "The file could not be saved because the data carrier is full.", reward: 0.688 },
          G1I2: { text: "The file could not be saved because the disk is full.", reward: 0.871 },
          G1I3: { text: "The file could not be saved because the disk is full.", reward: 0.871 },
          "G1I3-random": {
            text: "The file could not be saved because the data is fully.",
            reward: 0.507,
          },
        },
      },
      {
        source: "Wählen Sie einen Ordner aus, in dem die Erweiterungen installiert werden sollen.",
        reference: "Select a folder in which to install the extensions.",
        translations: {
          BC: { text: "Select a folder where the extension of the installed.", reward: 0.38 },
          G1I1: {
            text: "Select a folder where the extensions should be installed installed.",
            reward: 0.601,
          },
          G1I2: { text: "Select a folder in which the extensions should be installed.", reward: 0.79 },
          G1I3: { text: "Select a folder in which to install the extensions.", reward: 0.842 },
          "G1I3-random": { text: "Select a folder that the extension be installed.", reward: 0.433 },
        },
      },
      {
        source: "Abbrechen",
        reference: "Cancel",
        translations: {
          BC: { text: "Cancel", reward: 0.93 },
          G1I1: { text: "Cancel", reward: 0.93 },
          G1I2: { text: "Cancel", reward: 0.93 },
          G1I3: { text: "Cancel", reward: 0.93 },
          "G1I3-random": { text: "Abort", reward: 0.64 },
        },
      },
    ],
    config: {
      seed: 17,
      data: { train: "pairs.tsv", test: "test.tsv" },
      model: { preset: "tiny" },
      grow: { steps: 1, candidates: 8, temperature: 0.8, maxTokens: 64 },
      improve: { thresholds: { kind: "quantile", values: [0.7, 0.8, 0.9] }, loss: "bc" },
    },
    ...changes,
  };
}

/** A random selection has no threshold value: the key is absent, as the store writes it. */
function withoutValueAtRandom(step: ImproveSummary): ImproveSummary {
  if (!step.threshold.endsWith("at random")) return step;
  const { thresholdValue: _, ...rest } = step;
  return rest;
}

/** `rising` with one policy changed. */
export function withPolicy(name: string, changes: Partial<PolicySummary>): RunSummary {
  const summary = rising();
  return {
    ...summary,
    policies: summary.policies.map((each) => (each.name === name ? { ...each, ...changes } : each)),
  };
}

/** Two Grow steps of four Improve steps each: as many policies as a page must cope with. */
export function long(): RunSummary {
  const summary = rising();
  const names = ["BC", "G1I0", "G1I1", "G1I2", "G1I3", "G1I4", "G2I0", "G2I1", "G2I2", "G2I3", "G2I4"];
  const policies = names.map((name, at) =>
    policy(name, {
      reward: around(0.58 + 0.022 * at, 0.008),
      bleu: around(27 + 0.15 * at, 1.2),
      chrf: around(50 + 0.3 * at, 0.9),
      klFromBc: 0.5 * at,
      samplesDrawn: 64_000 * Math.ceil(at / 5),
      seconds: 600 * (at + 1),
    }),
  );
  return {
    ...summary,
    policies: [
      ...policies,
      policy("G1I4-random", { reward: around(0.6, 0.008), klFromBc: 0.4 }),
      policy("G2I4-random", { reward: around(0.63, 0.008), klFromBc: 0.8 }),
    ],
    improves: names.slice(1).map((name, at) => improveStep(name, { keptShare: 0.5 - 0.04 * at })),
    bestOfN: names.flatMap((name, at) => curve(name, 0.58 + 0.022 * at, 44 + 0.3 * at)),
  };
}

/** `rising` with a judge that falls from step to step while the reward rises. */
export function parting(): RunSummary {
  const summary = rising();
  const means: Record<string, number> = { BC: 0.7, G1I1: 0.69, G1I2: 0.67, G1I3: 0.64, "G1I3-random": 0.7 };
  return {
    ...summary,
    policies: summary.policies.map((each) => ({
      ...each,
      judge: { name: "bleurt-20", mean: around(means[each.name]!, 0.01) },
    })),
  };
}

/** Nothing but BC, before the first Grow step. */
export function onlyBc(): RunSummary {
  return {
    ...rising(),
    policies: [policy("BC")],
    improves: [],
    bestOfN: [],
    examples: [],
    reward: { name: "chrF" },
  };
}

/** BC and PPO, which was looked at before the first batch and after the second and the third. */
export function online(): RunSummary {
  const look = (batch: number, reward: number) => ({
    ...{ batch, samplesDrawn: 512 * batch, rewardCalls: 512 * batch, reward, bleu: 30 - batch, chrf: 55 },
    ...{ klFromBc: batch / 2, klCoefficient: 0.05 },
  });
  return {
    ...rising(),
    policies: [policy("BC"), policy("PPO", { grow: 0, improve: 1, reward: around(0.7, 0.01) })],
    improves: [],
    online: [
      {
        ...{ policy: "PPO", samplesDrawn: 1536, rewardCalls: 1536, validationSamples: 3072 },
        ...{ batches: 3, bestBatch: 2, looks: [look(0, 0.6), look(2, 0.71), look(3, 0.7)] },
      },
    ],
    bestOfN: [],
    examples: [],
  };
}

/** Text that tries to leave its place: markup, quotes, the end of a drawing, direction override, terminal codes. */
export const HOSTILE =
  "<script>alert(1)</script></svg></style><img src=x onerror=alert(2)>\"'`&amp; |x| \u202Ereversed\u202C \u001b[31mred\u0007\u0000 \uD800 $(rm) [a](javascript:b)";

/** The same run with hostile text wherever text can come from a model, a file or a configuration. */
export function hostile(): RunSummary {
  const summary = rising();
  const name = (old: string): string => (old === "BC" ? old : `${old} ${HOSTILE}`);
  return {
    ...summary,
    coppice: HOSTILE,
    finishedAt: HOSTILE,
    machine: { cpu: HOSTILE, cores: 2, memoryGb: 8, node: HOSTILE, os: HOSTILE },
    reward: { ...summary.reward, name: HOSTILE },
    heldOut: { ...summary.heldOut, why: HOSTILE },
    bleuSignature: HOSTILE,
    chrfSignature: HOSTILE,
    policies: parting().policies.map((each) => ({
      ...each,
      name: name(each.name),
      judge: { ...each.judge!, name: HOSTILE },
    })),
    improves: summary.improves.map((each) => ({ ...each, policy: name(each.policy), threshold: HOSTILE })),
    bestOfN: summary.bestOfN.map((each) => ({ ...each, policy: name(each.policy) })),
    examples: [
      {
        source: HOSTILE,
        reference: HOSTILE,
        translations: Object.fromEntries(
          Object.entries(summary.examples[0]!.translations).map(([old, { text, reward }]) => [
            name(old),
            { text: `${text} ${HOSTILE}`, reward },
          ]),
        ),
      },
    ],
    config: { [HOSTILE]: HOSTILE },
  };
}
