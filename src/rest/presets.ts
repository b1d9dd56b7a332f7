/** Named base values: the toy's, the demo's, the paper's three experiments with its own numbers, and ReST's relatives. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type ConfigInput, type MethodName, methodNames, type PresetName } from "./config-schema.js";

interface Preset {
  /** One sentence for `coppice init --help` and the docs page. */
  summary: string;
  values: ConfigInput;
  /** Where a value comes from, by key, in place of the schema's general word. */
  origins: Readonly<Record<string, string>>;
}

/** What the paper's three experiments have in common. */
const paperOrigins = {
  "model.vocabulary": "paper A.3: a vocabulary of 32,000 tokens",
  "grow.temperature": "paper A.3: temperature 0.8 covers a broad range of rewards",
  "grow.maxTokens": "paper A.3: at most 128 tokens at decoding time",
  "improve.trainOnAll": "paper 4: τ₀ = 0.0 is the full data",
  "improve.thresholds.kind": "paper 3: one global threshold",
  "improve.human": "paper 3, Eq. 3: the filter holds for the original data too",
  "improve.trainSteps": "paper A.3: 500,000 SGD steps at each Improve step",
  "improve.evaluateEvery": "ours; paper A.3 keeps the checkpoint with the best reward model score",
};

const thresholdsUpTo99 =
  "paper 4: from 0.0, 0.7, 0.8, 0.9, 0.95, 0.99 on the scale of its own reward; another reward needs its own";

/**
 * Settings of the training itself that the paper does not give: those usual for Transformers of these sizes.
 * All ours.
 */
const usualTraining = {
  bc: {
    batchTokens: 4096,
    learningRate: 5e-4,
    warmupSteps: 4000,
    schedule: "inverse-sqrt",
    labelSmoothing: 0.1,
    validateEvery: 2000,
    patience: 10,
  },
  improve: {
    trainOnAll: true,
    trainSteps: 500_000,
    batchTokens: 4096,
    learningRate: 1e-4,
    warmupSteps: 1000,
    evaluateEvery: 5000,
    // "We do several improvement steps until we reach the maximum threshold": no early stop within one.
    patience: 0,
  },
} as const;

const methodSummaries: Readonly<Record<MethodName, string>> = {
  raft: "RAFT: the best of K samples of each source, sampled anew after every Improve step",
  "rest-em": "ReST-EM: what passes a threshold, at most 10 a source, from BC every time, no human pairs",
  "rejection-fine-tuning":
    "rejection fine-tuning: human pairs and every different candidate that passes, once from BC",
  "best-of-n-distillation": "best-of-N distillation: the best of N of each source, once from BC",
};

const files: Partial<Record<PresetName, Preset>> = {};

/** A method's file beside this package's code; it is read once. */
function methodPreset(name: MethodName): Preset {
  const file = new URL(`../../presets/${name}.yaml`, import.meta.url);
  // The package's own file, checked whole by the tests.
  const read = () => ({
    summary: methodSummaries[name],
    values: parse(readFileSync(file, "utf8")) as ConfigInput,
    origins: {},
  });
  files[name] ??= read();
  return files[name];
}

export function presetOf(name: PresetName): Preset {
  const method = methodNames.find((one) => one === name);
  return method === undefined ? presets[name as Exclude<PresetName, MethodName>] : methodPreset(method);
}

