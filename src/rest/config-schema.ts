/** Every key a configuration may hold, once: its type, bounds, default, description and where the value comes from. */
import { z } from "zod";
import type { PresetName as ModelPreset } from "../model/config.js";
import { loraTargets } from "../model/lora-targets.js";
import { lossNames } from "./losses/names.js";
import { onlineMethodNames } from "./names.js";

/** Where a value comes from, as the docs page and `coppice.yaml` print it. */
const ours = "ours";

const whole = (least: number, most: number) => z.int().min(least).max(most);
/** At least 0 and below 1: dropout, label smoothing and other shares that must leave something over. */
const shareBelowOne = z.number().min(0).lt(1);
const steps = whole(1, 100_000_000);
const tokens = whole(1, 100_000_000);
const sources = whole(1, 1_000_000_000);
const path = z.string().min(1);
/** What a string is where it is no path, to stand after "must be". */
const text = (title: string) => z.string().min(1).meta({ title });
const learningRate = z.number().gt(0).max(1);
const temperature = z.number().gt(0).max(10);
/** Number of pairs, or below 1 a share of them. */
const size = z.union([sources, z.number().gt(0).lt(1)]);

/** A key with its default. */
function key<Schema extends z.ZodType>(
  schema: Schema,
  value: z.core.util.NoUndefined<z.output<Schema>>,
  description: string,
  origin: string = ours,
) {
  return schema.default(value).meta({ description, origin });
}

/** A key that has no default. */
function required<Schema extends z.ZodType>(schema: Schema, description: string) {
  return schema.meta({ description, origin: ours });
}

const scheduleNames = ["constant", "linear", "cosine", "inverse-sqrt"] as const;

const modelPresets = ["tiny", "small", "iwslt", "base", "big"] as const satisfies readonly ModelPreset[];

const model = z
  .strictObject({
    preset: key(
      z.enum(modelPresets),
      "tiny",
      "Depth and width together; iwslt, base and big are the paper's three",
      "paper A.3 for iwslt, base, big",
    ),
    encoderLayers: key(whole(1, 100).nullable(), null, "Encoder layers; null: the preset's"),
    decoderLayers: key(whole(1, 100).nullable(), null, "Decoder layers; null: the preset's"),
    width: key(
      whole(2, 65_536).nullable(),
      null,
      "Width of the model, even and a multiple of heads; null: the preset's",
    ),
    inner: key(whole(1, 1_000_000).nullable(), null, "Feed-forward width; null: the preset's"),
    heads: key(whole(1, 1024).nullable(), null, "Attention heads; null: the preset's"),
    from: key(
      path.nullable(),
      null,
      "Start from this Marian folder, Hugging Face's or Marian's own (its sizes, weights and tokenizer: SentencePiece, or byte-level BPE as Coppice trains); null: from random weights",
    ),
    vocabulary: key(whole(258, 1_000_000), 8000, "Subwords to learn; the paper has 32,000"),
    sharedVocabulary: key(
      z.boolean(),
      true,
      "One vocabulary, and one embedding table, for source and target",
    ),
    dropout: key(shareBelowOne, 0.1, "Dropout while BC is trained"),
  })
  .prefault({})
  .meta({ description: "The network that translates" });

const data = z
  .strictObject({
    train: required(
      z.array(path).min(1),
      "Files of pairs: TSV, JSONL (both also gzipped), Parquet, or two text files with a comma between",
    ),
    sourceColumn: key(
      path.nullable(),
      null,
      "Where the source stands: key of JSONL, column of Parquet, number of a TSV column; null: source, or 1",
    ),
    targetColumn: key(
      path.nullable(),
      null,
      "Where the human translation stands, in the same way; null: target, or 2",
    ),
    validation: key(
      path.nullable(),
      null,
      "File of pairs for choosing checkpoints; null: split off from train",
    ),
    test: key(path.nullable(), null, "File of pairs for the report; null: split off from train"),
    validationSize: key(
      size,
      500,
      "Pairs split off for validation (below 1: a share), by target sentence so that none is in train too",
    ),
    testSize: key(size, 500, "Pairs split off for the test, in the same way"),
    rewardShare: key(
      z.number().gt(0).max(0.9),
      0.2,
      "Share of train that teaches the learned reward; Grow does not use it",
    ),
    maxTokens: key(
      whole(1, 100_000),
      128,
      "A pair with more tokens on either side is dropped, and counted; test pairs stay",
      "ours; 128 is the paper's limit at decoding",
    ),
  })
  .meta({ description: "Pairs of a source and its human translation; paths start at this file's folder" });

