/** Rules between keys, which no single key's bounds can say, and keys that other keys make idle. */
import { hasBareSecret, isBareSecret } from "../remote/address.js";
import { storeProblem } from "../store/store-address.js";
import type { Config } from "./config-schema.js";
import type { KeyPath } from "./config-words.js";
import { needsValue } from "./losses/names.js";
import { modelSize } from "./model-size.js";
import { learnedMembers, type RewardPart, rewardParts } from "./reward-parts.js";

/** What is wrong, in data: `message` follows the name of the key at `path`. */
export interface Issue {
  path: KeyPath;
  message: string;
  /** Further keys to look for a line at, where the file does not hold `path` itself. */
  related?: readonly KeyPath[];
}

const thresholdBounds = {
  absolute: { least: 0, most: 1, whole: false, what: "a reward from 0 and below 1" },
  quantile: { least: 0, most: 1, whole: false, what: "a share of all rewards from 0 and below 1" },
  percentile: { least: 0, most: 100, whole: false, what: "a percentile from 0 and below 100" },
  interpolation: {
    least: 0,
    most: 1,
    whole: false,
    what: "from 0 (mean of the source's rewards) and below 1 (its best)",
  },
  top: {
    least: 1,
    most: Number.POSITIVE_INFINITY,
    whole: true,
    what: "a whole number of candidates a source, 1 or more",
  },
} as const;

function* thresholdIssues({ method, improve, grow }: Config): Generator<Issue> {
  if (method !== "rest") return;
  const { kind, values } = improve.thresholds;
  const { least, most, whole, what } = thresholdBounds[kind];
  const path = ["improve", "thresholds", "values"];
  for (const [index, value] of values.entries()) {
    const here = [...path, index];
    if (value < least || value >= most || (whole && !Number.isInteger(value))) {
      // Percentages where shares are meant, and the other way round, are the usual slip.
      const slip = most === 1 && value > 1 && value < 100 ? `. Write ${value / 100}` : "";
      yield { path: here, message: `is ${value} but must be ${what}, as thresholds.kind is ${kind}${slip}.` };
      return;
    }
    const before = values[index - 1];
    if (before === undefined) continue;
    if (kind === "top" && value >= before) {
      yield {
        path: here,
        message: `is ${value} but must be below ${before}, the one before it. Lower it or remove it.`,
      };
      return;
    }
    if (kind !== "top" && value <= before) {
      yield {
        path: here,
        message: `is ${value} but must be above ${before}, the one before it. Raise it or remove it.`,
      };
      return;
    }
  }
  if (values.length < improve.steps) {
    yield {
      path: ["improve", "steps"],
      message:
        `is ${improve.steps} but improve.thresholds.values has ${values.length}, and each Improve step needs one. ` +
        "Add thresholds or lower improve.steps.",
      related: [path],
    };
  }
  if (kind === "top" && values[0] > grow.samples) {
    yield {
      path: [...path, 0],
      message:
        `is ${values[0]} but must be at most grow.samples, ${grow.samples}, or nothing is filtered. ` +
        "Lower it or raise grow.samples.",
      related: [["grow", "samples"]],
    };
  }
  if ((kind === "percentile" || kind === "interpolation") && grow.samples < 2) {
    yield {
      path: ["grow", "samples"],
      message: `is 1 but must be 2 or more, as thresholds of kind ${kind} compare candidates of one source. Raise it.`,
      related: [["improve", "thresholds", "kind"]],
    };
  }
}

function* filterIssues({ improve: { lengthRatio, passRate } }: Config): Generator<Issue> {
  if (passRate !== null && passRate[0] > passRate[1])
    yield {
      path: ["improve", "passRate", 1],
      message: `is ${passRate[1]} but must be at least ${passRate[0]}, the least share. Raise it.`,
      related: [["improve", "passRate"]],
    };
  if (lengthRatio === null || lengthRatio[0] < lengthRatio[1]) return;
  yield {
    path: ["improve", "lengthRatio", 1],
    message: `is ${lengthRatio[1]} but must be above ${lengthRatio[0]}, the least ratio. Raise it.`,
    related: [["improve", "lengthRatio"]],
  };
}