const presets: Readonly<Record<Exclude<PresetName, MethodName>, Preset>> = {
  toy: {
    summary: "the values of `coppice demo --toy`: lists of numbers to reverse, in seconds",
    values: {
      model: { encoderLayers: 1, decoderLayers: 1, width: 64, inner: 128, heads: 4, vocabulary: 270 },
      data: { validationSize: 200, testSize: 400, maxTokens: 16 },
      // Stopped early: a BC that makes no mistakes would leave nothing to select.
      bc: { steps: 150, batchTokens: 1024, learningRate: 3e-3, warmupSteps: 50, validateEvery: 50 },
      reward: { kind: "places" },
      grow: { samples: 8, maxTokens: 16, maxSources: 1000 },
      improve: {
        steps: 2,
        thresholds: { kind: "absolute", values: [0.7, 0.95] },
        trainSteps: 150,
        evaluateEvery: 50,
        learningRate: 2e-3,
        learningRateFactor: 0.7,
        warmupSteps: 10,
      },
      evaluate: { samples: 4, bestOfN: [1, 2, 4, 8], bestOfNSamples: 8 },
    },
    origins: {},
  },
  demo: {
    summary: "the values of `coppice demo`: a tiny model that trains in minutes on two cores",
    values: {
      model: { preset: "tiny", vocabulary: 3000, dropout: 0.15 },
      data: { validationSize: 200, testSize: 300, rewardShare: 0.15, maxTokens: 48 },
      bc: {
        steps: 1000,
        batchTokens: 1024,
        learningRate: 3e-3,
        warmupSteps: 200,
        validateEvery: 125,
        patience: 2,
        averageDecay: 0.99,
      },
      reward: { kind: "learned", steps: 300, batchTokens: 1024, warmupSteps: 30 },
      grow: { samples: 8, maxTokens: 48, maxSources: 4000 },
      improve: {
        steps: 2,
        // Of each source: a global threshold would keep the messages that the policy knows by heart, and no others.
        thresholds: { kind: "percentile", values: [70, 90] },
        trainSteps: 240,
        batchTokens: 1024,
        evaluateEvery: 80,
        learningRate: 5e-4,
        learningRateFactor: 0.7,
        warmupSteps: 20,
        labelSmoothing: 0,
      },
      evaluate: { samples: 4, bestOfN: [1, 2, 4, 8], bestOfNSamples: 8 },
    },
    origins: {},
  },
  "paper-iwslt14": {
    summary: "the paper's IWSLT 2014 German-English: 100 candidates a source, five Improve steps",
    values: {
      model: { preset: "iwslt", vocabulary: 32_000, dropout: 0.3 },
      bc: { ...usualTraining.bc, steps: 100_000 },
      grow: { steps: 1, samples: 100, temperature: 0.8, maxTokens: 128 },
      improve: {
        ...usualTraining.improve,
        steps: 5,
        thresholds: { kind: "absolute", values: [0.7, 0.8, 0.9, 0.95, 0.99] },
        human: "filtered",
        dropout: 0.3,
      },
      evaluate: { bestOfN: [1, 2, 4, 8, 16, 32, 64, 128, 200], bestOfNSamples: 200 },
    },
    origins: {
      ...paperOrigins,
      "model.preset": "paper A.3: feed-forward 1024, 4 heads, 6 encoder and 6 decoder layers",
      "grow.steps": "paper 4: one Grow step; a second brought 5.3 points more (Figure 4)",
      "grow.samples": "paper A.3: 100 candidates for each source, 16,000,000 in all",
      "improve.steps": "paper 4: five on IWSLT 2014",
      "improve.thresholds.values": thresholdsUpTo99,
      "evaluate.bestOfN": "paper 4, Figure 6: N up to 200",
    },
  },
  "paper-wmt20": {
    summary: "the paper's WMT 2020 Chinese-English: 25 candidates a source, four Improve steps",
    values: {
      model: { preset: "base", vocabulary: 32_000 },
      bc: { ...usualTraining.bc, steps: 300_000, batchTokens: 25_000 },
      grow: { steps: 1, samples: 25, temperature: 0.8, maxTokens: 128 },
      improve: {
        ...usualTraining.improve,
        batchTokens: 25_000,
        steps: 4,
        thresholds: { kind: "absolute", values: [0.8, 0.9, 0.95, 0.99] },
        human: "filtered",
      },
      evaluate: { sources: 2000 },
    },
    origins: {
      ...paperOrigins,
      "model.preset": "paper A.3: width 512, feed-forward 2048, 8 heads, 6 encoder and 6 decoder layers",
      "grow.steps": "paper 4: one Grow step",
      "grow.samples": "paper A.3: 25 candidates for each source, 890,000,000 in all",
      "improve.steps": "paper 4: four on WMT 2020",
      "improve.thresholds.values": `${thresholdsUpTo99}; τ₁ = 0.8 is WMT's (Figure 5)`,
      "evaluate.sources": "paper A.3, Table 2: 2,000 evaluation samples",
    },
  },
  "paper-web": {
    summary: "the paper's Web Domain English-Chinese: 1,000 candidates a source, two Improve steps",
    values: {
      model: { preset: "big", vocabulary: 32_000 },
      bc: { ...usualTraining.bc, steps: 300_000, batchTokens: 25_000 },
      grow: { steps: 1, samples: 1000, temperature: 0.8, maxTokens: 128 },
      improve: {
        ...usualTraining.improve,
        batchTokens: 25_000,
        steps: 2,
        thresholds: { kind: "absolute", values: [0.7, 0.8] },
        human: "filtered",
      },
      evaluate: { sources: 6000, bleuTokenizer: "zh" },
    },
    origins: {
      ...paperOrigins,
      "model.preset": "paper A.3: width 1024, feed-forward 8192, 16 heads, 6 encoder and 6 decoder layers",
      "grow.steps": "paper 4: one Grow step; a second brought 0.8 points more (Figure 4)",
      "grow.samples": "paper A.3, Table 2: 1,000 candidates for each source, 3,000,000 in all",
      "improve.steps": "paper 4: two on Web Domain",
      "improve.thresholds.values": "ours: the first two of paper 4's list; it does not say which two",
      "evaluate.sources": "paper A.3, Table 2: 6,000 evaluation samples",
      "evaluate.bleuTokenizer": "the target is Chinese",
    },
  },
};