/** Keys that BC and the Improve steps train by, each with its own defaults. */
const optimizer = {
  batchTokens: (value: number) => key(tokens, value, "Target tokens a batch, padding included"),
  accumulate: key(
    whole(1, 10_000),
    1,
    "Batches an optimizer step, their gradients summed: larger steps in no more memory",
  ),
  warmupSteps: (value: number) =>
    key(whole(0, 100_000_000), value, "Steps in which the learning rate rises from 0"),
  schedule: (value: (typeof scheduleNames)[number]) =>
    key(z.enum(scheduleNames), value, "How the learning rate goes on after the warm-up"),
  labelSmoothing: (value: number) =>
    key(shareBelowOne, value, "Share of the target's probability spread over all tokens"),
  weightDecay: (value: number) => key(z.number().min(0).max(1), value, "Decoupled weight decay (AdamW)"),
  clipNorm: (value: number) =>
    key(z.number().min(0).max(1_000_000), value, "Largest global norm of the gradient; 0: no limit"),
  averageDecay: (value: number) =>
    key(shareBelowOne, value, "Decay of the moving average of weights that is kept; 0: no averaging"),
};

const bc = z
  .strictObject({
    steps: key(
      whole(0, 100_000_000),
      8000,
      "Optimizer steps at most; 0: the model of model.from as it is, without training",
    ),
    batchTokens: optimizer.batchTokens(2048),
    accumulate: optimizer.accumulate,
    learningRate: key(learningRate, 1e-3, "Highest learning rate"),
    warmupSteps: optimizer.warmupSteps(400),
    schedule: optimizer.schedule("inverse-sqrt"),
    labelSmoothing: optimizer.labelSmoothing(0.1),
    weightDecay: optimizer.weightDecay(1e-4),
    clipNorm: optimizer.clipNorm(1),
    averageDecay: optimizer.averageDecay(0.999),
    validateEvery: key(
      steps,
      500,
      "Steps between two looks at the validation loss; the last step has one too",
    ),
    patience: key(
      whole(0, 100_000),
      5,
      "Stop after so many validations without a better one; 0: go through all steps",
    ),
  })
  .prefault({})
  .meta({ description: "Supervised training on the human pairs: the policy BC, G=0 I=0" });

const metricNames = ["chrf", "bleu"] as const;

/** Keys of rewards that are computed outside of this process. */
const remote = {
  named: {
    name: key(text("a text").nullable(), null, "Name in tables and messages; null: made of the other keys"),
    needsReference: key(
      z.boolean(),
      false,
      "Send the human translation too; a source without one is then an error",
    ),
  },
  headers: {
    headers: key(
      z.record(z.string(), z.string().meta({ title: "a text" })),
      {},
      `Headers of each request; \${NAME} stands for an environment variable, and secrets are accepted in no other form`,
    ),
  },
  batchSize: key(whole(1, 100_000), 64, "Candidates asked for at once"),
  concurrency: (value: number) => key(whole(1, 1000), value, "Requests under way at the same time, at most"),
  // Node.js ends a request by itself after 300 seconds.
  timeoutSeconds: (value: number) =>
    key(z.number().gt(0).max(300), value, "Seconds that a request may take before it is tried again"),
  retries: key(
    whole(0, 100),
    5,
    "Further attempts after a lost connection, a timeout, 408, 425, 429 or 5xx, each after a longer wait or what Retry-After asks",
  ),
};