function* lossIssues({ method, improve: { loss, bvmpo, accumulate } }: Config): Generator<Issue> {
  if (method !== "rest") return;
  if (loss === "bvmpo" && accumulate > 1)
    yield {
      path: ["improve", "accumulate"],
      message:
        `is ${accumulate} but must be 1, as improve.loss bvmpo takes the best half of one batch at each step. ` +
        "Raise improve.batchTokens instead.",
      related: [["improve", "loss"]],
    };
  if (loss !== "bvmpo" || bvmpo.klLast <= bvmpo.klFirst) return;
  yield {
    path: ["improve", "bvmpo", "klLast"],
    message: `is ${bvmpo.klLast} but must be at most improve.bvmpo.klFirst, ${bvmpo.klFirst}: the weight falls. Lower it.`,
    related: [["improve", "bvmpo", "klFirst"]],
  };
}

function* onlineIssues({ method, online, grow }: Config): Generator<Issue> {
  if (method === "rest") return;
  const { samples, sourcesPerBatch, samplesPerSource, normalise } = online;
  const compares = method === "rloo" || normalise;
  if (compares && samplesPerSource < 2)
    yield {
      path: ["online", "samplesPerSource"],
      message:
        "is 1 but must be 2 or more, as " +
        (method === "rloo" ? "method rloo compares" : "online.normalise compares") +
        " candidates of one source. Raise it.",
      related: [["online", "normalise"], ["method"]],
    };
  const batch = sourcesPerBatch * samplesPerSource;
  if (samples !== null && samples < batch)
    yield {
      path: ["online", "samples"],
      message:
        `is ${samples} but must be at least one batch, ${batch} (online.sourcesPerBatch × online.samplesPerSource). ` +
        "Raise it, or lower one of these.",
      related: [
        ["online", "sourcesPerBatch"],
        ["online", "samplesPerSource"],
      ],
    };
  if (samples === null && grow.steps === 0)
    yield {
      path: ["grow", "steps"],
      message: `is 0, so that ReST would draw no samples and method ${method} may draw none either. Set online.samples.`,
      related: [["method"]],
    };
}

function* storeIssues({ grow }: Config): Generator<Issue> {
  const problem = grow.store === null ? undefined : storeProblem(grow.store);
  if (problem) yield { path: ["grow", "store"], message: problem };
}

function* rewardIssues({ method, reward, grow }: Config): Generator<Issue> {
  if (method === "rest" && reward.kind === "learned" && reward.retrain && grow.steps < 2) {
    yield {
      path: ["reward", "retrain"],
      message: `is true but grow.steps is ${grow.steps}, and the reward is taught again before the second Grow. Raise grow.steps or remove it.`,
      related: [["grow", "steps"]],
    };
  }
  for (const [index, part] of rewardParts(reward).entries())
    yield* remoteIssues(part, "parts" in reward ? ["reward", "parts", index] : ["reward"]);
  if (!("parts" in reward)) return;
  const seen = new Set<string>();
  for (const [index, part] of reward.parts.entries()) {
    const name = partName(part);
    if (seen.has(name)) {
      yield {
        path: ["reward", "parts", index],
        message: `is a second part of kind ${name}. ${reward.kind === "sum" ? "Remove it and add its weight to the first." : "Remove it."}`,
      };
    }
    seen.add(name);
  }
  if (reward.kind !== "ensemble") return;
  const members = reward.parts.length - 1 + Math.max(1, learnedMembers(reward));
  if (members < 2) {
    yield {
      path: ["reward", "parts"],
      message:
        "has one reward, but an ensemble needs two at least. Add a part, or raise members of a learned one.",
    };
  }
}

/** Its kind, and what tells it from others of the same kind. */
function partName(part: RewardPart): string {
  switch (part.kind) {
    case "module":
      return `module ${part.path}`;
    case "pretrained":
      return `pretrained ${part.model}${part.variant === null ? "" : ` as ${part.variant}`}`;
    case "http":
      return `http ${part.name ?? part.url}`;
    case "command":
      return `command ${part.name ?? part.command.join(" ")}`;
    case "judge":
      return `judge ${part.name ?? part.model}`;
    case "ratings":
      return `ratings ${part.model}`;
    default:
      return part.kind;
  }
}

