/** Pages printed from the schema: the commented `coppice.yaml` of `coppice init`, and docs/configuration.md. */
import { stringify } from "yaml";
import { type Config, type ConfigInput, defaultConfig, resolveConfig } from "./config.js";
import { idleKeys } from "./config-rules.js";
import { type PresetName, presetNames } from "./config-schema.js";
import {
  expected,
  holdsKeys,
  isGroup,
  type KeyPath,
  kindOf,
  pathText,
  properties,
  type SchemaNode,
  schemaTree,
  shapes,
  shapesOf,
} from "./config-words.js";
import { presetOf } from "./presets.js";

/** Column where comments start, and the one they should end by. */
const commentColumn = 36;
const lineWidth = 130;

/**
 * A `coppice.yaml` with every key at the value that `input` gives it (its own, its preset's or the default), each with
 * its description and, where a value is not ours, its origin. `parseConfig` reads it as `input` itself, the name of the
 * preset apart.
 *
 * @example commentedConfig({ preset: "paper-iwslt14", data: { train: ["pairs.tsv"] } })
 */
export function commentedConfig(input: ConfigInput): string {
  const config = resolveConfig(input);
  const idle = new Set(idleKeys(config).map(({ path }) => pathText(path)));
  const { preset, ...values } = config;
  const names = preset === undefined ? [] : [preset].flat();
  const about = preset
    ? `The values are those of preset ${names.map((name) => `${name}: ${presetOf(name).summary}`).join("; over it ")}.`
    : `A key may be left out: then it has the value shown here. Presets of values: ${presetNames.join(", ")}.`;
  return [
    "# Configuration of a Coppice run. Start it with `coppice run` and this file's folder.",
    ...wrapped(about, "# "),
    "# What each key takes: `coppice init --keys`.",
    "",
    ...groupLines(values, schemaTree(), [], idle, originsOf(names)),
    "",
  ].join("\n");
}

function originsOf(names: readonly PresetName[]): Record<string, string> {
  return Object.assign({}, ...names.map((name) => presetOf(name).origins));
}

function groupLines(
  group: Record<string, unknown>,
  node: SchemaNode,
  above: KeyPath,
  idle: ReadonlySet<string>,
  origins: Readonly<Record<string, string>>,
): string[] {
  const keys = Object.fromEntries(
    shapesOf(node, group).flatMap((shape) => Object.entries(properties(shape))),
  );
  return Object.entries(group).flatMap(([name, value]) => {
    const path = [...above, name];
    const child = keys[name];
    if (child === undefined || idle.has(pathText(path))) return [];
    const indent = "  ".repeat(above.length);
    const comment = commentOf(child, value, origins[pathText(path)]);
    if (isGroup(value) && holdsKeys(child)) {
      const head = above.length === 0 ? ["", ...wrapped(comment, "# ")] : wrapped(comment, `${indent}# `);
      return [...head, `${indent}${name}:`, ...groupLines(value, child, path, idle, origins)];
    }
    const line = `${indent}${name}: ${inline(value)}`;
    if (comment === "") return [line];
    const beside = `${line.padEnd(commentColumn)} # ${comment}`;
    return beside.length <= lineWidth ? [beside] : [...wrapped(comment, `${indent}# `), line];
  });
}

/** `text` in lines that start with `lead`. */
function wrapped(text: string, lead: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && lead.length + line.length + 1 + word.length > lineWidth) {
      lines.push(lead + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, lead + line];
}

function commentOf(node: SchemaNode, value: unknown, origin: unknown = node.origin): string {
  const description = node.oneOf ? rewardComment(node, value) : (node.description ?? "");
  return typeof origin === "string" && origin !== "ours" ? `${description} [${origin}]` : description;
}

/** The kinds to choose from stand above the one chosen. */
function rewardComment(node: SchemaNode, value: unknown): string {
  const chosen = isGroup(value) ? value.kind : undefined;
  const others = shapes(node)
    .map(kindOf)
    .filter((kind) => kind !== chosen);
  return `${node.description}. Other kinds: ${others.join(", ")}`;
}

/** A value on one line of YAML. */
function inline(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", flowCollectionPadding: false, lineWidth: 0 }).trimEnd();
}