/** An address in which variables of the environment stand as `${NAME}`. */
const url = (description: string) =>
  required(
    z
      .string()
      .regex(/^(?:https?:\/\/.|\$\{)/)
      .meta({ title: `an address that starts with http:// or https://, or with \${NAME}` }),
    `${description}; \${NAME} stands for an environment variable`,
  );

/** Keys of each simple kind of reward; `sum` takes any of them as a part. */
const rewardKinds = {
  learned: {
    kind: z.literal("learned"),
    target: key(
      z.enum([...metricNames, "both"]),
      "both",
      "Metric against the human translation that the reward learns to predict; both: the mean of the two",
    ),
    steps: key(steps, 1000, "Optimizer steps at most; training stops early when agreement no longer rises"),
    batchTokens: key(tokens, 2048, "Target tokens an optimizer step, padding included"),
    learningRate: key(learningRate, 3e-4, "Highest learning rate"),
    warmupSteps: key(whole(0, 100_000_000), 100, "Steps in which the learning rate rises from 0"),
    samplesPerSource: key(whole(1, 10_000), 8, "The policy's own samples of a source to learn from"),
    temperatures: key(
      z.array(temperature).min(1),
      [0.6, 1],
      "Temperatures that those samples are drawn at, in turn",
    ),
    damaged: key(
      shareBelowOne,
      0.25,
      "Share of the lessons that are damaged human translations (words dropped, doubled, swapped, cut, …)",
    ),
  },
  chrf: {
    kind: z.literal("chrf"),
    wordOrder: key(
      z.literal([0, 2]),
      0,
      "Longest run of words that counts beside characters; 2 makes it chrF++",
    ),
  },
  bleu: { kind: z.literal("bleu") },
  module: {
    kind: z.literal("module"),
    path: required(path, "JavaScript module whose default export scores a batch; from this file's folder"),
  },
  http: {
    kind: z.literal("http"),
    url: url(
      'Address that gets {"inputs": [{source, candidate, reference?}]} by POST and answers {"rewards": […]}, or the list alone',
    ),
    ...remote.named,
    ...remote.headers,
    batchSize: remote.batchSize,
    concurrency: remote.concurrency(4),
    timeoutSeconds: remote.timeoutSeconds(60),
    retries: remote.retries,
  },
  command: {
    kind: z.literal("command"),
    command: required(
      z.array(text("a text")).min(1),
      "Program and arguments, run in this file's folder without a shell; it answers each line, a JSON object with source and candidate, by one number on a line",
    ),
    ...remote.named,
    batchSize: remote.batchSize,
    timeoutSeconds: key(
      z.number().gt(0).max(86_400),
      300,
      "Seconds without a line, the time to start among them, after which the program counts as hung",
    ),
  },
  judge: {
    kind: z.literal("judge"),
    url: url(
      "Base address of a server that speaks OpenAI's chat completions, such as http://localhost:8000/v1",
    ),
    model: required(text("a text"), "Name of the model that judges"),
    rubric: required(text("a text"), "What makes a candidate good, in words for the model"),
    scale: key(
      z.tuple([z.number(), z.number()]),
      [1, 10],
      "Lowest and highest number that the judge may give; they become the rewards 0 and 1",
    ),
    times: key(whole(1, 1000), 3, "Scores a candidate, which are averaged"),
    temperature: key(
      z.number().min(0).max(10).nullable(),
      1,
      "Temperature of the judge; null: the server's own",
    ),
    seed: key(
      whole(0, 2 ** 31).nullable(),
      1,
      "Seed of a candidate's first score, raised by one for each further; null: none is sent",
    ),
    maxTokens: key(
      whole(1, 1_000_000).nullable(),
      512,
      "Longest answer of the judge; null: the server's limit",
    ),
    unreadable: key(
      z.number().min(0).max(1).nullable(),
      null,
      "Reward where three answers hold no number on the scale; null: the run stops",
    ),
    ...remote.named,
    ...remote.headers,
    concurrency: remote.concurrency(8),
    timeoutSeconds: remote.timeoutSeconds(120),
    retries: remote.retries,
  },
  places: { kind: z.literal("places") },
  ratings: {
    kind: z.literal("ratings"),
    model: required(
      path,
      "Folder that coppice train-reward --ratings FILE --out FOLDER wrote; from this file's folder",
    ),
  },
  number: { kind: z.literal("number") },
  pretrained: {
    kind: z.literal("pretrained"),
    model: required(
      path,
      "Folder of a published checkpoint (MetricX, COMET, BLEURT), named as it was published; from this file's folder",
    ),
    variant: key(
      text("a text").nullable(),
      null,
      "Which of the family's metrics it is, such as metricx-24-qe; null: as its configuration and the folder's name say",
    ),
    tokenizer: key(
      path.nullable(),
      null,
      "The tokenizer's file, or the folder it lies in; null: in the folder of the checkpoint",
    ),
    batchTokens: key(tokens, 4096, "Tokens scored at once, padding included"),
  },
};

const price = z.number().min(0).max(1_000_000);

const policy = z
  .discriminatedUnion("kind", [
    z
      .strictObject({ kind: z.literal("native") })
      .meta({ description: "A Marian model that runs in this process" }),
    z
      .strictObject({
        kind: z.literal("server"),
        url: key(
          z
            .string()
            .regex(/^(?:https?:\/\/.|\$\{)/)
            .meta({ title: `an address that starts with http:// or https://, or with \${NAME}` })
            .nullable(),
          null,
          `Base address of a server that speaks OpenAI's completions, such as http://localhost:8000/v1; \${NAME} stands for an environment variable; null: that of serve.command`,
        ),
        model: required(
          text("a text"),
          "The model that everything starts from, G=0 I=0, as the server knows it",
        ),
        api: key(
          z.enum(["chat", "completions"]),
          "chat",
          "chat: the server puts the prompt into the model's own form; completions: it is sent as it is",
        ),
        template: key(
          z
            .string()
            .meta({ title: "a text with {source} in it" })
            .regex(/\{source\}/),
          "{source}",
          "What the model is asked; {source} stands for the source",
        ),
        system: key(text("a text").nullable(), null, "System message before it, for api chat; null: none"),
        stop: key(z.array(text("a text")), [], "Texts at which an answer ends; they are left out of it"),
        choices: key(
          whole(1, 10_000),
          16,
          "Candidates asked for in one request (n), at most; what a server leaves out is asked for again",
        ),
        seeds: key(
          z.boolean(),
          true,
          "Send a seed with each request; false for a server that refuses one or fails on it: answers are then its own draws",
        ),
        ...remote.headers,
        concurrency: remote.concurrency(16),
        timeoutSeconds: remote.timeoutSeconds(300),
        retries: remote.retries,
        price: z
          .strictObject({
            input: key(price, 0, "Price of a million tokens read"),
            output: key(price, 0, "Price of a million tokens written"),
          })
          .prefault({})
          .meta({
            description:
              "What the server costs, in any currency; with it, steps and coppice status tell what was spent",
          }),
        serve: z
          .strictObject({
            command: key(
              z.array(text("a text")),
              [],
              "Program and arguments that serve a model, run in this file's folder without a shell; {model} and {port} are filled in; []: url is always there",
            ),
            readySeconds: key(z.number().gt(0).max(86_400), 600, "Seconds until it has to answer"),
          })
          .prefault({})
          .meta({
            description: "A server that is started for each model in turn and ended before the trainer",
          }),
      })
      .meta({ description: "A language model behind a server, fine-tuned by improve.trainer" }),
  ])
  .prefault({ kind: "native" })
  .meta({ description: "What samples and is trained" });

/** How a served policy is asked, not what it answers. */
export const policyTransportKeys = [
  "url",
  "headers",
  "choices",
  "seeds",
  "concurrency",
  "timeoutSeconds",
  "retries",
  "price",
  "serve",
] as const;

/** How a reward is asked, not what it gives: a change of these undoes nothing. */
export const transportKeys = [
  "headers",
  "batchSize",
  "batchTokens",
  "concurrency",
  "timeoutSeconds",
  "retries",
] as const;

const weight = key(
  z.number().gt(0).max(1_000_000),
  1,
  "Weight of this part; the weights are scaled to sum to 1",
);

const noPenalties: { lengthRatio: number | null; language: number } = { lengthRatio: null, language: 0 };

/** Beside every kind of reward. */
const penalties = z
  .strictObject({
    lengthRatio: key(
      z.number().gt(1).max(100).nullable(),
      noPenalties.lengthRatio,
      "A candidate may be so many times longer or shorter than usual for its source before its reward falls; null: any length",
    ),
    language: key(
      z.number().min(0).max(1),
      noPenalties.language,
      "Share of its reward that a candidate loses which reads like the source's language; 0: none",
    ),
  })
  .default(noPenalties)
  .meta({ description: "What lowers the reward, whatever its kind, before it is stored" });

/** Beside every kind of reward. */
const calibration = key(
  path.nullable(),
  null,
  "File of coppice rate DIR --calibrate FILE: the reward becomes what people gave to texts that score alike; null: as it is",
);

const adjusted = { calibration, penalties };

const retrain = key(
  z.boolean(),
  false,
  "Teach it again before each further Grow, on samples of the latest policy; policies are evaluated by the first one",
);

const members = key(
  whole(1, 16),
  1,
  "Learned rewards of as many seeds, each taught on its own; the ensemble has all of them",
);

const reward = z
  .discriminatedUnion("kind", [
    z.strictObject({ ...rewardKinds.learned, retrain, ...adjusted }).meta({
      description:
        "Learned, needs no reference: predicts how good a translation is from source and candidate",
    }),
    z
      .strictObject({ ...rewardKinds.chrf, ...adjusted })
      .meta({ description: "Sentence chrF against the human translation" }),
    z
      .strictObject({ ...rewardKinds.bleu, ...adjusted })
      .meta({ description: "Sentence BLEU against the human translation" }),
    z.strictObject({ ...rewardKinds.module, ...adjusted }).meta({ description: "A function of yours" }),
    z.strictObject({ ...rewardKinds.http, ...adjusted }).meta({ description: "A server of yours" }),
    z
      .strictObject({ ...rewardKinds.command, ...adjusted })
      .meta({ description: "A program of yours, in any language, kept running" }),
    z.strictObject({ ...rewardKinds.judge, ...adjusted }).meta({
      description: "A language model that judges by a rubric, several times a candidate",
    }),
    z.strictObject({ ...rewardKinds.ratings, ...adjusted }).meta({
      description: "Taught from people's ratings, needs no reference: what they would give",
    }),
    z.strictObject({ ...rewardKinds.pretrained, ...adjusted }).meta({
      description: "A published metric that was trained on human ratings, from its checkpoint",
    }),
    z.strictObject({ ...rewardKinds.places, ...adjusted }).meta({
      description: "Share of places that hold the right word: for toys with one right answer",
    }),
    z.strictObject({ ...rewardKinds.number, ...adjusted }).meta({
      description:
        "1 where the answer's final number is the reference's, else 0: for problems that can be checked",
    }),
    z
      .strictObject({
        kind: z.literal("sum"),
        parts: z
          .array(
            z.discriminatedUnion("kind", [
              z.strictObject({ ...rewardKinds.learned, weight }),
              z.strictObject({ ...rewardKinds.chrf, weight }),
              z.strictObject({ ...rewardKinds.bleu, weight }),
              z.strictObject({ ...rewardKinds.module, weight }),
              z.strictObject({ ...rewardKinds.http, weight }),
              z.strictObject({ ...rewardKinds.command, weight }),
              z.strictObject({ ...rewardKinds.judge, weight }),
              z.strictObject({ ...rewardKinds.ratings, weight }),
              z.strictObject({ ...rewardKinds.pretrained, weight }),
              z.strictObject({ ...rewardKinds.places, weight }),
              z.strictObject({ ...rewardKinds.number, weight }),
            ]),
          )
          .min(2)
          .meta({ description: "Rewards of any other kind, each with its weight", origin: ours }),
        ...adjusted,
      })
      .meta({ description: "Weighted sum of other rewards" }),
    z
      .strictObject({
        kind: z.literal("ensemble"),
        parts: z
          .array(
            z.discriminatedUnion("kind", [
              z.strictObject({ ...rewardKinds.learned, members }),
              z.strictObject(rewardKinds.chrf),
              z.strictObject(rewardKinds.bleu),
              z.strictObject(rewardKinds.module),
              z.strictObject(rewardKinds.http),
              z.strictObject(rewardKinds.command),
              z.strictObject(rewardKinds.judge),
              z.strictObject(rewardKinds.ratings),
              z.strictObject(rewardKinds.pretrained),
              z.strictObject(rewardKinds.places),
              z.strictObject(rewardKinds.number),
            ]),
          )
          .min(1)
          .meta({
            description: "Rewards of any simple kind, on one scale; two at least, members counted",
            origin: ours,
          }),
        combine: key(
          z.enum(["minimum", "mean-minus-deviation"]),
          "minimum",
          "The lowest of the parts' rewards, or their mean less their disagreement",
        ),
        deviations: key(
          z.number().min(0).max(100),
          1,
          "Standard deviations among the parts that are taken off their mean",
        ),
        ...adjusted,
      })
      .meta({ description: "Several rewards of the same thing, so that none is gamed alone" }),
  ])
  .prefault({ kind: "learned" })
  .meta({ description: "What scores a candidate, from 0 to 1, higher is better" });

const grow = z
  .strictObject({
    steps: key(whole(0, 100), 1, "Grow steps, the paper's G; 0: train BC only", "paper 3; G=1 and G=2 there"),
    samples: key(whole(1, 100_000), 16, "Candidates a source; the paper has 100, 25 and 1,000"),
    temperature: key(temperature, 0.8, "Softmax temperature", "paper A.3"),
    topK: key(
      whole(1, 1_000_000).nullable(),
      null,
      "Draw from the k most likely tokens only; null: from all",
    ),
    topP: key(
      z.number().gt(0).max(1).nullable(),
      null,
      "Draw from the fewest tokens whose probability reaches this; null: from all",
    ),
    maxSources: key(
      sources.nullable(),
      null,
      "Sources a Grow step samples for, chosen by the seed; null: all",
    ),
    maxTokens: key(
      whole(1, 100_000),
      128,
      "Longest candidate, here and in evaluation; a longer one is cut and marked unfinished",
      "paper A.3",
    ),
    store: key(
      path.nullable(),
      null,
      "Where shares of a Grow step on machines without a common folder leave their files: s3://BUCKET/PREFIX, or a folder; null: in the run folder",
    ),
  })
  .prefault({})
  .meta({ description: "Grow: sample candidates from the latest policy and score each once" });

export const thresholdKinds = ["absolute", "quantile", "percentile", "interpolation", "top"] as const;

type Thresholds = { kind: (typeof thresholdKinds)[number]; values: number[] };

/** Ours: quantiles fit any reward, whatever its scale. */
export const defaultThresholds: Thresholds = { kind: "quantile", values: [0.7, 0.8, 0.9] };

const syncEvery = (value: number, origin: string = ours) =>
  key(
    steps,
    value,
    "Steps between two renewals of the policy's stale copy; each Improve step renews it",
    origin,
  );

const gold = z
  .strictObject({
    variant: key(
      z.enum(["s", "p", "delta"]),
      "s",
      "Reward of a token: s its probability under BC, p its log-probability, delta always 1",
      "Pang and He; ReST does not say which",
    ),
    floor: key(z.number().min(0).max(1), 0.2, "Least importance of a token, u", "Pang and He, IWSLT"),
    lookAhead: key(whole(0, 1000), 5, "Tokens that a token's return looks ahead, k", "paper A.8: k = 5"),
    discount: key(z.number().gt(0).max(1), 1, "Discount of the tokens ahead", "Pang and He"),
    rewardFloor: key(z.number().min(0).max(100), 0.1, "Least reward of a token, c", "Pang and He, IWSLT"),
    baseline: key(
      z.number().min(-100).max(0),
      -10,
      "What log-probabilities are measured from in variant p, b",
      "Pang and He",
    ),
    syncEvery: syncEvery(3000, "Pang and He, IWSLT"),
  })
  .prefault({})
  .meta({ description: "Options of loss gold" });

const bvmpo = z
  .strictObject({
    etaEpsilon: key(
      z.number().gt(0).max(100),
      0.02,
      "Bound that the temperature η of the weights is learned for",
    ),
    alphaEpsilon: key(
      z.number().gt(0).max(100),
      0.1,
      "Bound on the divergence from the stale copy, in nats a token",
    ),
    eta: key(z.number().gt(0).max(1000), 1, "η at the start of an Improve step"),
    alpha: key(
      z.number().gt(0).max(1000),
      0.1,
      "Weight α of that divergence at the start of an Improve step",
    ),
    dualLearningRate: key(learningRate, 0.01, "Learning rate of η and α"),
    syncEvery: syncEvery(100),
    klFirst: key(
      z.number().gt(0).max(1000),
      1,
      "Weight λ of the divergence from BC at the first step",
      "paper A.8.1",
    ),
    klLast: key(
      z.number().gt(0).max(1000),
      1e-5,
      "λ at the last step; it falls in equal ratios",
      "paper A.8.1; the shape is ours",
    ),
  })
  .prefault({})
  .meta({ description: "Options of loss bvmpo" });

const oac = z
  .strictObject({
    advantageFloor: key(
      z.number().min(-1).max(0).nullable(),
      0,
      "Least advantage of a token; below 0 it is pushed down, null: without bound",
    ),
    vTrace: key(
      z.boolean(),
      false,
      "Correct advantages for how far the policy has moved",
      "paper A.8.3: no gain",
    ),
    syncEvery: syncEvery(100),
  })
  .prefault({})
  .meta({ description: "Options of loss oac" });

const rwr = z
  .strictObject({
    temperature: key(
      z.number().gt(0).max(1000),
      0.1,
      "Weights are exp(reward / temperature), shared out within a source; towards 0 only the best counts",
    ),
  })
  .prefault({})
  .meta({ description: "Options of loss rwr" });

const value = z
  .strictObject({
    steps: key(steps, 1000, "Optimizer steps of the behaviour value function, once a Grow step"),
    learningRate: key(learningRate, 3e-4, "Its learning rate"),
    maxCandidates: key(
      whole(8, 100_000_000),
      100_000,
      "Candidates it is taught on at most, chosen by the seed",
    ),
    discount: key(
      z.number().gt(0).max(1),
      1,
      "Discount of the reward for each token still to come",
      "ours; paper A.8.1 does not give it",
    ),
    leastKendall: key(
      z.number().min(-1).max(1),
      0.3,
      "Losses that need it refuse to start below this rank correlation (Kendall) with the reward",
      "ours; 0.924 in paper A.8.1",
    ),
  })
  .prefault({})
  .meta({ description: "The behaviour value function, which losses bvmpo and oac need" });

const lora = z.strictObject({
  rank: key(
    whole(1, 65_536),
    8,
    "Rank r of what is added to a layer's matrix: B·A, with r columns and r rows",
    "Hu et al. 2021",
  ),
  alpha: key(z.number().gt(0).max(1_000_000), 16, "α: what is added is scaled by α / r"),
  targets: key(
    z.array(z.enum(loraTargets)).min(1),
    ["q_proj", "v_proj"],
    "Layers that are adapted, in every encoder and decoder layer: attention's four, and the feed-forward two",
    "Hu et al. 2021",
  ),
  dropout: key(shareBelowOne, 0, "Dropout of a layer's input on its way into A"),
});

const trainer = z
  .strictObject({
    command: key(
      z.array(text("a text")),
      [],
      "Program and arguments, run in this file's folder without a shell; {train}, {model}, {out}, {policy}, {seed} and {learningRate} are filled in",
    ),
    layout: key(
      z.enum(["chat", "completion", "plain"]),
      "chat",
      "Lines of {train}: chat {messages}, completion {prompt, completion}, plain {text}",
    ),
  })
  .prefault({})
  .meta({
    description:
      'What trains a policy of kind server: its last line, or {out}/result.json, is {"model": "name or folder"}',
  });

const improve = z
  .strictObject({
    trainer,
    steps: key(
      whole(1, 100),
      3,
      "Improve steps a Grow step, the paper's I; left out: as many as thresholds.values",
      "ours; 5, 4 and 2 in paper 4",
    ),
    trainOnAll: key(
      z.boolean(),
      false,
      "First train on all candidates, unfiltered: the paper's I=0",
      "ours; paper 4, Table 1",
    ),
    loss: key(
      z.enum(lossNames),
      "bc",
      "Loss on the kept candidates: bc (log-likelihood), gold (Pang and He 2021), bvmpo, oac, rwr (reward-weighted)",
      "paper 4: bc is the best there; rwr is not in it",
    ),
    gold,
    bvmpo,
    oac,
    rwr,
    value,
    from: key(
      z.enum(["previous", "base"]),
      "previous",
      "Fine-tune from the policy before, or from BC every time, as ReST-EM does",
      "paper 3",
    ),
    lora: key(
      lora.nullable(),
      null,
      "Train a low-rank adapter on BC and leave BC's weights as they are, for all Improve steps; null: train all weights",
    ),
    thresholds: z
      .strictObject({
        kind: z.enum(thresholdKinds).meta({
          description:
            "absolute: reward; quantile: of all rewards; per source: percentile, interpolation (mean to best), top (how many)",
          origin: "ours; paper 4 has absolute, A.7 percentile and interpolation",
        }),
        values: required(
          z.array(z.number()).min(1),
          "One for each Improve step, each stricter than the one before; a candidate is kept when its reward is above",
        ),
      })
      .default(defaultThresholds)
      .meta({ description: "What is kept: the paper's τ, one an Improve step" }),
    human: key(
      z.enum(["filtered", "all", "none"]),
      "filtered",
      "Human pairs in the mix: those above the threshold too, all, or none",
      "paper 3, Eq. 3",
    ),
    deduplicate: key(
      z.boolean(),
      false,
      "Keep one of equal candidates of a source; copies are how a policy says what it is sure of",
      "ours; paper 3 weighs candidates as they were sampled",
    ),
    capPerSource: key(
      whole(1, 100_000).nullable(),
      null,
      "Keep at most so many candidates a source, the best; null: no limit",
    ),
    lengthRatio: key(
      z.tuple([z.number().min(0).max(1000), z.number().gt(0).max(1000)]).nullable(),
      null,
      "Keep candidates whose characters over the source's lie between these two; null: any",
    ),
    maxRepetition: key(
      z.number().min(0).max(1).nullable(),
      null,
      "Keep candidates of which at most this share of words belongs to a phrase said twice in a row; null: any",
    ),
    passRate: key(
      z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)]).nullable(),
      null,
      "Keep sources of whose samples a share between these two passes, both included; null: any. [0.1, 0.9] leaves out what is too hard or known already",
    ),
    passAbove: key(z.number().min(0).lt(1), 0.5, "Reward above which a sample passes"),
    trainSteps: key(steps, 1000, "Optimizer steps at most; the paper has 500,000"),
    batchTokens: optimizer.batchTokens(2048),
    accumulate: optimizer.accumulate,
    learningRate: key(learningRate, 3e-4, "Learning rate of the first Improve step"),
    learningRateFactor: key(
      z.number().gt(0).max(1),
      0.5,
      "Each further Improve step multiplies the learning rate by this",
      "ours; paper 3 says lower each time",
    ),
    warmupSteps: optimizer.warmupSteps(50),
    schedule: optimizer.schedule("constant"),
    labelSmoothing: optimizer.labelSmoothing(0.1),
    dropout: key(shareBelowOne, 0.1, "Dropout while an Improve step trains"),
    weightDecay: optimizer.weightDecay(1e-4),
    clipNorm: optimizer.clipNorm(1),
    averageDecay: optimizer.averageDecay(0.99),
    evaluateEvery: key(
      steps,
      250,
      "Steps between two looks at the mean reward on validation sources; the best checkpoint, or the start, is kept",
      "ours; paper A.3 keeps the best too",
    ),
    patience: key(
      whole(0, 100_000),
      2,
      "Stop after so many looks without a better one; 0: go through all steps",
    ),
    guard: key(
      z.enum(["none", "chrf", "bleu"]),
      "none",
      "Metric against the human translations of validation that stops a step where it falls; choose one the reward is not",
    ),
    guardTolerance: key(
      z.number().min(0).max(100),
      1,
      "Points it may lie below BC's; the held-out metric below the step's start before a warning is given",
    ),
    control: key(
      z.boolean(),
      true,
      "Train a control beside the last step: as many candidates, chosen at random, by the same steps",
    ),
  })
  .prefault({})
  .meta({ description: "Improve: keep the candidates above a rising threshold and fine-tune on them" });

