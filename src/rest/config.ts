/** The configuration of a run: read from YAML, checked, filled in from presets and defaults, and written back. */
import { Document, isScalar, visit } from "yaml";
import type { z } from "zod";
import { UserError } from "../errors.js";
import { nearestName } from "../nearest.js";
import { crossIssues, type Issue, idleKeys } from "./config-rules.js";
import {
  type Config,
  type ConfigInput,
  configSchema,
  defaultThresholds,
  presetNames,
} from "./config-schema.js";
import {
  choices,
  expected,
  isGroup,
  type KeyPath,
  kindOf,
  nodeAt,
  pathText,
  properties,
  type SchemaNode,
  schemaTree,
  shapes,
  shapesOf,
} from "./config-words.js";
import { type Located, readYaml } from "./config-yaml.js";
import { presetOf } from "./presets.js";

export type { Config, ConfigInput } from "./config-schema.js";

/**
 * Reads a configuration. `file` is its name in messages; paths in it are left as they are (they start from the
 * file's folder).
 *
 * Throws a UserError with file and line for the first mistake: not YAML, an unknown key, a value out of range, a
 * rule between keys, a key that changes nothing beside another.
 *
 * @example const config = parseConfig(await readFile(file, "utf8"), file);
 */
export function parseConfig(text: string, file: string): Config {
  const located = readYaml(text, file);
  if (located.value === null || located.value === undefined) {
    throw new UserError(
      "this file holds no keys but needs data.train at least. Write one with `coppice init DIR --pairs FILE`.",
      { file },
    );
  }
  return resolve(located.value, { file, located });
}

/**
 * A configuration from values in a program; what is left out takes the preset's value or the default.
 * Throws a UserError as `parseConfig` does, without a line.
 *
 * @example const config = resolveConfig({ data: { train: ["pairs.tsv"] }, grow: { samples: 32 } });
 */
export function resolveConfig(input: ConfigInput): Config {
  return resolve(input);
}

/** Every key at its default, for the pairs in `train`. */
export function defaultConfig(train: readonly [string, ...string[]]): Config {
  return resolveConfig({ data: { train: [...train] } });
}

/**
 * The configuration as YAML, with every key that changes something; `parseConfig` reads the same values back. The
 * name of the preset is left out: its values are all here.
 */
export function renderConfig(config: Config): string {
  const document = new Document(config);
  document.delete("preset");
  for (const { path } of idleKeys(config)) document.deleteIn(path);
  visit(document, {
    Seq(_, list) {
      // Short lists of numbers read best on one line.
      list.flow = list.items.every(isScalar) && list.items.some((item) => typeof item.value === "number");
    },
  });
  return document.toString({ lineWidth: 110, flowCollectionPadding: false });
}

/** What file and lines a message is about; none where a program gave the values. */
export interface Origin {
  file: string;
  located: Located;
  /** Where in the file the configuration stands, before the key's name in messages: `arms.gold: `. */
  inside?: string;
}

/** A configuration that is a part of another file; messages name that file's lines. Throws as `parseConfig` does. */
export function resolveWithin(given: unknown, origin: Origin): Config {
  return resolve(given, origin);
}

function resolve(given: unknown, origin?: Origin): Config {
  if (!isGroup(given)) {
    throw problem({ path: [], message: `is ${shown(given)} but must hold keys, such as \`data:\`.` }, origin);
  }
  const written = withoutEmptyGroups(given, schemaTree());
  const merged = merge(baseValues(written, origin), written);
  const values = valueAt(written, ["improve", "thresholds", "values"]);
  if (
    Array.isArray(values) &&
    valueAt(written, ["improve", "steps"]) === undefined &&
    isGroup(merged.improve)
  ) {
    merged.improve.steps = values.length;
  }

  const result = configSchema.safeParse(merged);
  if (!result.success) throw firstProblem(result.error.issues, merged, origin);
  const config = result.data;
  const [issue] = crossIssues(config);
  if (issue) throw problem(issue, origin);
  for (const { path, because } of idleKeys(config)) {
    if (valueAt(written, path) === undefined) continue;
    throw problem({ path, message: `has no effect ${because}. Remove one of the two.` }, origin);
  }
  return config;
}

/** A group whose keys are all commented out reads as null; it stands for the group's defaults. */
function withoutEmptyGroups(written: Record<string, unknown>, node: SchemaNode): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  for (const [name, value] of Object.entries(written)) {
    const child = properties(node)[name];
    const group = child !== undefined && (child.properties !== undefined || child.oneOf !== undefined);
    if (group && value === null) continue;
    kept.push([name, group && isGroup(value) ? withoutEmptyGroups(value, child) : value]);
  }
  return Object.fromEntries(kept);
}

