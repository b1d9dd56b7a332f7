/** A reward that a program computes, in any language: JSON lines in, one number a line out. */

import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, resolve } from "node:path";
import { type Place, UserError } from "../../errors.js";
import { canRun } from "../../remote/process.js";
import type { ScoreSource } from "../remembered.js";
import { Program } from "./program.js";

export interface CommandOptions {
  /** The program and its arguments, run in the configuration's folder without a shell. */
  command: readonly string[];
  /** Name in tables; made of the command when null. */
  name: string | null;
  /** Whether the program gets the human translation too. */
  needsReference: boolean;
  batchSize: number;
  timeoutSeconds: number;
}

/**
 * Each input is a line `{"source": …, "candidate": …, "reference"?: …}`; each answer a number, or an object with it as
 * `reward`. Throws a UserError where there is no such program.
 */
export function commandScores(options: CommandOptions, place: Place & { file: string }): ScoreSource {
  const folder = dirname(place.file);
  const { command } = options;
  if (!canRun(command[0]!, folder))
    throw new UserError(
      `reward.command starts with ${JSON.stringify(command[0])}, and there is no such program in ${resolve(folder)} or on the PATH; ` +
        "install it, or correct the command",
      place,
    );
  const name = options.name ?? `command ${command.map((part) => basename(part)).join(" ")}`;
  const program = new Program(name, { command, folder, timeoutSeconds: options.timeoutSeconds });
  const contents = commandFiles(command, place.file).map((path) =>
    createHash("sha256")
      .update(readFileSync(resolve(folder, path)))
      .digest("hex"),
  );
  return {
    name,
    needsReference: options.needsReference,
    identity: JSON.stringify(["command", command, options.needsReference, contents]),
    repetitions: 1,
    batchSize: options.batchSize,
    concurrency: 1,
    async ask(questions, { interrupted }) {
      const lines = questions.map(({ repetition: _, ...input }) => JSON.stringify(input));
      const { lines: answers, failure } = await program.exchange(lines, interrupted);
      return { scores: answers.map(scoreOf), ...(failure && { failure }) };
    },
    aside: () => program.said(),
    close: () => program.close(),
  };
}

/** Arguments that are files, as the configuration in `configFile` names them: scripts whose content decides the scores. */
export function commandFiles(command: readonly string[], configFile: string): string[] {
  return command.filter((part, i) => {
    // The interpreter itself is not one.
    if (i === 0 && isAbsolute(part)) return false;
    return statSync(resolve(dirname(configFile), part), { throwIfNoEntry: false })?.isFile() ?? false;
  });
}

/** A number, the `reward` of an object, or what else the line holds. */
function scoreOf(line: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return line.trim();
  }
  return typeof value === "object" && value !== null && "reward" in value ? value.reward : value;
}
