/** A run's configuration as the flat list of names and texts that trackers keep. */

import type { Json } from "../store/manifest.js";

/** `improve.thresholds.values` → `[70,90]`; keys that are not set are left out. */
export function settingsOf(config: Json, path = ""): [key: string, value: string][] {
  if (config === null) return [];
  if (typeof config === "object" && !Array.isArray(config))
    return Object.entries(config).flatMap(([key, value]) =>
      settingsOf(value, path === "" ? key : `${path}.${key}`),
    );
  return [[path, typeof config === "string" ? config : JSON.stringify(config)]];
}