function* remoteIssues(part: RewardPart, path: KeyPath): Generator<Issue> {
  if (part.kind === "judge" && part.scale[0] >= part.scale[1])
    yield {
      path: [...path, "scale"],
      message: `is [${part.scale.join(", ")}] but must be its lowest and then its highest number. Put the lower one first.`,
    };
  if (!("headers" in part)) return;
  const bare = `holds a secret, which would be copied with this file. Write \${NAME} in its place and set NAME in the environment.`;
  if (hasBareSecret(part.url)) yield { path: [...path, "url"], message: bare };
  for (const [name, value] of Object.entries(part.headers))
    if (isBareSecret(name, value)) yield { path: [...path, "headers", name], message: bare };
}

/** What a policy behind a server cannot do, and what it needs. */
function* servedIssues({ policy, method, reward, grow, improve, evaluate }: Config): Generator<Issue> {
  if (policy.kind !== "server") return;
  const related = [["policy", "kind"]];
  const native = "needs a policy of kind native, as it looks inside the model";
  if (method !== "rest")
    yield { path: ["method"], message: `is ${method}, which ${native}. Set it to rest.`, related };
  if (learnedMembers(reward) > 0)
    yield {
      path: ["reward", "kind"],
      message: `holds a learned reward, which ${native}. Choose another kind.`,
      related: [["reward"], ...related],
    };
  if (improve.loss !== "bc")
    yield {
      path: ["improve", "loss"],
      message: `is ${improve.loss}, which ${native}. Set it to bc.`,
      related,
    };
  if (evaluate.beam > 1)
    yield {
      path: ["evaluate", "beam"],
      message: `is ${evaluate.beam}, and beam search ${native}. Set it to 1.`,
      related,
    };
  if (evaluate.rerank)
    yield {
      path: ["evaluate", "rerank"],
      message: `weighs log-probabilities, and so ${native}. Set it to false.`,
      related,
    };
  if (policy.url === null && policy.serve.command.length === 0)
    yield {
      path: ["policy", "url"],
      message: "is missing. Give the server's address, or in policy.serve.command what starts one.",
      related,
    };
  if (policy.api === "completions" && policy.system !== null)
    yield {
      path: ["policy", "system"],
      message: "has no place where policy.api is completions. Put it into policy.template.",
    };
  if (grow.steps > 0 && improve.trainer.command.length === 0)
    yield {
      path: ["improve", "trainer", "command"],
      message:
        "is missing. A policy of kind server is trained by a command of yours; or set grow.steps to 0.",
      related: [["improve", "trainer"], ["improve"], ...related],
    };
  const bare = `holds a secret, which would be copied with this file. Write \${NAME} in its place and set NAME in the environment.`;
  if (policy.url !== null && hasBareSecret(policy.url)) yield { path: ["policy", "url"], message: bare };
  for (const [name, value] of Object.entries(policy.headers))
    if (isBareSecret(name, value)) yield { path: ["policy", "headers", name], message: bare };
}

function* modelIssues({ policy, model, bc }: Config): Generator<Issue> {
  if (model.from !== null || policy.kind === "server") return;
  if (bc.steps === 0) {
    yield {
      path: ["bc", "steps"],
      message:
        "is 0 but must be 1 or more where model.from names no folder: random weights would never be trained.",
    };
  }
  const { width, heads } = modelSize(model);
  if (width % 2 !== 0) {
    yield {
      path: ["model", "width"],
      message: `is ${width} but must be even: half of it holds sines, half cosines.`,
    };
  }
  if (width % heads !== 0) {
    yield {
      path: ["model", "heads"],
      message: `is ${heads} but must divide model.width, ${width}. Change one of them.`,
      related: [["model", "width"]],
    };
  }
}

function* loraIssues({ policy, method, model, improve: { lora } }: Config): Generator<Issue> {
  if (policy.kind === "server" || method !== "rest" || lora === null) return;
  for (const [index, target] of lora.targets.entries())
    if (lora.targets.indexOf(target) < index)
      yield {
        path: ["improve", "lora", "targets", index],
        message: `is ${target}, which the list already holds. Remove it.`,
      };
  // Of a folder's model the sizes are known once it is read.
  if (model.from !== null) return;
  const { width, inner } = modelSize(model);
  const feedForward = lora.targets.some((target) => target === "fc1" || target === "fc2");
  const most = feedForward ? Math.min(width, inner) : width;
  if (lora.rank > most)
    yield {
      path: ["improve", "lora", "rank"],
      message: `is ${lora.rank} but must be at most ${most}, the smaller side of the matrices that it adapts. Lower it.`,
      related: [["improve", "lora"]],
    };
}

