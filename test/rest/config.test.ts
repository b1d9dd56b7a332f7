/** The configuration: what is accepted, what is refused and in which words, and the pages printed from it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { defaultConfig, parseConfig, renderConfig, resolveConfig } from "../../src/rest/config.js";
import { commentedConfig, configurationPage } from "../../src/rest/config-pages.js";
import { presetNames } from "../../src/rest/config-schema.js";
import { pathText, properties, type SchemaNode, schemaTree, shapes } from "../../src/rest/config-words.js";
import { modelSize } from "../../src/rest/model-size.js";

const data = "data: {train: [pairs.tsv]}\n";

/** The one sentence for a configuration that is refused. */
function refusal(text: string): string {
  try {
    parseConfig(text, "iwslt.yaml");
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

describe("a configuration", () => {
  test("needs nothing but the files to train on", () => {
    expect(parseConfig(data, "a.yaml")).toEqual(defaultConfig(["pairs.tsv"]));
  });

  test("has the paper's temperature and length limit by default", () => {
    const { grow } = defaultConfig(["pairs.tsv"]);
    expect([grow.temperature, grow.maxTokens]).toEqual([0.8, 128]);
  });

  test("takes the defaults of a group whose keys are all commented out", () => {
    expect(parseConfig(`${data}grow:\n#  samples: 3\nreward:\n`, "a.yaml")).toEqual(
      defaultConfig(["pairs.tsv"]),
    );
  });

  test("starts with a byte order mark or Windows line ends if it likes", () => {
    expect(parseConfig(`\ufeff${data}grow:\r\n  samples: 3\r\n`, "a.yaml").grow.samples).toBe(3);
  });

  test("of a list of presets a later one overrides those before it", () => {
    const config = parseConfig(`preset: [demo, raft]\n${data}`, "a.yaml");
    expect(config.model.vocabulary).toBe(3000);
    expect(config.grow).toMatchObject({ steps: 4, samples: 8, maxSources: 4000 });
    expect(config.improve).toMatchObject({
      steps: 1,
      human: "none",
      thresholds: { kind: "top", values: [1] },
    });
  });

  test("overrides a preset key by key", () => {
    const config = parseConfig(`preset: paper-iwslt14\n${data}grow: {samples: 7}\n`, "a.yaml");
    expect([config.grow.samples, config.model.preset, config.improve.trainSteps]).toEqual([
      7,
      "iwslt",
      500_000,
    ]);
  });

  test("of another kind of reward keeps nothing of the kind below it", () => {
    expect(parseConfig(`preset: demo\n${data}reward: {kind: chrf}\n`, "a.yaml").reward).toEqual({
      kind: "chrf",
      wordOrder: 0,
      calibration: null,
      penalties: { lengthRatio: null, language: 0 },
    });
  });

  test("does as many Improve steps as it gives thresholds, unless it says how many", () => {
    const steps = (text: string) => parseConfig(`${data}improve: ${text}`, "a.yaml").improve.steps;
    expect(steps("{thresholds: {values: [0.5, 0.6]}}")).toBe(2);
    expect(steps("{steps: 1, thresholds: {values: [0.5, 0.6]}}")).toBe(1);
    expect(steps("{steps: 2}")).toBe(2);
  });

  test("takes a seed up to 2^53 − 1", () => {
    expect(parseConfig(`${data}seed: 9007199254740991`, "a.yaml").seed).toBe(2 ** 53 - 1);
  });

  test("keeps fewer and fewer candidates a source with thresholds of kind top", () => {
    const { thresholds } = parseConfig(
      `${data}improve: {thresholds: {kind: top, values: [4, 2, 1]}}`,
      "a.yaml",
    ).improve;
    expect(thresholds.values).toEqual([4, 2, 1]);
  });

  test("given by a program is filled in and checked like a file, without a place", () => {
    expect(resolveConfig({ data: { train: ["a.tsv"] }, grow: { samples: 3 } }).grow.samples).toBe(3);
    expect(() => resolveConfig({ data: { train: ["a.tsv"] }, grow: { samples: 0 } })).toThrow(
      /^grow\.samples is 0 but must be a whole number from 1 to 100000\.$/,
    );
  });

  test("given by a program is not changed and shares no list with the next one", () => {
    const first = resolveConfig({ data: { train: ["a.tsv"] } });
    first.improve.thresholds.values.push(0.99);
    expect(resolveConfig({ data: { train: ["a.tsv"] } }).improve.thresholds.values).toEqual([0.7, 0.8, 0.9]);
  });
});

describe("an adapter", () => {
  test("is trained where improve.lora is a group, with the paper's values where it says nothing", () => {
    expect(defaultConfig(["a.tsv"]).improve.lora).toBeNull();
    expect(parseConfig(`${data}improve: {lora: {}}`, "a.yaml").improve.lora).toEqual({
      rank: 8,
      alpha: 16,
      targets: ["q_proj", "v_proj"],
      dropout: 0,
    });
    const config = parseConfig(`${data}improve: {lora: {rank: 4}}`, "a.yaml");
    expect(parseConfig(renderConfig(config), "a.yaml")).toEqual(config);
    const commented = commentedConfig({ data: { train: ["a.tsv"] }, improve: { lora: { rank: 4 } } });
    expect(commented).toMatch(/\n {2}lora:\n {4}# Rank r of [^\n]+\n {4}rank: 4\n/);
    expect(parseConfig(commented, "a.yaml").improve.lora).toEqual(config.improve.lora);
  });

  test.each([
    ["lora: {rank: 0}", "improve.lora.rank is 0 but must be a whole number from 1 to 65536."],
    [
      "lora: {targets: [q_proj, qproj]}",
      'improve.lora.targets[1] is "qproj" but must be one of q_proj, k_proj, v_proj, out_proj, fc1, fc2. Did you mean q_proj?',
    ],
    [
      "lora: {targets: []}",
      "improve.lora.targets is a list of 0 but must be a list of 1 or more, each one of q_proj, ",
    ],
    ["lora: {targets: [fc1, fc1]}", "improve.lora.targets[1] is fc1, which the list already holds."],
    ["lora: {ranks: 4}", "improve.lora.ranks is not a key. Did you mean improve.lora.rank?"],
    ["lora: 8", "improve.lora is 8 but must be a group of keys (rank, alpha, targets, dropout)"],
    [
      "lora: {rank: 129}",
      "improve.lora.rank is 129 but must be at most 128, the smaller side of the matrices that it adapts.",
    ],
  ])("%s is refused in a sentence", (text, sentence) => {
    expect(refusal(`${data}improve: {${text}}`)).toContain(sentence);
  });

  test("may have the rank of the narrowest layer that it adapts", () => {
    const narrow = `${data}model: {inner: 64}\n`;
    expect(parseConfig(`${narrow}improve: {lora: {rank: 128}}`, "a.yaml").improve.lora?.rank).toBe(128);
    expect(refusal(`${narrow}improve: {lora: {rank: 65, targets: [fc2]}}`)).toContain("must be at most 64");
  });
});

describe("the size of the model", () => {
  const size = (text: string) => modelSize(parseConfig(data + text, "a.yaml").model);

  test("is the preset's; the paper's three have its sizes", () => {
    // Paper A.3.
    const paper = { encoderLayers: 6, decoderLayers: 6 };
    expect(size("model: {preset: iwslt}")).toEqual({ ...paper, width: 512, inner: 1024, heads: 4 });
    expect(size("model: {preset: base}")).toEqual({ ...paper, width: 512, inner: 2048, heads: 8 });
    expect(size("model: {preset: big}")).toEqual({ ...paper, width: 1024, inner: 8192, heads: 16 });
  });

  test("gives way key by key to what the file says", () => {
    expect(size("model: {preset: base, decoderLayers: 2}")).toMatchObject({
      encoderLayers: 6,
      decoderLayers: 2,
    });
  });
});

describe("a configuration written out", () => {
  const texts = {
    defaults: data,
    "own files for each part": "data: {train: [a.tsv], validation: b.tsv, test: c.tsv}\n",
    "a Hugging Face folder": `${data}model: {from: opus-mt, dropout: 0.2}\n`,
    "a sum of rewards": `${data}reward: {kind: sum, parts: [{kind: learned}, {kind: module, path: r.mjs, weight: 3}]}\n`,
    ...Object.fromEntries(presetNames.map((name) => [`preset ${name}`, `preset: ${name}\n${data}`])),
  };
  test.each(Object.entries(texts))("reads back as it was: %s", (_, text) => {
    const { preset: _preset, ...config } = parseConfig(text, "a.yaml");
    expect(parseConfig(renderConfig(config), "b.yaml")).toEqual(config);
  });
});

describe("a mistake in a key", () => {
  test("unknown, with a near one", () => {
    expect(refusal(`${data}grow:\n  temprature: 0.8\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.temprature is not a key. Did you mean grow.temperature?"`,
    );
    expect(refusal("data:\n  trian: [pairs.tsv]\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:2: data.trian is not a key. Did you mean data.train?"`,
    );
    expect(refusal(`${data}gorw: {}\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: gorw is not a key. Did you mean grow?"`,
    );
  });

  test("unknown here, but a key of another group", () => {
    expect(refusal(`${data}samples: 100\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: samples is not a key. Did you mean grow.samples or online.samples or evaluate.samples?"`,
    );
  });

  test("unknown, and near nothing", () => {
    expect(refusal(`${data}grow:\n  colour: red\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.colour is not a key. The keys of grow are steps, samples, temperature, topK, topP, maxSources, maxTokens, store."`,
    );
    expect(refusal(`${data}constructor: 1\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: constructor is not a key. The keys of this file are seed, preset, method, data, policy, model, bc, reward, grow, improve, online, evaluate."`,
    );
  });

  test("of another kind", () => {
    expect(refusal(`${data}reward:\n  kind: chrf\n  steps: 100\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:4: reward.steps is a key of kind learned, but the kind here is "chrf". Remove it or change the kind."`,
    );
  });

  test("without effect beside another", () => {
    expect(refusal("data:\n  train: [a.tsv]\n  test: b.tsv\n  testSize: 100\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:4: data.testSize has no effect where data.test names a file. Remove one of the two."`,
    );
    expect(refusal("data: {train: [a.tsv], rewardShare: 0.3}\nreward: {kind: chrf}\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:1: data.rewardShare has no effect where reward.kind is chrf, which learns nothing. Remove one of the two."`,
    );
    expect(refusal(`${data}model:\n  from: opus-mt\n  vocabulary: 8000\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:4: model.vocabulary has no effect where model.from names a folder, which has its own. Remove one of the two."`,
    );
  });

  test("missing", () => {
    expect(refusal("seed: 1\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:1: data.train is missing. It must be a list of 1 or more, each a path."`,
    );
    expect(refusal(`${data}reward: {kind: module}\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: reward.path is missing. It must be a path."`,
    );
    expect(refusal(`${data}improve:\n  thresholds:\n    kind: percentile\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: improve.thresholds.values is missing. It must be a list of 1 or more, each a number."`,
    );
  });
});

describe("a value that is refused", () => {
  test("a seed that is not a whole number from 0 to 2^53 − 1", () => {
    expect(refusal(`${data}seed: -1`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: seed is -1 but must be a whole number from 0 to 9007199254740991."`,
    );
    expect(refusal(`${data}seed: 1.5`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: seed is 1.5 but must be a whole number from 0 to 9007199254740991."`,
    );
    expect(refusal(`${data}seed: 9007199254740993`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: seed is 9007199254740993 but must be a whole number from 0 to 9007199254740991."`,
    );
  });

  test("a number out of range", () => {
    expect(refusal(`${data}grow:\n  temperature: 0`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.temperature is 0 but must be a number above 0 and at most 10."`,
    );
    expect(refusal(`${data}grow:\n  temperature: .nan`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.temperature is .nan but must be a number above 0 and at most 10."`,
    );
    expect(refusal(`${data}model: {dropout: 1}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: model.dropout is 1 but must be a number from 0 and below 1."`,
    );
    expect(refusal("data: {train: [a.tsv], validationSize: 1.5}")).toMatchInlineSnapshot(
      `"iwslt.yaml:1: data.validationSize is 1.5 but must be a whole number from 1 to 1000000000, or a number above 0 and below 1."`,
    );
  });

  test("something else than a number", () => {
    expect(refusal(`${data}grow:\n  temperature: "0.8"`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.temperature is "0.8" but must be a number above 0 and at most 10."`,
    );
    expect(refusal(`${data}grow:\n  samples:\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.samples is empty but must be a whole number from 1 to 100000."`,
    );
    expect(refusal(`${data}grow:\n  topK: [1, 2]\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.topK is a list of 2 but must be a whole number from 1 to 1000000, or null."`,
    );
  });

  test("an ensemble of one, and a setting that its kind of combination does not use", () => {
    expect(refusal(`${data}reward:\n  kind: ensemble\n  parts: [{kind: learned}]\n`)).toBe(
      "iwslt.yaml:4: reward.parts has one reward, but an ensemble needs two at least. Add a part, or raise members of a learned one.",
    );
    expect(
      refusal(`${data}reward:\n  kind: ensemble\n  parts: [{kind: learned, members: 2}]\n  deviations: 2\n`),
    ).toBe(
      "iwslt.yaml:5: reward.deviations has no effect where reward.combine is minimum. Remove one of the two.",
    );
  });

  test("a reward to be taught again before a second Grow that there is not", () => {
    expect(refusal(`${data}reward:\n  kind: learned\n  retrain: true\n`)).toBe(
      "iwslt.yaml:4: reward.retrain is true but grow.steps is 1, and the reward is taught again before the second Grow. Raise grow.steps or remove it.",
    );
  });

  test("a length penalty that nothing could escape", () => {
    expect(refusal(`${data}reward:\n  kind: chrf\n  penalties: {lengthRatio: 1}\n`)).toBe(
      "iwslt.yaml:4: reward.penalties.lengthRatio is 1 but must be a number above 1 and at most 100, or null.",
    );
  });

  test("a name that is not one of those offered", () => {
    expect(refusal(`${data}reward: {kind: cherf}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: reward.kind is "cherf" but must be one of learned, chrf, bleu, module, http, command, judge, ratings, pretrained, places, number, sum, ensemble. Did you mean chrf?"`,
    );
    expect(refusal(`${data}preset: paper-iwslt15`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: preset is "paper-iwslt15" but must be one of toy, demo, paper-iwslt14, paper-wmt20, paper-web, raft, rest-em, rejection-fine-tuning, best-of-n-distillation, or a list of these. Did you mean paper-iwslt14?"`,
    );
    expect(refusal(`${data}improve: {control: yes}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: improve.control is "yes" but must be true or false."`,
    );
  });

  test("a value where a group or a list belongs", () => {
    expect(refusal(`${data}grow: 3`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: grow is 3 but must be a group of keys (steps, samples, temperature, topK, topP, maxSources, maxTokens, store), each on a line of its own."`,
    );
    expect(refusal("data:\n  train: pairs.tsv\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:2: data.train is "pairs.tsv" but must be a list of 1 or more, each a path."`,
    );
    expect(refusal("data:\n  train: []\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:2: data.train is a list of 0 but must be a list of 1 or more, each a path."`,
    );
  });
});

describe("keys that do not fit each other", () => {
  test("thresholds that do not rise", () => {
    expect(
      refusal(`${data}improve:\n  thresholds:\n    values:\n      - 0.7\n      - 0.8\n      - 0.7\n`),
    ).toMatchInlineSnapshot(
      `"iwslt.yaml:7: improve.thresholds.values[2] is 0.7 but must be above 0.8, the one before it. Raise it or remove it."`,
    );
    expect(refusal(`${data}improve: {thresholds: {values: [0.7, 0.7]}}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: improve.thresholds.values[1] is 0.7 but must be above 0.7, the one before it. Raise it or remove it."`,
    );
    expect(refusal(`${data}improve: {thresholds: {kind: top, values: [2, 4]}}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: improve.thresholds.values[1] is 4 but must be below 2, the one before it. Lower it or remove it."`,
    );
  });

  test("thresholds on another scale than their kind's", () => {
    expect(refusal(`${data}improve: {thresholds: {values: [70, 80]}}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: improve.thresholds.values[0] is 70 but must be a share of all rewards from 0 and below 1, as thresholds.kind is quantile. Write 0.7."`,
    );
    expect(refusal(`${data}improve: {thresholds: {kind: absolute, values: [1]}}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: improve.thresholds.values[0] is 1 but must be a reward from 0 and below 1, as thresholds.kind is absolute."`,
    );
    expect(refusal(`${data}improve: {thresholds: {kind: percentile, values: [100]}}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: improve.thresholds.values[0] is 100 but must be a percentile from 0 and below 100, as thresholds.kind is percentile."`,
    );
    expect(refusal(`${data}improve: {thresholds: {kind: top, values: [0.5]}}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: improve.thresholds.values[0] is 0.5 but must be a whole number of candidates a source, 1 or more, as thresholds.kind is top."`,
    );
    expect(refusal(`${data}improve: {thresholds: {kind: top, values: [17]}}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: improve.thresholds.values[0] is 17 but must be at most grow.samples, 16, or nothing is filtered. Lower it or raise grow.samples."`,
    );
  });

  test("fewer thresholds than Improve steps", () => {
    expect(refusal(`${data}improve:\n  steps: 4\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: improve.steps is 4 but improve.thresholds.values has 3, and each Improve step needs one. Add thresholds or lower improve.steps."`,
    );
  });

  test("thresholds a source with one candidate a source", () => {
    expect(
      refusal(`${data}grow: {samples: 1}\nimprove: {thresholds: {kind: percentile, values: [90]}}`),
    ).toMatchInlineSnapshot(
      `"iwslt.yaml:2: grow.samples is 1 but must be 2 or more, as thresholds of kind percentile compare candidates of one source. Raise it."`,
    );
  });

  test("a warm-up longer than the training", () => {
    expect(refusal(`${data}bc:\n  steps: 100\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: bc.warmupSteps is 400 but must be at most bc.steps, 100. Lower it or raise bc.steps."`,
    );
    expect(refusal(`${data}reward:\n  warmupSteps: 5000\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: reward.warmupSteps is 5000 but must be at most reward.steps, 1000. Lower it or raise reward.steps."`,
    );
  });

  test("accumulated gradients under a loss that looks at one batch at a time", () => {
    expect(refusal(`${data}improve: {loss: bvmpo, accumulate: 2}`)).toBe(
      "iwslt.yaml:2: improve.accumulate is 2 but must be 1, as improve.loss bvmpo takes the best half of one batch at each step. " +
        "Raise improve.batchTokens instead.",
    );
  });

  test("best-of-N points that do not rise, or lie beyond the samples", () => {
    expect(refusal(`${data}evaluate: {bestOfN: [4, 4]}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: evaluate.bestOfN[1] is 4 but must be above 4, the one before it. Raise it or remove it."`,
    );
    expect(refusal(`${data}evaluate:\n  bestOfN: [1, 64]\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: evaluate.bestOfN[1] is 64 but must be at most evaluate.bestOfNSamples, 32. Remove it or raise evaluate.bestOfNSamples."`,
    );
  });

  test("a width that its heads do not divide, or that is odd", () => {
    expect(refusal(`${data}model: {width: 30, heads: 4}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: model.heads is 4 but must divide model.width, 30. Change one of them."`,
    );
    expect(refusal(`${data}model:\n  preset: iwslt\n  heads: 3\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:4: model.heads is 3 but must divide model.width, 512. Change one of them."`,
    );
    expect(refusal(`${data}model: {width: 31, heads: 1}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: model.width is 31 but must be even: half of it holds sines, half cosines."`,
    );
  });

  test("keys of Grow and Improve beside an online method, and of an online method beside ReST", () => {
    expect(refusal(`${data}method: ppo\nimprove: {loss: gold}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: improve has no effect where method is ppo. Remove one of the two."`,
    );
    expect(refusal(`${data}online:\n  samples: 5000\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: online has no effect where method is rest. Remove one of the two."`,
    );
    expect(refusal(`${data}method: rloo\nonline:\n  ppo: {clip: 0.1}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:4: online.ppo has no effect where method is rloo. Remove one of the two."`,
    );
    expect(refusal(`${data}method: rloo\ngrow: {samples: 4}\nonline: {samples: 5000}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.samples has no effect where method is rloo and online.samples is a number. Remove one of the two."`,
    );
    expect(refusal(`${data}method: rloo\ngrow: {store: s3://bucket/x}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.store has no effect where method is rloo. Remove one of the two."`,
    );
    expect(refusal(`${data}method: rloo\nreward: {retrain: true}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: reward.retrain has no effect where method is rloo. Remove one of the two."`,
    );
  });

  test("a store that is neither a folder nor a plain S3 address", () => {
    expect(refusal(`${data}grow:\n  store: s3://bucket/x?s3_secret_access_key=1`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.store is neither a folder nor s3://BUCKET/PREFIX, of letters, digits and - _ . = alone. Credentials, region and endpoint are taken from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL."`,
    );
    expect(parseConfig(`${data}grow: {store: s3://bucket/runs/a}`, "a.yaml").grow.store).toBe(
      "s3://bucket/runs/a",
    );
  });

  test("online samples that do not fill a batch, or cannot be compared", () => {
    expect(refusal(`${data}method: ppo\nonline: {samples: 511}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: online.samples is 511 but must be at least one batch, 512 (online.sourcesPerBatch × online.samplesPerSource). Raise it, or lower one of these."`,
    );
    expect(refusal(`${data}method: rloo\nonline: {samplesPerSource: 1}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: online.samplesPerSource is 1 but must be 2 or more, as method rloo compares candidates of one source. Raise it."`,
    );
    expect(
      refusal(`${data}method: rloo\nonline: {samplesPerSource: 1, normalise: false}`),
    ).toMatchInlineSnapshot(
      `"iwslt.yaml:3: online.samplesPerSource is 1 but must be 2 or more, as method rloo compares candidates of one source. Raise it."`,
    );
    expect(refusal(`${data}method: ppo\nonline: {samplesPerSource: 1}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: online.samplesPerSource is 1 but must be 2 or more, as online.normalise compares candidates of one source. Raise it."`,
    );
    expect(refusal(`${data}method: ppo\ngrow: {steps: 0}`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: grow.steps is 0, so that ReST would draw no samples and method ppo may draw none either. Set online.samples."`,
    );
    expect(refusal(`${data}method: pppo`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: method is "pppo" but must be one of rest, ppo, rloo. Did you mean ppo?"`,
    );
  });

  test("the same file twice", () => {
    expect(refusal("data: {train: [a.tsv, a.tsv]}")).toMatchInlineSnapshot(
      `"iwslt.yaml:1: data.train[1] is a.tsv, which the list already holds. Remove it."`,
    );
    expect(refusal("data: {train: [a.tsv], test: a.tsv}")).toMatchInlineSnapshot(
      `"iwslt.yaml:1: data.test is a.tsv, which data.train holds too, so that nothing would be unseen. Name another file, or null to split it off."`,
    );
    expect(refusal("data: {train: [a.tsv], validation: b.tsv, test: b.tsv}")).toMatchInlineSnapshot(
      `"iwslt.yaml:1: data.test is b.tsv, the same as data.validation. Name another file, or null to split it off."`,
    );
  });

  test("the same reward twice in a sum", () => {
    expect(
      refusal(`${data}reward:\n  kind: sum\n  parts:\n    - kind: chrf\n    - kind: chrf\n`),
    ).toMatchInlineSnapshot(
      `"iwslt.yaml:6: reward.parts[1] is a second part of kind chrf. Remove it and add its weight to the first."`,
    );
  });
});

describe("a file that is not a configuration", () => {
  test("empty", () => {
    expect(refusal("")).toMatchInlineSnapshot(
      `"iwslt.yaml: this file holds no keys but needs data.train at least. Write one with \`coppice init DIR --pairs FILE\`."`,
    );
    expect(refusal("# nothing yet\n")).toMatchInlineSnapshot(
      `"iwslt.yaml: this file holds no keys but needs data.train at least. Write one with \`coppice init DIR --pairs FILE\`."`,
    );
  });

  test("not a group of keys", () => {
    expect(refusal("- a\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:1: this file is a list of 1 but must hold keys, such as \`data:\`."`,
    );
    expect(refusal("pairs.tsv\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:1: this file is "pairs.tsv" but must hold keys, such as \`data:\`."`,
    );
  });

  test("not YAML", () => {
    expect(refusal("data:\n\ttrain: [a.tsv]\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:2: this line is indented by a tab, but YAML wants spaces. Replace the tab."`,
    );
    expect(refusal(`seed: 1\n${data}seed: 2\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:3: the key seed stands here a second time in the same group. Remove one of them."`,
    );
    expect(refusal("data:\n  train: [a.tsv]\n grow: {}\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:3: the indentation does not fit the lines above. Keys of one group start in the same column."`,
    );
    expect(refusal('data:\n  train: ["a.tsv]\n')).toMatchInlineSnapshot(
      `"iwslt.yaml:3: the quote that opens this text is never closed. Close it."`,
    );
    expect(refusal("data: train: a.tsv\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:1: a key and its value should stand here as \`key: value\`, with a space after the colon. Check this line, its quotes and its indentation."`,
    );
    expect(refusal("data:\n  train: *.tsv\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:2: this *name stands for no &name before it, or for too much. Write the value out, or put it in quotes."`,
    );
    expect(refusal(`${data}---\nseed: 1\n`)).toMatchInlineSnapshot(
      `"iwslt.yaml:2: a second document starts here (---), but a configuration is one. Remove that line."`,
    );
    expect(refusal("data:\n  train: [a.tsv\nseed: 1\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:3: the [ or { that opens above is not closed before this line. Close it."`,
    );
    expect(refusal("data: @a\n")).toMatchInlineSnapshot(
      `"iwslt.yaml:1: this is not YAML: plain value cannot start with reserved character @. Mend the line, or put the text in quotes."`,
    );
  });

  test("a bomb of aliases ends at once", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    expect(refusal(lines.join("\n"))).toMatchInlineSnapshot(
      `"iwslt.yaml:2: this *name stands for no &name before it, or for too much. Write the value out, or put it in quotes."`,
    );
  });
});

describe("the schema", () => {
  const leaves = (node: SchemaNode, path: readonly string[] = []): [string, SchemaNode][] =>
    shapes(node).flatMap((shape) =>
      Object.entries(properties(shape)).flatMap(([name, child]): [string, SchemaNode][] =>
        child.properties || child.oneOf
          ? leaves(child, [...path, name])
          : [[pathText([...path, name]), child]],
      ),
    );

  test("describes every key and says where its value comes from", () => {
    const silent = leaves(schemaTree()).filter(
      ([key, node]) =>
        !key.endsWith(".kind") && (node.description === undefined || node.origin === undefined),
    );
    expect(silent).toEqual([]);
  });

  test("bounds every number", () => {
    const numbers = (node: SchemaNode): SchemaNode[] => {
      if (node.anyOf) return node.anyOf.flatMap((branch) => numbers(branch as SchemaNode));
      return !node.enum && (node.type === "number" || node.type === "integer") ? [node] : [];
    };
    const unbounded = leaves(schemaTree()).filter(([, node]) =>
      numbers(node).some(
        (one) =>
          (one.minimum ?? one.exclusiveMinimum) === undefined ||
          (one.maximum ?? one.exclusiveMaximum) === undefined,
      ),
    );
    expect(unbounded.map(([key]) => key)).toEqual([]);
  });
});

describe("the pages printed from the schema", () => {
  test("the commented coppice.yaml reads as the defaults", () => {
    expect(parseConfig(commentedConfig({ data: { train: ["pairs.tsv"] } }), "a.yaml")).toEqual(
      defaultConfig(["pairs.tsv"]),
    );
  });

  test("the commented coppice.yaml of a preset reads as the preset", () => {
    for (const name of presetNames) {
      const input = { preset: name, data: { train: ["a.tsv"] } };
      const { preset: _, ...values } = resolveConfig(input);
      expect(parseConfig(commentedConfig(input), "a.yaml")).toEqual(values);
    }
  });

  test("file names that YAML would read otherwise stand in quotes", () => {
    const files = ["a: b.tsv", "#1.tsv", "null", "yes, no.tsv"];
    expect(parseConfig(commentedConfig({ data: { train: files } }), "a.yaml").data.train).toEqual(files);
  });

  test("docs/configuration.md is what the schema prints: write it anew with coppice init --keys", () => {
    const page = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
    expect(page).toBe(configurationPage());
  });
});
