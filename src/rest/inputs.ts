/** Which files of the user's a configuration names: corpora, a reward's module or script, the model to start from. */

import { readdir } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { makeFolder } from "../make-folder.js";
import { loadModelFolder, type StoredModel, wholeFolder } from "../model/folder.js";
import { tooSmallFor } from "../model/lora.js";
import { mustFit } from "../policy/native.js";
import { loadCalibration } from "../reward/calibrated.js";
import { type PretrainedRewardOptions, pretrainedPlace, remoteScores } from "../reward/create.js";
import { moduleReward } from "../reward/module.js";
import { familyOf } from "../reward/pretrained/open.js";
import { RATING_FILES } from "../reward/ratings/files.js";
import { ratingReward } from "../reward/ratings/reward.js";
import { commandFiles } from "../reward/remote/command.js";
import { writeFailure } from "../store/atomic.js";
import type { InputPlace } from "../store/input-files.js";
import { openPartStore } from "../store/part-store.js";
import { runFolder } from "../store/run-folder.js";
import { isS3 } from "../store/store-address.js";
import { loadTextCodec } from "../text/text-codec.js";
import type { Config } from "./config.js";
import { checkPolicy } from "./policy-home.js";
import { rewardIsRemote, rewardParts } from "./reward-parts.js";

/** Stands for the reward module's content, of which a learned reward and how the corpus is split know nothing. */
export const MODULE_CONTENT = "content of the reward module";

/** The same of the files that a reward's command names. */
export const COMMAND_CONTENT = "content of the reward's command";

/** The same of a reward that people's ratings taught, and of the map to their scale. */
export const RATINGS_CONTENT = "content of the reward's model of ratings";
export const CALIBRATION_CONTENT = "content of the reward's calibration";
/** And of those that the trainer's command names. */
export const TRAINER_CONTENT = "content of the trainer's command";

/** The same of a published checkpoint and its tokenizer; a run is held to the one that it has begun with. */
export const PRETRAINED_CONTENT = "content of the pretrained reward";

/** Of a model folder, the files that are read; others, such as a README, change nothing. */
const MODEL_FILE =
  /^(?:(?:generation_|adapter_)?config|(?:target_)?tokenizer(?:_config)?|(?:target_)?vocab|special_tokens_map)\.json$|^(?:source|target)\.spm$|^(?:adapter_)?model(?:-\d+-of-\d+)?\.safetensors$|^pytorch_model(?:-\d+-of-\d+)?\.bin$|^(?:model\.safetensors|pytorch_model\.bin)\.index\.json$|\.npz$|^decoder\.yml$|vocab\.yml$/;

/** The same of the judge, of which the evaluations alone know. */
export const JUDGE_CONTENT = "content of the judge";

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
    ...rewardParts(reward).flatMap((part) =>
      part.kind === "ratings"
        ? RATING_FILES.map((name) => place(RATINGS_CONTENT, `${part.model}/${name}`))
        : [],
    ),
    ...(reward.calibration === null ? [] : [place(CALIBRATION_CONTENT, reward.calibration)]),
    ...commandFiles(improve.trainer.command, configFile).map((path) => place(TRAINER_CONTENT, path)),
    ...(await pretrainedPlaces(reward, configFile)),
    ...(await judgePlaces(evaluate.judge, configFile)),
  ];
}

/** The files of each pretrained reward; none of one whose folder is gone, which is told by who loads it. */
async function pretrainedPlaces(reward: Config["reward"], configFile: string): Promise<InputPlace[]> {
  const places: InputPlace[] = [];
  for (const part of rewardParts(reward))
    if (part.kind === "pretrained")
      places.push(...(await pretrainedFiles(part, configFile).catch(orNone<InputPlace>)));
  return places;
}

/** The files of the judge, likewise. */
async function judgePlaces(judge: Config["evaluate"]["judge"], configFile: string): Promise<InputPlace[]> {
  if (!judge) return [];
  const places = await pretrainedFiles(judge, configFile).catch(orNone<InputPlace>);
  return places.map((place) => ({ ...place, key: JUDGE_CONTENT }));
}

function orNone<T>(error: unknown): T[] {
  if (error instanceof UserError) return [];
  throw error;
}