function* trainingIssues({ policy, method, bc, improve, reward }: Config): Generator<Issue> {
  if (policy.kind === "server") return;
  const trained: { name: string; path: KeyPath; warmupSteps: number; stepsKey: string; steps: number }[] = [];
  if (bc.steps > 0)
    trained.push({
      name: "bc",
      path: ["bc"],
      warmupSteps: bc.warmupSteps,
      stepsKey: "steps",
      steps: bc.steps,
    });
  if (method === "rest")
    trained.push({
      name: "improve",
      path: ["improve"],
      warmupSteps: improve.warmupSteps,
      stepsKey: "trainSteps",
      steps: improve.trainSteps,
    });
  for (const [index, part] of rewardParts(reward).entries()) {
    if (part.kind !== "learned") continue;
    const path = "parts" in reward ? ["reward", "parts", index] : ["reward"];
    trained.push({
      name: "reward",
      path,
      warmupSteps: part.warmupSteps,
      stepsKey: "steps",
      steps: part.steps,
    });
  }
  for (const { name, path, warmupSteps, stepsKey, steps } of trained) {
    if (warmupSteps <= steps) continue;
    yield {
      path: [...path, "warmupSteps"],
      message: `is ${warmupSteps} but must be at most ${name}.${stepsKey}, ${steps}. Lower it or raise ${name}.${stepsKey}.`,
      related: [[...path, stepsKey]],
    };
  }
}

function* evaluateIssues({ evaluate }: Config): Generator<Issue> {
  const { bestOfN, bestOfNSamples, rerank } = evaluate;
  if (rerank && bestOfN.length === 0)
    yield {
      path: ["evaluate", "rerank"],
      message:
        "is true but evaluate.bestOfN is empty, so that there is nothing to choose. Give it numbers of samples.",
      related: [["evaluate", "bestOfN"]],
    };
  for (const [index, n] of bestOfN.entries()) {
    const before = bestOfN[index - 1];
    if (before === undefined || n > before) continue;
    yield {
      path: ["evaluate", "bestOfN", index],
      message: `is ${n} but must be above ${before}, the one before it. Raise it or remove it.`,
    };
    return;
  }
  const largest = bestOfN.at(-1);
  if (largest !== undefined && largest > bestOfNSamples) {
    yield {
      path: ["evaluate", "bestOfN", bestOfN.length - 1],
      message:
        `is ${largest} but must be at most evaluate.bestOfNSamples, ${bestOfNSamples}. ` +
        "Remove it or raise evaluate.bestOfNSamples.",
      related: [["evaluate", "bestOfNSamples"]],
    };
  }
}

function* judgeIssues({ reward, evaluate: { judge } }: Config): Generator<Issue> {
  if (judge && rewardParts(reward).some((part) => part.kind === "pretrained" && part.model === judge.model))
    yield {
      path: ["evaluate", "judge", "model"],
      message: `is ${judge.model}, which is the reward, too: a judge must not be what the policies are trained for. Name a checkpoint of another family, or remove evaluate.judge.`,
    };
}

function* dataIssues({ data }: Config): Generator<Issue> {
  const { train, validation, test } = data;
  for (const [index, file] of train.entries()) {
    if (train.indexOf(file) < index) {
      yield {
        path: ["data", "train", index],
        message: `is ${file}, which the list already holds. Remove it.`,
      };
    }
  }
  for (const [name, file] of [["validation", validation] as const, ["test", test] as const]) {
    if (file !== null && train.includes(file)) {
      yield {
        path: ["data", name],
        message: `is ${file}, which data.train holds too, so that nothing would be unseen. Name another file, or null to split it off.`,
      };
    }
  }
  if (test !== null && test === validation) {
    yield {
      path: ["data", "test"],
      message: `is ${test}, the same as data.validation. Name another file, or null to split it off.`,
    };
  }
}

