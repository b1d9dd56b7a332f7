/** Which files of the user's a configuration names: corpora, a reward's module or script, the model to start from. */

import { readdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { loadModelFolder, type StoredModel } from "../model/folder.js";
import { mustFit } from "../policy/native.js";
import { remoteScores } from "../reward/create.js";
import { moduleReward } from "../reward/module.js";
import { commandFiles } from "../reward/remote/command.js";
import type { InputPlace } from "../store/input-files.js";
import { runFolder } from "../store/run-folder.js";
import { loadTextCodec } from "../text/text-codec.js";
import type { Config } from "./config.js";
import { checkPolicy } from "./policy-home.js";
import { rewardIsRemote, rewardParts } from "./reward-parts.js";

/** Stands for the reward module's content, of which a learned reward and how the corpus is split know nothing. */
export const MODULE_CONTENT = "content of the reward module";

/** The same of the files that a reward's command names. */
export const COMMAND_CONTENT = "content of the reward's command";

/** And of those that the trainer's command names. */
export const TRAINER_CONTENT = "content of the trainer's command";

/** Of a model folder, the files that are read; others, such as a README, change nothing. */
const MODEL_FILE =
  /^(?:(?:generation_)?config|(?:target_)?tokenizer(?:_config)?|(?:target_)?vocab|special_tokens_map)\.json$|^(?:source|target)\.spm$|^model\.safetensors$|^pytorch_model\.bin$/;

/** Paths start at the configuration's folder. Of a reward module, what it imports in turn is not listed. */
export async function inputPlaces(config: Config, configFile: string): Promise<InputPlace[]> {
  const { data, evaluate, improve, model, reward } = config;
  const place = (key: string, path: string): InputPlace => ({
    key,
    path,
    file: resolve(dirname(configFile), path),
  });
  // Two files may stand in one string with a comma.
  const corpus = (key: string, specs: readonly (string | null)[]) =>
    specs
      .flatMap((spec) => (spec ?? "").split(","))
      .flatMap((path) => (path ? [place(key, path.trim())] : []));
  return [
    ...corpus("data.train", data.train),
    ...corpus("data.validation", [data.validation]),
    ...corpus("data.test", [data.test]),
    ...corpus("evaluate.outOfDomain", [evaluate.outOfDomain]),
    ...(model.from === null ? [] : await modelFiles(model.from, place)),
    ...rewardParts(reward).flatMap((part) =>
      part.kind === "module" ? [place(MODULE_CONTENT, part.path)] : [],
    ),
    ...rewardParts(reward).flatMap((part) =>
      part.kind === "command"
        ? commandFiles(part.command, configFile).map((path) => place(COMMAND_CONTENT, path))
        : [],
    ),
    ...commandFiles(improve.trainer.command, configFile).map((path) => place(TRAINER_CONTENT, path)),
  ];
}

/**
 * Looks for every file that a run will read, and loads a reward module and the model to start from, before anything is
 * written or paid for.
 * @throws UserError naming the first that is not there, or does not load.
 */
export async function checkInputs(config: Config, configFile: string): Promise<void> {
  await checkHelpers(config, configFile);
  for (const { file } of await inputPlaces(config, configFile))
    if (!(await exists(file))) throw new UserError("there is no such file; check the path.", { file });
  const { from } = config.model;
  if (from === null) return;
  await checkModel(resolve(dirname(configFile), from));
}

/** Reads a model folder whole. @throws UserError where it is not one that a run can start from. */
export async function checkModel(folder: string): Promise<StoredModel> {
  const model = await loadModelFolder(folder);
  mustFit(await loadTextCodec(folder), model.config, folder);
  return model;
}

/** @throws UserError where a module or program of a reward or the trainer is not there, or a variable that a server needs is not set. */
export async function checkHelpers(config: Config, configFile: string): Promise<void> {
  for (const part of rewardParts(config.reward)) {
    if (part.kind === "module") await moduleReward(part.path, { configFile });
    if (rewardIsRemote(part)) remoteScores(part, configFile);
  }
  checkPolicy(config, runFolder(dirname(configFile)));
}

async function modelFiles(
  from: string,
  place: (key: string, path: string) => InputPlace,
): Promise<InputPlace[]> {
  // A folder that is not there is told by who loads it.
  const names = await readdir(place("model.from", from).file).catch(() => []);
  return names
    .filter((name) => MODEL_FILE.test(name))
    .sort()
    .map((name) => place("model.from", `${from}/${name}`));
}