const ppo = z
  .strictObject({
    clip: key(
      z.number().gt(0).lt(1),
      0.2,
      "The ratio to the policy that sampled counts up to this far from 1",
      "Schulman et al. 2017",
    ),
    discount: key(
      z.number().min(0).max(1),
      1,
      "γ, discount of a later token's reward",
      "Ziegler et al. 2019",
    ),
    lambda: key(
      z.number().min(0).max(1),
      0.95,
      "λ of the advantage estimates: 1 trusts returns alone, 0 the value function",
      "Schulman et al. 2016; Ziegler et al. 2019",
    ),
    whiten: key(
      z.boolean(),
      true,
      "Give the advantages of a batch mean 0 and deviation 1",
      "Ziegler et al. 2019, in their code",
    ),
    valueLearningRate: key(learningRate, 3e-4, "Learning rate of the value function"),
  })
  .prefault({})
  .meta({ description: "Options of method ppo" });

const online = z
  .strictObject({
    samples: key(
      whole(1, 1_000_000_000).nullable(),
      null,
      "Candidates drawn in all; null: as many as ReST would draw, grow.steps × sources × grow.samples",
      "ours; paper 4 compares at equal samples",
    ),
    sourcesPerBatch: key(whole(1, 1_000_000), 64, "Sources of one batch, chosen by the seed"),
    samplesPerSource: key(
      whole(1, 100_000),
      8,
      "Candidates a source in a batch, which are compared with each other",
      "ours; k = 2 and 4 in Ahmadian et al. 2024",
    ),
    temperature: key(
      temperature,
      1,
      "Softmax temperature of the samples; only at 1 are they drawn from the policy that is trained",
    ),
    epochs: key(
      whole(1, 1000).nullable(),
      null,
      "Passes over each batch; null: 4 for ppo, 1 for rloo",
      "Ziegler et al. 2019 for ppo",
    ),
    batchTokens: optimizer.batchTokens(2048),
    learningRate: key(learningRate, 1e-4, "Learning rate, which stays after the warm-up"),
    warmupSteps: optimizer.warmupSteps(10),
    clipNorm: optimizer.clipNorm(1),
    normalise: key(
      z.boolean(),
      true,
      "Give the rewards of a source's candidates in a batch mean 0 and deviation 1; where all are equal, 0",
    ),
    klCoefficient: key(
      z.number().min(0).max(1000),
      0.05,
      "β, price of a nat of divergence from BC, in units of the (normalised) reward",
    ),
    klTarget: key(
      z.number().gt(0).max(1000).nullable(),
      6,
      "Divergence from BC, in nats a sequence, that β is adapted towards; null: β stays",
      "Ziegler et al. 2019 for ppo",
    ),
    evaluateEvery: key(
      whole(1, 1_000_000),
      4,
      "Batches between two looks at the mean reward on validation sources; the best checkpoint, or BC, is kept",
    ),
    ppo,
  })
  .prefault({})
  .meta({
    description:
      "Online training with method ppo or rloo: sample a batch, score it, train on it, sample the next from what came out",
  });