/**
 * The files that the scores of a pretrained reward follow from.
 * @throws UserError where it is none, or one of them is missing.
 */
export async function pretrainedFiles(
  part: PretrainedRewardOptions,
  configFile: string,
): Promise<InputPlace[]> {
  const { folder, options } = pretrainedPlace(part, configFile);
  const family = await familyOf(folder, options);
  return (await family.files(folder, options)).map((file) => {
    const inside = relative(folder, file);
    // As the configuration has it, so that a run that is moved with its model is the same run.
    const path = inside.startsWith("..")
      ? join(part.tokenizer ?? "", basename(file))
      : join(part.model, inside);
    return { key: PRETRAINED_CONTENT, path, file };
  });
}

/**
 * Looks for every file that a run will read, and loads a reward module and the model to start from, before anything is
 * written or paid for.
 * @throws UserError naming the first that is not there, or does not load.
 */
export async function checkInputs(config: Config, configFile: string): Promise<void> {
  await checkHelpers(config, configFile);
  if (config.evaluate.judge) await pretrainedFiles(config.evaluate.judge, configFile);
  for (const { file } of await inputPlaces(config, configFile))
    if (!(await exists(file))) throw new UserError("there is no such file; check the path.", { file });
  await checkStore(config, configFile);
  const { from } = config.model;
  if (from === null) return;
  const model = await checkModel(resolve(dirname(configFile), from));
  const { lora } = config.improve;
  const layer = config.method === "rest" && lora ? tooSmallFor(model.config, lora) : undefined;
  if (lora && layer)
    throw new UserError(
      `improve.lora.rank is ${lora.rank} but must be at most ${Math.min(layer.out, layer.in)}, the smaller side of ` +
        `${layer.name} of ${from}. Lower it.`,
      { file: configFile },
    );
}

/** Asks the store of parts once, so that a wrong one is known before a policy is trained. */
async function checkStore({ grow }: Config, configFile: string): Promise<void> {
  if (grow.store === null || grow.steps === 0) return;
  const base = dirname(configFile);
  if (!isS3(grow.store)) makeStore(resolve(base, grow.store), configFile);
  const store = await openPartStore(grow.store, { base, spill: join(base, "store") });
  try {
    await store.list(1);
  } finally {
    store.close();
  }
}

/** Makes the folder of parts now, since one that cannot be made would cost the training before it is needed. */
function makeStore(folder: string, configFile: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    const failure = writeFailure(error, folder);
    throw failure instanceof UserError
      ? new UserError(`grow.store cannot be used: ${failure.message}`, { file: configFile })
      : failure;
  }
}

/** Reads a model folder whole. @throws UserError where it is not one that a run can start from. */
export async function checkModel(folder: string): Promise<StoredModel> {
  const model = await loadModelFolder(folder);
  mustFit(await loadTextCodec(await wholeFolder(folder)), model.config, folder);
  return model;
}

/**
 * @throws UserError where a reward's module, program, model, checkpoint or calibration is not there, or the trainer, or a
 * variable that a server needs is not set.
 */
export async function checkHelpers(config: Config, configFile: string): Promise<void> {
  for (const part of rewardParts(config.reward)) {
    if (part.kind === "module") await moduleReward(part.path, { configFile });
    if (part.kind === "ratings") await ratingReward(resolve(dirname(configFile), part.model));
    if (part.kind === "pretrained") await pretrainedFiles(part, configFile);
    if (rewardIsRemote(part)) remoteScores(part, configFile);
  }
  const { calibration } = config.reward;
  if (calibration !== null) await loadCalibration(resolve(dirname(configFile), calibration));
  checkPolicy(config, runFolder(dirname(configFile)));
}

async function modelFiles(
  from: string,
  place: (key: string, path: string) => InputPlace,
): Promise<InputPlace[]> {
  const { file } = place("model.from", from);
  // What is wrong with a folder is told by who loads it.
  const base = await wholeFolder(file).catch(() => file);
  const folders = base === file ? [from] : [from, base];
  const places: InputPlace[] = [];
  for (const folder of folders) {
    const names = await readdir(place("model.from", folder).file).catch(() => []);
    for (const name of names.filter((name) => MODEL_FILE.test(name)).sort())
      places.push(place("model.from", `${folder}/${name}`));
  }
  return places;
}