/** docs/configuration.md: every key with its default, its bounds, what it does and where its value comes from. */
export function configurationPage(): string {
  const defaults = defaultConfig(["pairs.tsv"]);
  const root = schemaTree();
  const groups = Object.entries(properties(root)).filter(([, node]) => node.properties ?? node.oneOf);
  const single = Object.fromEntries(
    Object.entries(properties(root)).filter(([, node]) => !(node.properties ?? node.oneOf)),
  );
  return [
    "# Configuration",
    "",
    "<!-- Printed from the schema by `coppice init --keys`; edit src/rest/config-schema.ts instead. -->",
    "",
    "A run is described by `coppice.yaml` in its folder; `coppice init` writes one with every key in it. Only",
    "`data.train` is needed: a key that is left out has its default. A key that is not below is an error, and so is",
    "one that changes nothing beside another. Paths start from the folder of the file. *Paper* is",
    "[Reinforced Self-Training (ReST) for Language Modeling](https://arxiv.org/abs/2308.08998); *ours* marks a value that",
    "the paper does not give.",
    "",
    "```yaml",
    "data:",
    "  train: [pairs.tsv]",
    "grow:",
    "  samples: 32",
    "```",
    "",
    ...table("", single, defaults),
    ...groups.flatMap(([name, node]) => sectionLines(name, node, defaults)),
    ...presetLines(),
  ].join("\n");
}

function sectionLines(name: string, node: SchemaNode, defaults: Config): string[] {
  const head = [`## ${name}`, "", `${node.description}.`, ""];
  if (!node.oneOf) return [...head, ...table(`${name}.`, properties(node), childOf(defaults, name))];
  const kinds = shapes(node).flatMap((shape) => {
    const { kind: _, ...keys } = properties(shape);
    const title = [`### ${name}.kind: ${kindOf(shape)}`, "", `${shape.description}.`, ""];
    return Object.keys(keys).length > 0 ? [...title, ...table(`${name}.`, keys, undefined)] : title;
  });
  const chosen = childOf(childOf(defaults, name), "kind");
  return [...head, `The keys depend on \`${name}.kind\`; the default is \`${chosen}\`.`, "", ...kinds];
}

/** One table of keys; `values` holds the defaults, which are in the schema where it is absent. */
function table(prefix: string, keys: Record<string, SchemaNode>, values: unknown): string[] {
  return [
    "| key | default | must be | what it does | value from |",
    "| :-- | :-- | :-- | :-- | :-- |",
    ...rows(prefix, keys, values),
    "",
  ];
}

function rows(prefix: string, keys: Record<string, SchemaNode>, values: unknown): string[] {
  return Object.entries(keys).flatMap(([name, node]) => {
    const value = values === undefined ? node.default : childOf(values, name);
    if (node.properties) return rows(`${prefix}${name}.`, properties(node), value);
    const shownDefault = isRequired(prefix + name) || value === undefined ? "" : `\`${inline(value)}\``;
    const cells = [`\`${prefix}${name}\``, shownDefault, expected(node), node.description, node.origin];
    const row = `| ${cells.map((cell) => String(cell ?? "").replaceAll("|", "\\|")).join(" | ")} |`;
    // A group that may be null: its keys have their defaults once it is there.
    const [inner] = holdsKeys(node) && !node.oneOf ? shapes(node) : [];
    return inner ? [row, ...rows(`${prefix}${name}.`, properties(inner), undefined)] : [row];
  });
}

/** The page's own example stands in for what only the user can give. */
const isRequired = (key: string) => key === "data.train";

function presetLines(): string[] {
  return [
    "## Presets",
    "",
    "`preset: NAME` gives base values, which the rest of the file overrides; `coppice init --preset NAME` writes them",
    "out. What a preset does not name keeps its default. `preset: [demo, raft]` lays one over another.",
    "",
    ...presetNames.flatMap((name) => {
      const { summary, values, origins } = presetOf(name);
      return [
        `### ${name}`,
        "",
        `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
        "",
        "| key | value | value from |",
        "| :-- | :-- | :-- |",
        ...leaves(values).map(
          ([key, value]) => `| \`${key}\` | \`${inline(value)}\` | ${origins[key] ?? "ours"} |`,
        ),
        "",
      ];
    }),
  ];
}

function leaves(value: unknown, prefix = ""): [string, unknown][] {
  if (!isGroup(value)) return [[prefix.slice(0, -1), value]];
  return Object.entries(value).flatMap(([name, child]) => leaves(child, `${prefix}${name}.`));
}

function childOf(group: unknown, name: string): unknown {
  return isGroup(group) ? group[name] : undefined;
}
