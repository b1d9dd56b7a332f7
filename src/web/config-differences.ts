/** Configurations side by side: the keys that are not the same in all. */

/** `values[i]` is what configuration i has, as JSON; null where it has no such key. */
export interface DifferingKey {
  key: string;
  values: (string | null)[];
}

/** Keys with dots (`improve.loss`), in alphabetical order; a list counts as one value. */
export function configDifferences(configs: readonly unknown[]): DifferingKey[] {
  const leaves = configs.map((config) => new Map(leavesOf(config, "")));
  const keys = [...new Set(leaves.flatMap((each) => [...each.keys()]))].sort();
  return keys
    .map((key) => ({ key, values: leaves.map((each) => each.get(key) ?? null) }))
    .filter(({ values }) => new Set(values).size > 1);
}

function leavesOf(value: unknown, key: string): [string, string][] {
  const entries =
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (entries.length === 0) return [[key, JSON.stringify(value) ?? "null"]];
  return entries.flatMap(([name, each]) => leavesOf(each, key === "" ? name : `${key}.${name}`));
}
