/** A study file read, checked and expanded: one run configuration for every arm and seed. */

import { dirname, relative, resolve, sep } from "node:path";
import { UserError } from "../errors.js";
import { nearestName } from "../nearest.js";
import {
  type Config,
  firstProblem,
  merge,
  type Origin,
  problem,
  resolveWithin,
  unknownKey,
} from "../rest/config.js";
import { presetNames } from "../rest/config-schema.js";
import { isGroup, type KeyPath, nodeAt, pathText, schemaTree } from "../rest/config-words.js";
import { type Located, readYaml } from "../rest/config-yaml.js";
import { presetOf } from "../rest/presets.js";
import { configHash, type Json } from "../store/manifest.js";
import { type ArmKind, type StudyInput, studySchema, studyTree } from "./schema.js";

/** What is compared with the others: a policy's way to be made. */
export interface Arm {
  readonly name: string;
  readonly kind: ArmKind;
  /** Which online baseline. */
  readonly algorithm?: string;
  /** With the first seed; paths in it start from the study file's folder. */
  readonly config: Config;
}

export interface Study {
  readonly file: string;
  readonly seeds: readonly number[];
  /** In the order of the file, those of the grid last. */
  readonly arms: readonly Arm[];
  /** Pairs to make for `data: demo` or `data: toy`; undefined where the file names its own. */
  readonly made: "demo" | "toy" | undefined;
}

/** Where pairs that the study makes lie, from its folder. */
export const MADE_PAIRS = "data/pairs.tsv";

/** Names become folders. */
const ARM_NAME = /^[a-z0-9][a-z0-9._-]{0,79}$/i;

/** A part of the file that holds keys of a configuration: those below `under`, at `at` in the file. */
interface Layer {
  readonly at: KeyPath;
  readonly under: KeyPath;
  readonly value: Record<string, unknown>;
}

export interface StudyReading {
  /** Where pairs lie that the study makes itself. */
  madePairs: string;
  /** Names of the online baselines that there are. */
  baselines: readonly string[];
}

/**
 * Reads a study. `file` is its name in messages.
 *
 * Throws a UserError with file and line: an unknown key (with the nearest), a seed given twice, a combination of the
 * grid that no run can have, two arms that are the same.
 */
export function parseStudy(text: string, file: string, options: StudyReading): Study {
  const located = readYaml(text, file);
  const origin: Origin = { file, located };
  if (!isGroup(located.value))
    throw new UserError(
      "this file holds no keys, but a study has base, seeds and arms. An example is examples/study.yaml.",
      { file },
    );
  const written = withEmptyArms(located.value);
  const parsed = studySchema.safeParse(written);
  if (!parsed.success) throw firstProblem(parsed.error.issues, written, origin, studyTree());
  const given = parsed.data;
  checkSeeds(given.seeds, origin);
  const made = given.base.data === "demo" || given.base.data === "toy" ? given.base.data : undefined;
  const base: Layer = {
    at: ["base"],
    under: [],
    value: { ...given.base, ...(made ? { data: { train: [options.madePairs] } } : {}) },
  };
  const arms = [...namedArms(given), ...gridArms(given, origin)].map((expanded) => {
    const { name, kind, algorithm, layers, inside, at } = expanded;
    checkName(name, origin, at);
    checkAlgorithm(expanded, options.baselines, origin);
    const all = [base, ...layers];
    const config = configOf(all, given.seeds[0]!, { file, located: overlay(located, all), inside });
    if (kind === "best-of-n" && config.evaluate.bestOfN.length === 0)
      throw new UserError(
        `${inside}evaluate.bestOfN is empty, so that best-of-n has nothing to show. Give numbers of samples: [1, 2, 4, 8].`,
        { file, line: located.lineOf(at) },
      );
    return {
      name,
      kind,
      config: adapted(config, kind),
      ...(algorithm === undefined ? {} : { algorithm }),
      at,
    };
  });
  if (arms.length === 0)
    throw new UserError(
      "a study needs arms, or a grid that makes them, but this file has neither. Add `arms:`.",
      {
        file,
      },
    );
  checkDifferent(arms, origin);
  return { file, seeds: given.seeds, made, arms: arms.map(({ at: _, ...arm }) => arm) };
}