/** What is wrong between keys of a configuration whose keys are each right by themselves. */
export function crossIssues(config: Config): Issue[] {
  return [
    ...dataIssues(config),
    ...servedIssues(config),
    ...modelIssues(config),
    ...loraIssues(config),
    ...trainingIssues(config),
    ...rewardIssues(config),
    ...thresholdIssues(config),
    ...filterIssues(config),
    ...lossIssues(config),
    ...onlineIssues(config),
    ...storeIssues(config),
    ...evaluateIssues(config),
    ...judgeIssues(config),
  ];
}

/** A key that changes nothing beside another one. */
export interface IdleKey {
  path: KeyPath;
  /** Why, to stand after "has no effect". */
  because: string;
}

/** Keys that change nothing in `config`: writing one is an error, and the resolved configuration leaves them out. */
export function idleKeys(config: Config): IdleKey[] {
  const { data, reward } = config;
  const idle: IdleKey[] = config.method === "rest" ? idleForRest(config) : idleOnline(config);
  idle.push(...(config.policy.kind === "server" ? idleServed() : idleNative(config)));
  if (data.validation !== null) {
    idle.push({ path: ["data", "validationSize"], because: "where data.validation names a file" });
  }
  if (data.test !== null) idle.push({ path: ["data", "testSize"], because: "where data.test names a file" });
  if (learnedMembers(reward) === 0) {
    idle.push({
      path: ["data", "rewardShare"],
      because: `where reward.kind is ${reward.kind}, which learns nothing`,
    });
  }
  if (reward.kind === "ensemble" && reward.combine === "minimum") {
    idle.push({ path: ["reward", "deviations"], because: "where reward.combine is minimum" });
  }
  return idle;
}

/** Training by a command has its options in the command. */
function idleServed(): IdleKey[] {
  const because = "where policy.kind is server";
  const ofTraining = [
    ...["trainSteps", "batchTokens", "accumulate", "warmupSteps", "schedule", "labelSmoothing", "dropout"],
    ...["weightDecay", "clipNorm", "averageDecay", "evaluateEvery", "patience", "lora"],
  ];
  return [
    { path: ["model"], because },
    { path: ["bc"], because },
    { path: ["data", "maxTokens"], because },
    ...ofTraining.map((name) => ({ path: ["improve", name], because })),
  ];
}

function idleNative({ model, bc, method }: Config): IdleKey[] {
  const idle: IdleKey[] =
    method === "rest" ? [{ path: ["improve", "trainer"], because: "where policy.kind is native" }] : [];
  if (model.from !== null) {
    const fromFolder = [
      "preset",
      "encoderLayers",
      "decoderLayers",
      "width",
      "inner",
      "heads",
      "vocabulary",
      "sharedVocabulary",
    ] as const;
    for (const name of fromFolder) {
      idle.push({ path: ["model", name], because: "where model.from names a folder, which has its own" });
    }
  }
  if (bc.steps === 0) {
    const because = "where bc.steps is 0, so that BC is not trained";
    for (const name of Object.keys(bc)) if (name !== "steps") idle.push({ path: ["bc", name], because });
    idle.push({ path: ["model", "dropout"], because });
  }
  return idle;
}

function idleForRest({ improve }: Config): IdleKey[] {
  const idle: IdleKey[] = [{ path: ["online"], because: "where method is rest" }];
  if (improve.passRate === null)
    idle.push({ path: ["improve", "passAbove"], because: "where improve.passRate is null" });
  for (const loss of ["gold", "bvmpo", "oac", "rwr"] as const) {
    if (improve.loss !== loss)
      idle.push({ path: ["improve", loss], because: `where improve.loss is ${improve.loss}` });
  }
  if (!needsValue(improve.loss))
    idle.push({
      path: ["improve", "value"],
      because: `where improve.loss is ${improve.loss}, which needs no value function`,
    });
  return idle;
}

function idleOnline({ method, online, reward }: Config): IdleKey[] {
  const because = `where method is ${method}`;
  const idle: IdleKey[] = [{ path: ["improve"], because }];
  if (method !== "ppo") idle.push({ path: ["online", "ppo"], because });
  if (reward.kind === "learned") idle.push({ path: ["reward", "retrain"], because });
  idle.push({ path: ["grow", "store"], because });
  if (online.samples !== null)
    for (const name of ["steps", "samples"])
      idle.push({ path: ["grow", name], because: `${because} and online.samples is a number` });
  return idle;
}
