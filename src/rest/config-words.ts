/** The schema in words: what a key must be, for errors and for the pages printed from the schema. */
import { z } from "zod";
import { configSchema } from "./config-schema.js";

/** A node of the JSON Schema that zod makes of the schema, with the fields of `.meta()` beside it. */
export type SchemaNode = z.core.JSONSchema.BaseSchema;

/** Where a key stands: names of keys and indices of lists, from the outside in. */
export type KeyPath = readonly (string | number)[];

let cached: SchemaNode | undefined;

/** The whole schema. Made when first asked for: a correct configuration needs no words. */
export function schemaTree(): SchemaNode {
  cached ??= z.toJSONSchema(configSchema, { io: "input" });
  return cached;
}

/** `improve.thresholds.values[2]`. */
export function pathText(path: KeyPath): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`))
    .join("")
    .replace(/^\./, "");
}

/** The keys below a node, or none for a value. */
export function properties(node: SchemaNode): Record<string, SchemaNode> {
  // Without a prototype: `constructor` in a file is not a key.
  const all: Record<string, SchemaNode> = Object.create(null);
  for (const [name, child] of Object.entries(node.properties ?? {}))
    if (typeof child === "object") all[name] = child;
  return all;
}

/** What every key of a map of the user's own names must be; undefined where the names are ours. */
function valuesOf({ additionalProperties }: SchemaNode): SchemaNode | undefined {
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

/** The shapes that a value may have; more than one for `reward`, by its kind. Of a group that may be null, the group's. */
export function shapes(node: SchemaNode): SchemaNode[] {
  if (node.oneOf) return node.oneOf.map(asNode);
  return [node.anyOf?.map(asNode).find(({ properties }) => properties) ?? node];
}

/** Whether what stands there may be a group of keys. */
export function holdsKeys(node: SchemaNode): boolean {
  return shapes(node).some(({ properties }) => properties);
}

/** `learned` for the shape of a learned reward; undefined for a node without a kind of its own. */
export function kindOf(shape: SchemaNode): string | undefined {
  const kind = properties(shape).kind?.const;
  return typeof kind === "string" ? kind : undefined;
}

/** Those of the shapes that `value` chooses by its `kind`; all where it names none of them. */
export function shapesOf(node: SchemaNode, value: unknown): SchemaNode[] {
  const all = shapes(node);
  const kind = isGroup(value) ? value.kind : undefined;
  const chosen = all.filter((shape) => kindOf(shape) === kind);
  return chosen.length > 0 ? chosen : all;
}

/** The node at `path`, where `value` (what the file holds) tells which shape applies; undefined for an unknown key. */
export function nodeAt(path: KeyPath, value: unknown, root = schemaTree()): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  let here = value;
  for (const part of path) {
    if (node === undefined) return undefined;
    if (typeof part === "number")
      node = node.items && !Array.isArray(node.items) ? asNode(node.items) : undefined;
    else if (part === "kind" && node.oneOf) node = { enum: shapes(node).map((shape) => kindOf(shape) ?? "") };
    else
      node = shapesOf(node, here)
        .map((shape) => properties(shape)[part] ?? valuesOf(shape))
        .find((child) => child !== undefined);
    here = isGroup(here) || Array.isArray(here) ? Reflect.get(here, part) : undefined;
  }
  return node;
}

/** What a value must be, to stand after "must be": `a whole number from 1 to 100, or null`. */
export function expected(node: SchemaNode): string {
  if (node.title !== undefined) return node.title;
  if (node.anyOf) {
    const [first, second] = node.anyOf.map(asNode);
    if (first?.enum && second?.type === "array" && asNode(second.items).enum?.join() === first.enum.join())
      return `${expected(first)}, or a list of these`;
    return node.anyOf.map((branch) => expected(asNode(branch))).join(", or ");
  }
  if (node.enum) return `${node.enum.length > 1 ? "one of " : ""}${node.enum.join(", ")}`;
  if (node.oneOf) return `a group of keys with a kind: ${shapes(node).map(kindOf).join(", ")}`;
  switch (node.type) {
    case "null":
      return "null";
    case "boolean":
      return "true or false";
    case "string":
      return node.const === undefined ? "a path" : String(node.const);
    case "integer":
      return `a whole number ${range(node)}`;
    case "number":
      return `a number ${range(node)}`.trimEnd();
    case "array": {
      if (Array.isArray(node.prefixItems)) {
        const places = node.prefixItems.map((item) => expected(asNode(item)));
        return `a list of ${places.length}: ${places.join(", ")}`;
      }
      const least = node.minItems ?? 0;
      return `a list${least > 0 ? ` of ${least} or more` : ""}, each ${expected(asNode(node.items))}`;
    }
    default:
      if (Object.keys(properties(node)).length === 0) return "a group of keys, each on a line of its own";
      return `a group of keys (${Object.keys(properties(node)).join(", ")}), each on a line of its own`;
  }
}

/** The words that a value may be, where it is one of some words. */
export function choices(node: SchemaNode): string[] {
  return [node, ...(node.anyOf ?? []).map(asNode)].flatMap((one) => (one.enum ?? []).map(String));
}

/** Bounds in words; empty where there are none. */
function range({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: SchemaNode): string {
  const low = minimum ?? exclusiveMinimum;
  const high = maximum ?? exclusiveMaximum;
  if (minimum !== undefined && maximum !== undefined) return `from ${minimum} to ${maximum}`;
  const words = [];
  if (low !== undefined) words.push(minimum === undefined ? `above ${low}` : `from ${low}`);
  if (high !== undefined) words.push(maximum === undefined ? `below ${high}` : `at most ${high}`);
  return words.join(" and ");
}

/** zod gives a nested schema as an object, save for `true` and `false`, which our schema has none of. */
function asNode(nested: SchemaNode["items"]): SchemaNode {
  return typeof nested === "object" && !Array.isArray(nested) ? nested : {};
}

/** Whether `value` is a group of keys: a YAML map. */
export function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