/** The arm's configuration for one seed, as a run in `dir` reads it: paths start from there. */
export function configFor(arm: Arm, seed: number, paths: { studyFile: string; dir: string }): Config {
  const moved = (path: string) =>
    relative(paths.dir, resolve(dirname(paths.studyFile), path))
      .split(sep)
      .join("/");
  const { data, model, reward } = arm.config;
  const pairs = (spec: string) =>
    spec
      .split(",")
      .map((path) => moved(path.trim()))
      .join(",");
  const movedReward = <Part extends { kind: string }>(part: Part): Part =>
    "path" in part && typeof part.path === "string" ? { ...part, path: moved(part.path) } : part;
  const movedParts = (all: Config["reward"]): Config["reward"] => {
    if (all.kind === "sum") return { ...all, parts: all.parts.map(movedReward) };
    if (all.kind === "ensemble") return { ...all, parts: all.parts.map(movedReward) };
    return movedReward(all);
  };
  return {
    ...arm.config,
    seed,
    data: {
      ...data,
      train: data.train.map(pairs),
      validation: data.validation === null ? null : pairs(data.validation),
      test: data.test === null ? null : pairs(data.test),
    },
    model: { ...model, from: model.from === null ? null : moved(model.from) },
    reward: movedParts(reward),
  };
}

/** `rest:` with nothing below it is an arm as base has it. */
function withEmptyArms(written: Record<string, unknown>): Record<string, unknown> {
  if (!isGroup(written.arms)) return written;
  return {
    ...written,
    arms: Object.fromEntries(Object.entries(written.arms).map(([name, arm]) => [name, arm ?? {}])),
  };
}

/** What the kind asks of the configuration. */
function adapted(config: Config, kind: ArmKind): Config {
  const { grow, improve } = config;
  switch (kind) {
    case "random":
      return { ...config, improve: { ...improve, control: true } };
    case "best-of-n":
    case "online":
      return { ...config, grow: { ...grow, steps: 0 } };
    case "rest":
      return config;
  }
}

interface Expanded {
  name: string;
  kind: ArmKind;
  algorithm?: string | undefined;
  layers: Layer[];
  /** Where in the file it stands, and the same for messages. */
  at: KeyPath;
  inside: string;
}

function namedArms({ arms = {} }: StudyInput): Expanded[] {
  return Object.entries(arms).map(([name, arm]) => {
    const { kind, algorithm, ...value } = arm;
    const at = ["arms", name];
    return { name, kind, algorithm, layers: ownLayers(at, value), at, inside: `${pathText(at)}: ` };
  });
}

/** Presets that an arm names stand over base, and below the arm's own keys. */
function ownLayers(at: KeyPath, value: Record<string, unknown>): Layer[] {
  const { preset, ...own } = value;
  const names = [preset ?? []].flat();
  const known = names.flatMap((name) => presetNames.find((one) => one === name) ?? []);
  // An unknown one is left for the configuration to refuse, with the nearest name.
  if (known.length < names.length) return [{ at, under: [], value }];
  const presets = known.map((name): Layer => {
    // A preset has keys of a configuration, whatever their types.
    const values: Record<string, unknown> = { ...presetOf(name).values };
    return { at: [...at, "preset"], under: [], value: values };
  });
  return [...presets, { at, under: [], value: own }];
}

/** An arm for every combination of the grid's values, the last key's varying fastest. */
function gridArms({ grid = {} }: StudyInput, origin: Origin): Expanded[] {
  const axes = Object.entries(grid).map(([key, values]) => {
    const under = key.split(".");
    if (nodeAt(under, {}) === undefined || key === "seed")
      throw problem({ ...unknownGridKey(key), path: ["grid", key] }, origin);
    return values.map((value, index) => ({
      layer: { at: ["grid", key, index], under, value: nested(under, value) },
      label: labelOf(under.at(-1)!, value),
    }));
  });
  if (axes.length === 0) return [];
  const combinations = axes.reduce<(typeof axes)[number][]>(
    (made, axis) => made.flatMap((before) => axis.map((next) => [...before, next])),
    [[]],
  );
  return combinations.map((chosen) => {
    const name = chosen.map(({ label }) => label).join("-");
    const layers = chosen.map(({ layer }) => layer);
    return { name, kind: "rest", layers, at: layers[0]!.at, inside: `grid (${name}): ` };
  });
}

function unknownGridKey(key: string): { message: string } {
  if (key === "seed") return { message: "cannot stand in the grid: `seeds:` lists them. Move them there." };
  const parts = key.split(".");
  return unknownKey(parts.slice(0, -1), parts.at(-1)!, {}, schemaTree());
}

/** `gold`, `percentile-70-90`, `samples-16`: fit for a folder. */
function labelOf(key: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (isGroup(value)) return Object.values(value).flat().join("-");
  return `${key}-${Array.isArray(value) ? value.join("-") : String(value)}`;
}