const evaluate = z
  .strictObject({
    sources: key(
      sources.nullable(),
      null,
      "Test sources to evaluate on; null: all",
      "ours; 7,466, 2,000 and 6,000 in paper A.3",
    ),
    samples: key(whole(1, 10_000), 8, "Samples a source for the mean reward"),
    temperature: key(temperature, 0.8, "Temperature of those samples", "ours; the paper does not say"),
    beam: key(whole(1, 256), 1, "Beam width of the translations that BLEU and chrF see; 1: greedy"),
    bestOfN: key(z.array(whole(1, 100_000)), [1, 2, 4, 8, 16], "Points of the best-of-N curve; []: no curve"),
    bestOfNSamples: key(
      whole(1, 100_000),
      32,
      "Samples a source that the curve is estimated from; at least the largest N",
    ),
    rerank: key(
      z.boolean(),
      false,
      "Beside best of N by reward, by a weighted sum of the reward, its parts and the log-probability; weights tuned on validation",
    ),
    rerankSources: key(sources, 200, "Validation sources that those weights are tuned on, at most"),
    answers: key(
      z.enum(["none", "number", "text"]),
      "none",
      "Exact match, pass@k and maj@k, at the points of bestOfN: of the final number, or of the whole text",
    ),
    outOfDomain: key(
      path.nullable(),
      null,
      "File of pairs from another domain, to measure forgetting on; null: on train alone",
    ),
    examples: key(whole(0, 1000), 5, "Sentences shown with the translation of every policy"),
    bleuTokenizer: key(
      z.enum(["13a", "zh", "char", "intl"]),
      "13a",
      "sacreBLEU's tokenizer; zh for Chinese, char for other scripts without spaces",
    ),
    judge: z
      .strictObject({
        ...rewardKinds.pretrained,
        kind: required(
          z.literal("pretrained"),
          "A published metric whose mean stands beside BLEU and chrF; without evaluate.judge there is none",
        ),
      })
      .optional()
      .meta({ description: "A published metric, of another family than the reward" }),
  })
  .prefault({})
  .meta({ description: "What the report measures, on sources never trained on" });