/** What `written` overrides: the values of its preset over those that depend on each other. */
function baseValues(written: Record<string, unknown>, origin?: Origin): Record<string, unknown> {
  const base = {
    data: {},
    policy: { kind: "native" },
    reward: { kind: "learned" },
    improve: { thresholds: { ...defaultThresholds } },
  };
  const { preset } = written;
  if (preset === undefined) return base;
  const list = Array.isArray(preset) ? preset : [preset];
  return list.reduce<Record<string, unknown>>((below, one, index) => {
    const name = presetNames.find((known) => known === one);
    if (name === undefined) {
      const path = Array.isArray(preset) ? ["preset", index] : ["preset"];
      throw problem(wrongValue(path, written, origin), origin);
    }
    return merge(below, presetOf(name).values);
  }, base);
}

/** `over` on top of `base`, group by group; a group of another kind replaces the one below it. */
export function merge(
  base: Record<string, unknown>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(over)) {
    const below = merged.get(name);
    const sameKind = isGroup(below) && isGroup(value) && (value.kind ?? below.kind) === below.kind;
    merged.set(name, sameKind ? merge(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/**
 * The error to show of all that zod found: an unknown key first, as it may be what another key misses; then by line.
 * `root` is the schema that found them, as words.
 */
export function firstProblem(
  issues: readonly z.core.$ZodIssue[],
  merged: unknown,
  origin?: Origin,
  root = schemaTree(),
): UserError {
  const found = issues.flatMap((issue): { issue: Issue; unknown: boolean }[] => {
    const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
    if (issue.code !== "unrecognized_keys")
      return [{ issue: wrongValue(path, merged, origin, root), unknown: false }];
    return issue.keys.map((name) => ({ issue: unknownKey(path, name, merged, root), unknown: true }));
  });
  const line = (issue: Issue) => origin?.located.lineOf(issue.path) ?? 0;
  found.sort((a, b) => Number(b.unknown) - Number(a.unknown) || line(a.issue) - line(b.issue));
  return problem(found[0].issue, origin);
}

/** The issue of a value that its own bounds refuse, or that is missing. */
function wrongValue(path: KeyPath, merged: unknown, origin?: Origin, root = schemaTree()): Issue {
  const node = nodeAt(path, merged, root) ?? {};
  const value = valueAt(merged, path);
  const must = `must be ${expected(node)}`;
  if (value === undefined) return { path, message: `is missing. It ${must}.` };
  const source = typeof value === "number" ? origin?.located.sourceOf(path) : undefined;
  const near = typeof value === "string" && nearestName(value, choices(node));
  return {
    path,
    message: `is ${source ?? shown(value)} but ${must}.${near ? ` Did you mean ${near}?` : ""}`,
  };
}

export function unknownKey(parent: KeyPath, name: string, merged: unknown, root = schemaTree()): Issue {
  const path = [...parent, name];
  const node = nodeAt(parent, merged, root) ?? {};
  const group = valueAt(merged, parent);
  const kind = isGroup(group) ? group.kind : undefined;
  const otherKinds = shapes(node)
    .filter((shape) => name in properties(shape))
    .map(kindOf);
  if (otherKinds.length > 0) {
    return {
      path,
      message: `is a key of kind ${otherKinds.join(" and ")}, but the kind here is ${shown(kind)}. Remove it or change the kind.`,
    };
  }
  const names = shapesOf(node, group).flatMap((shape) => Object.keys(properties(shape)));
  const near = nearestName(name, names);
  const suggestions = near === undefined ? placesOf(name, root) : [[...parent, near]];
  const hint =
    suggestions.length > 0
      ? `Did you mean ${[...new Set(suggestions.map(pathText))].join(" or ")}?`
      : `The keys ${parent.length === 0 ? "of this file" : `of ${pathText(parent)}`} are ${names.join(", ")}.`;
  return { path, message: `is not a key. ${hint}` };
}

/** Where else a key of this name stands, lists left out. */
function placesOf(name: string, node: SchemaNode, above: KeyPath = []): KeyPath[] {
  const children = shapes(node).flatMap((shape) => Object.entries(properties(shape)));
  return children.flatMap(([key, child]) => {
    const path = [...above, key];
    return [...(key === name ? [path] : []), ...placesOf(name, child, path)];
  });
}

export function problem({ path, message, related = [] }: Issue, origin?: Origin): UserError {
  const sentence = `${origin?.inside ?? ""}${path.length === 0 ? "this file" : pathText(path)} ${message}`;
  if (origin === undefined) return new UserError(sentence);
  const { file, located } = origin;
  const held = [path, ...related].find((one) => located.holds(one)) ?? path;
  return new UserError(sentence, { file, line: located.lineOf(held) });
}

/** A value as a message names it: short, on one line. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "a group of keys";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
}

function valueAt(value: unknown, path: KeyPath): unknown {
  let here = value;
  for (const part of path) {
    if (!isGroup(here) && !Array.isArray(here)) return undefined;
    here = Object.hasOwn(here, part) ? Reflect.get(here, part) : undefined;
  }
  return here;
}