function nested(path: readonly string[], value: unknown): Record<string, unknown> {
  const [first = "", ...rest] = path;
  return { [first]: rest.length === 0 ? value : nested(rest, value) };
}

function configOf(layers: readonly Layer[], seed: number, origin: Origin): Config {
  let merged: Record<string, unknown> = {};
  for (const { value, at } of layers) {
    if ("seed" in value)
      throw new UserError(`${pathText([...at, "seed"])} has no effect beside \`seeds:\`. Remove it.`, {
        file: origin.file,
        line: origin.located.lineOf(["seed"]),
      });
    merged = merge(withoutStaleSteps(merged, value), value);
  }
  return resolveWithin({ ...merged, seed }, origin);
}

/** Other thresholds bring their own number of Improve steps, unless that is written beside them. */
function withoutStaleSteps(
  below: Record<string, unknown>,
  over: Record<string, unknown>,
): Record<string, unknown> {
  const { improve } = over;
  if (!isGroup(improve) || !isGroup(improve.thresholds) || !isGroup(below.improve)) return below;
  if (improve.thresholds.values === undefined || improve.steps !== undefined) return below;
  const { steps: _, ...rest } = below.improve;
  return { ...below, improve: rest };
}

/** The file as one configuration sees it: a key stands where the last layer that has it writes it. */
function overlay(located: Located, layers: readonly Layer[]): Located {
  const placesOf = (path: KeyPath): KeyPath[] =>
    layers
      .filter(({ under }) => under.every((part, i) => path[i] === part))
      .map(({ at, under }) => [...at, ...path.slice(under.length)])
      .filter((place) => located.holds(place))
      .reverse();
  return {
    value: located.value,
    holds: (path) => placesOf(path).length > 0,
    sourceOf: (path) => placesOf(path).map((place) => located.sourceOf(place))[0],
    lineOf: (path) => {
      for (let length = path.length; length > 0; length--) {
        const [place] = placesOf(path.slice(0, length));
        if (place) return located.lineOf(place);
      }
      return located.lineOf(layers.at(-1)!.at);
    },
  };
}

function checkSeeds(seeds: readonly number[], origin: Origin): void {
  for (const [index, seed] of seeds.entries())
    if (seeds.indexOf(seed) < index)
      throw problem(
        {
          path: ["seeds", index],
          message: `is ${seed}, which the list already holds: the same seed gives the same run. Remove it or give another.`,
        },
        origin,
      );
}

function checkAlgorithm({ kind, algorithm, at }: Expanded, known: readonly string[], origin: Origin): void {
  const path = [...at, "algorithm"];
  if (kind !== "online") {
    if (algorithm === undefined) return;
    throw problem({ path, message: `has no effect where kind is ${kind}. Remove it.` }, origin);
  }
  if (algorithm !== undefined && known.includes(algorithm)) return;
  const near = nearestName(algorithm ?? "", known);
  throw problem(
    {
      path,
      message:
        `is ${algorithm === undefined ? "missing" : JSON.stringify(algorithm)}, but an online arm needs one of the baselines ` +
        `that this version has: ${known.join(", ") || "none yet"}. ${near ? `Did you mean ${near}?` : "Remove the arm."}`,
    },
    origin,
  );
}

function checkName(name: string, origin: Origin, path: KeyPath): void {
  if (ARM_NAME.test(name)) return;
  throw new UserError(
    `the name ${JSON.stringify(name)} of an arm becomes a folder: it must be letters, digits, dots, dashes and underscores, 80 at most. Choose another.`,
    { file: origin.file, line: origin.located.lineOf(path) },
  );
}

function checkDifferent(arms: readonly (Arm & { at: KeyPath })[], { file, located }: Origin): void {
  const names = new Map<string, string>();
  const contents = new Map<string, string>();
  for (const { name, kind, algorithm, config, at } of arms) {
    const place = { file, line: located.lineOf(at) };
    const { preset: _, ...values } = config;
    // A configuration is what YAML holds, and so JSON.
    const content = `${kind} ${algorithm ?? ""} ${configHash(values as unknown as Json)}`;
    const same = contents.get(content);
    if (same !== undefined)
      throw new UserError(
        `the arms ${same} and ${name} are the same. Remove one, or change a key of it.`,
        place,
      );
    contents.set(content, name);
    const lower = name.toLowerCase();
    if (names.has(lower))
      throw new UserError(`two arms are named ${name}. Name the one under \`arms:\` otherwise.`, place);
    names.set(lower, name);
  }
}
