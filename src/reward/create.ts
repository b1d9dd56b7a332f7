/** Makes the reward that a configuration's `reward:` section describes. */

import { dirname, resolve } from "node:path";
import { UserError } from "../errors.js";
import type { BleuTokenizer } from "../evaluate/tokenize/tokenizers.js";
import type { ScoreCache } from "../store/score-cache.js";
import type { Thread } from "../tensor/thread.js";
import { type CheckOptions, checked } from "./contract.js";
import { type EnsembleOptions, EnsembleReward } from "./ensemble.js";
import { bleuReward, chrfReward } from "./metric.js";
import { moduleReward } from "./module.js";
import { numberReward } from "./number.js";
import { placesReward } from "./places.js";
import type { PretrainedOptions, PretrainedScorer } from "./pretrained/family.js";
import { pretrainedReward } from "./pretrained/pretrained.js";
import { ratingReward } from "./ratings/reward.js";
import { remembered, type ScoreSource } from "./remembered.js";
import { type CommandOptions, commandScores } from "./remote/command.js";
import { type HttpOptions, httpScores } from "./remote/http.js";
import { type JudgeOptions, judgeScores } from "./remote/judge.js";
import type { Reward } from "./reward.js";
import { sumReward } from "./sum.js";

/** The kinds of reward and the keys of each that matter here. */
type SimpleRewardOptions =
  | { kind: "learned" }
  | { kind: "chrf"; wordOrder?: 0 | 2 }
  | { kind: "bleu"; tokenize?: BleuTokenizer }
  | { kind: "places" }
  | { kind: "number" }
  | { kind: "module"; path: string; name?: string }
  | { kind: "ratings"; model: string }
  | PretrainedRewardOptions
  | RemoteRewardOptions;

/** A published checkpoint; paths start at the configuration's folder. */
export interface PretrainedRewardOptions {
  kind: "pretrained";
  model: string;
  variant?: string | null;
  tokenizer?: string | null;
  batchTokens?: number;
}

/** Rewards that are computed outside of this process. */
type RemoteRewardOptions =
  | ({ kind: "http" } & HttpOptions)
  | ({ kind: "command" } & CommandOptions)
  | ({ kind: "judge" } & JudgeOptions);

export type RewardOptions =
  | SimpleRewardOptions
  | { kind: "sum"; parts: readonly (SimpleRewardOptions & { weight: number })[] }
  | ({ kind: "ensemble"; parts: readonly SimpleRewardOptions[] } & EnsembleOptions);

/** What the configuration's own section does not say. */
export interface RewardContext {
  /** The configuration file, whose folder paths of modules and commands start from. */
  configFile: string;
  /** What rewards that are computed elsewhere have given before, and where they keep more; absent: every call asks anew. */
  cache?: ScoreCache;
  /** Ends with `Interrupted` what is asked elsewhere. */
  signal?: AbortSignal;
  /** Told the standard deviation (of a sample) among a judge's scores of each input. */
  onSpread?: (deviations: readonly number[]) => void;
  /** The learned reward, ready to score; needed where the configuration asks for one. */
  learned?: Reward;
  /** Further learned rewards, which an ensemble has beside that one. */
  learnedMembers?: readonly Reward[];
  /** Where forward passes of pretrained rewards run; absent: in threads of their own. */
  thread?: Thread;
  /** Sees each pretrained reward when it is loaded, and throws to refuse it. */
  onPretrained?: (scorer: PretrainedScorer, options: PretrainedRewardOptions) => Promise<void>;
  /** Tokenizer of BLEU where the reward's own section names none. */
  tokenize?: BleuTokenizer;
  check?: CheckOptions;
}

/**
 * The reward of a configuration, checked against the contract. A sum is a `SumReward` and an ensemble an `EnsembleReward`,
 * whose parts are checked. Throws a UserError where a module does not load, a server or program cannot be asked, a sum or an ensemble is not well-formed or `learned` is not there.
 *
 * @example await createReward({ kind: "module", path: "my-reward.mjs" }, { configFile: "runs/a/coppice.yaml" })
 */
export async function createReward(options: RewardOptions, context: RewardContext): Promise<Reward> {
  if (options.kind === "ensemble") {
    const members: Reward[] = [];
    for (const part of options.parts) {
      members.push(await simpleReward(part, context));
      if (part.kind === "learned") members.push(...(context.learnedMembers ?? []));
    }
    return new EnsembleReward(members, options, context.check);
  }
  if (options.kind !== "sum") return checked(await simpleReward(options, context), context.check);
  const parts = [];
  for (const part of options.parts) {
    parts.push({ reward: await simpleReward(part, context), weight: part.weight });
  }
  return sumReward(parts, context.check);
}

async function simpleReward(options: SimpleRewardOptions, context: RewardContext): Promise<Reward> {
  switch (options.kind) {
    case "learned":
      if (!context.learned) {
        throw new UserError(
          "the configuration asks for a learned reward and none has been trained yet; run `coppice train-reward` first",
          { file: context.configFile },
        );
      }
      return context.learned;
    case "chrf":
      return chrfReward({ ...(options.wordOrder !== undefined && { wordOrder: options.wordOrder }) });
    case "bleu": {
      const tokenize = options.tokenize ?? context.tokenize;
      return bleuReward({ ...(tokenize && { tokenize }) });
    }
    case "places":
      return placesReward();
    case "number":
      return numberReward();
    case "module":
      return moduleReward(options.path, {
        configFile: context.configFile,
        ...(options.name !== undefined && { name: options.name }),
      });
    case "ratings":
      return ratingReward(resolve(dirname(context.configFile), options.model));
    case "pretrained": {
      const { folder, options: opened } = pretrainedPlace(options, context.configFile);
      return pretrainedReward(folder, opened, {
        ...(context.thread && { thread: context.thread }),
        ...(context.signal && { signal: context.signal }),
        ...(context.onPretrained && { onOpen: (scorer) => context.onPretrained!(scorer, options) }),
      });
    }
    default:
      return remembered(remoteScores(options, context.configFile), context);
  }
}

/** The folder of a configured checkpoint, and how it is opened. */
export function pretrainedPlace(
  { model, variant, tokenizer, batchTokens }: PretrainedRewardOptions,
  configFile: string,
): { folder: string; options: PretrainedOptions } {
  const from = dirname(configFile);
  return {
    folder: resolve(from, model),
    options: {
      ...(variant != null && { variant }),
      ...(tokenizer != null && { tokenizer: resolve(from, tokenizer) }),
      ...(batchTokens !== undefined && { batchTokens }),
    },
  };
}

/** Throws a UserError where a reward that is computed elsewhere cannot be asked; asks nothing yet. */
export function remoteScores(options: RemoteRewardOptions, configFile: string): ScoreSource {
  const place = { file: configFile };
  switch (options.kind) {
    case "http":
      return httpScores(options, place);
    case "command":
      return commandScores(options, place);
    case "judge":
      return judgeScores(options, place);
  }
}