/** Relatives of ReST as settings of the same loop, one YAML file each in `presets/`. */
export const methodNames = ["raft", "rest-em", "rejection-fine-tuning", "best-of-n-distillation"] as const;
export type MethodName = (typeof methodNames)[number];

export const presetNames = [
  "toy",
  "demo",
  "paper-iwslt14",
  "paper-wmt20",
  "paper-web",
  ...methodNames,
] as const;
export type PresetName = (typeof presetNames)[number];

/** Keys that a learned reward is taught by. */
export const lessonKeys = Object.keys(rewardKinds.learned);

export const configSchema = z.strictObject({
  seed: key(
    whole(0, Number.MAX_SAFE_INTEGER),
    1,
    "Every random draw follows from it: the same seed and data give the same run",
  ),
  preset: z
    .union([z.enum(presetNames), z.array(z.enum(presetNames)).min(1)])
    .optional()
    .meta({
      description:
        "Base values that the rest of the file overrides; of a list, a later one overrides those before it",
      origin: ours,
    }),
  method: key(
    z.enum(["rest", ...onlineMethodNames]),
    "rest",
    "What follows BC: rest (Grow and Improve), or a baseline that trains online, ppo or rloo",
    "paper 4 compares with online RL",
  ),
  data,
  policy,
  model,
  bc,
  reward,
  grow,
  improve,
  online,
  evaluate,
});

/** A configuration with every key filled in. */
export type Config = z.output<typeof configSchema>;

type DeepPartial<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { [Key in keyof Value]?: DeepPartial<Value[Key]> }
    : Value;

/** A configuration as a file or a program gives it: what is left out takes the preset's value or the default. */
export type ConfigInput = DeepPartial<z.input<typeof configSchema>>;
