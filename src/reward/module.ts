/** A reward that the user wrote: the default export of a JavaScript module. */

import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Place, UserError } from "../errors.js";
import { described } from "./contract.js";
import type { Reward, RewardInput } from "./reward.js";

export interface ModuleOptions {
  /** The configuration that names the module: its path starts from that file's folder. */
  configFile: string;
  /** Line of the module's path in `configFile`. */
  line?: number;
  /** Name in tables; the module's own `name`, or its file name, when absent. */
  name?: string;
}

type ScoreFunction = (batch: readonly RewardInput[]) => unknown;

/**
 * Loads `path` (relative to the configuration's folder). The module's default export is a function
 * `(batch) => number[] | Promise<number[]>`, or an object with such a function as `score` and, if wanted, `name`,
 * `needsReference` and `close`. Inputs are `{ source, candidate, reference? }`.
 *
 * Throws a UserError, with the user's own error as its `cause`, where the file is missing, does not load, exports
 * something else, or where its function throws; numbers are checked by `checked`, which wraps every reward.
 */
export async function moduleReward(path: string, options: ModuleOptions): Promise<Reward> {
  const file = resolve(dirname(options.configFile), path);
  const place: Place = {
    file: options.configFile,
    ...(options.line !== undefined && { line: options.line }),
  };
  if (!existsSync(file)) {
    throw new UserError(
      `the reward module "${path}" was looked for at ${file} and is not there; correct its path`,
      place,
    );
  }

  const exported = await importDefault(path, file, place);
  const user = asObject(exported);
  const score = typeof exported === "function" ? exported : user?.score;
  if (typeof score !== "function") {
    throw new UserError(
      `the reward module "${path}" exports ${exported === undefined ? "no default" : `${described(exported)} as its default`}, ` +
        "but a function or an object with a function score was expected; write `export default (batch) => …`",
      place,
    );
  }
  const close = user?.close;
  const call = score as ScoreFunction; // a function from outside: what it takes is its author's word
  const name = options.name ?? (typeof user?.name === "string" ? user.name : basename(file, extname(file)));

  return {
    name,
    needsReference: user?.needsReference === true,
    async score(batch) {
      let scores: unknown;
      try {
        scores = await call.call(user, batch);
      } catch (error) {
        throw new UserError(
          `reward "${name}" threw ${errorText(error)} on a batch of ${batch.length}; mend the module`,
          throwPlace(error, file),
          { cause: error },
        );
      }
      if (scores instanceof Float32Array || scores instanceof Float64Array) return Array.from(scores);
      if (!Array.isArray(scores)) {
        throw new UserError(
          `reward "${name}" returned ${described(scores)} where an array of ${batch.length} numbers was expected; ` +
            "return one number for each input, in order",
          { file },
        );
      }
      return scores;
    },
    ...(typeof close === "function" && {
      close: async () => {
        await close.call(user);
      },
    }),
  };
}

async function importDefault(path: string, file: string, place: Place): Promise<unknown> {
  try {
    // With the time of its last change: Node.js would hand out a module that it has loaded before as it was then.
    const { href } = pathToFileURL(file);
    const module: { default?: unknown } = await import(`${href}?changed=${statSync(file).mtimeMs}`);
    return module.default;
  } catch (error) {
    throw new UserError(
      `the reward module "${path}" does not load: ${errorText(error)}; run \`node ${path}\` to see where`,
      place,
      { cause: error },
    );
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  // Any object may be asked for any key; what comes back stays unknown.
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
}

/** What was thrown, on one line: JavaScript may throw anything. */
function errorText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : described(error);
  return text.replace(/\s+/gu, " ").trim();
}

/** The line of `file` nearest to where `error` arose, from its stack. */
function throwPlace(error: unknown, file: string): Place {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  for (const line of stack.replaceAll(/\?changed=[\d.]+/gu, "").split("\n")) {
    const at = Math.max(line.indexOf(`${file}:`), line.indexOf(`${pathToFileURL(file).href}:`));
    const position = at < 0 ? null : /:(\d+):\d+\)?$/u.exec(line);
    if (position) return { file, line: Number(position[1]) };
  }
  return { file };
}
