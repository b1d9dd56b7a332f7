/** Training by a command of the user's: examples in a file, the new model's name or folder out of what it writes. */

import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Interrupted, type Place, UserError } from "../../errors.js";
import { makeFolder } from "../../make-folder.js";
import { canRun, endedBy, killProcess, startProcess } from "../../remote/process.js";
import { writeFileAtomic, writeJsonAtomic } from "../../store/atomic.js";
import type { ServedModel } from "./host.js";
import type { Layout } from "./prompt.js";

export interface TrainerOptions {
  /** Words in braces stand for what a step gives: see `Job`. */
  command: readonly string[];
  layout: Layout;
}

/** What one call of the command is to do; each is a word in braces of the command, and a variable of its environment. */
export interface Job {
  /** The policy that comes of it: `G1I1`. */
  policy: string;
  /** The model that training starts from, as the server knows it. */
  model: string;
  learningRate: number;
  seed: number;
}

const Made = z.looseObject({
  model: z.string().min(1),
  url: z.string().min(1).optional(),
  /** Optimizer steps and tokens, where it tells. */
  steps: z.int().min(1).optional(),
  tokens: z.int().min(0).optional(),
  loss: z.number().optional(),
});

/** What came of a training. */
export type Made = z.output<typeof Made>;

const Finished = z.strictObject({ job: z.string(), made: Made });

/** Characters of what a trainer said that a message shows. */
const SAID = 400;
/** Of its standard output, as much is searched for the result. */
const OUTPUT_KEPT = 65_536;
/** Milliseconds that it has to end by itself when it is asked to. */
const GRACE = 10_000;

/** @throws UserError where there is no such program. */
export function checkTrainer({ command }: TrainerOptions, folder: string, place: Place): void {
  if (canRun(command[0]!, folder)) return;
  throw new UserError(
    `improve.trainer.command starts with ${JSON.stringify(command[0])}, and there is no such program in ${resolve(folder)} or on ` +
      "the PATH; install it, or correct the command",
    place,
  );
}

/**
 * Runs the command on `lines`, one example each, and returns what it made. What it says is kept in `trainer.log` of
 * `folder`, its model in `out` there. A command that has finished the same job on the same lines is not run again.
 *
 * @param workingFolder Where the command runs: the folder of the configuration.
 * @throws UserError where it fails, or does not say what it made; Interrupted where `signal` asks for the stop.
 */
export async function trainByCommand(
  lines: readonly string[],
  job: Job,
  options: TrainerOptions,
  {
    folder,
    workingFolder,
    place,
    signal,
  }: { folder: string; workingFolder: string; place: Place; signal?: AbortSignal },
): Promise<Made> {
  const train = join(folder, "train.jsonl");
  const out = join(folder, "out");
  const done = join(folder, "trained.json");
  const text = lines.map((line) => `${line}\n`).join("");
  const identity = createHash("sha256")
    .update(JSON.stringify([options.command, job]))
    .update(text)
    .digest("hex");
  const before = Finished.safeParse(await readJson(done));
  if (before.data?.job === identity) return before.data.made;
  // What another attempt left would pass for what this one makes.
  await rm(out, { recursive: true, force: true });
  makeFolder(out);
  await writeFileAtomic(train, text);
  const values: Record<string, string> = {
    train,
    out,
    model: job.model,
    policy: job.policy,
    seed: String(job.seed),
    learningRate: String(job.learningRate),
  };
  const command = options.command.map((part) =>
    part.replace(/\{(\w+)\}/g, (word, name: string) => (Object.hasOwn(values, name) ? values[name]! : word)),
  );
  const environment = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `COPPICE_${name.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`,
      value,
    ]),
  );
  const log = join(folder, "trainer.log");
  const ran = await runToEnd({ command, folder: workingFolder, environment }, log, signal);
  const said = ran.said.replace(/\s+/g, " ").trim();
  const refusal = (problem: string, advice: string) =>
    new UserError(
      `improve.trainer: ${options.command.join(" ")} ${problem}${said === "" ? "" : `; it said last: ${said.slice(-SAID)}`}; ` +
        `${advice}. All that it said is in ${log}`,
      place,
    );
  if (ran.ended !== "ended with code 0")
    throw refusal(ran.ended, "mend it and run the same command again: only this training is done anew");
  const made = lastObject(ran.output) ?? Made.safeParse(await readJson(join(out, "result.json"))).data;
  if (made === undefined)
    throw refusal(
      "ended without saying what it made",
      `its last line on standard output, or result.json in the folder {out}, has to be {"model": "name or folder"}`,
    );
  const model = await existing(made.model, out, refusal);
  const result: Made = { ...made, model };
  await writeJsonAtomic(done, { job: identity, made: result });
  return result;
}

/** What is served: the name, and where it is another, the server. */
export function servedBy({ model, url }: Made): ServedModel {
  return url === undefined ? { model } : { model, url };
}

/** A folder as its absolute path, where the name is one: in `out`, or anywhere. Other names are the server's business. */
async function existing(
  model: string,
  out: string,
  refusal: (problem: string, advice: string) => UserError,
): Promise<string> {
  const path = resolve(out, model);
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return path;
  if (found?.isDirectory()) {
    const files = (await readdir(path)).filter((name) => name !== "result.json");
    if (files.length > 0) return path;
    throw refusal(`names ${path} as its model, which is empty`, "let it save the model there");
  }
  if (isAbsolute(model) || /^\.{1,2}[/\\]/.test(model))
    throw refusal(`names ${model} as its model, which is not there`, "let it save the model there");
  return model;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** The last line that is an object with a model. */
function lastObject(output: string): Made | undefined {
  for (const line of output.split("\n").reverse()) {
    if (!line.trimStart().startsWith("{")) continue;
    try {
      const found = Made.safeParse(JSON.parse(line));
      if (found.success) return found.data;
    } catch {
      // Trainers print objects of Python's too.
    }
  }
  return undefined;
}

interface Ran {
  /** As words that follow its name. */
  ended: string;
  /** The end of standard output. */
  output: string;
  /** The end of all that it said. */
  said: string;
}

async function runToEnd(
  command: Parameters<typeof startProcess>[0],
  log: string,
  signal: AbortSignal | undefined,
): Promise<Ran> {
  if (signal?.aborted) throw new Interrupted();
  const child = startProcess(command);
  const file = createWriteStream(log, { flags: "a" });
  file.write(`$ ${command.command.join(" ")}\n`);
  let output = "";
  let said = "";
  const hear = (text: string) => {
    said = (said + text).slice(-2 * SAID);
    file.write(text);
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-OUTPUT_KEPT);
    hear(text);
  });
  child.stderr.setEncoding("utf8").on("data", hear);
  child.stdin.on("error", () => undefined);
  child.stdin.end();
  let ended: string | undefined;
  const end = new Promise<void>((done) => {
    const finish = (words: string) => {
      ended ??= words;
      done();
    };
    child.on("error", (error) => finish(`did not start (${error.message})`));
    child.on("close", (code, by) => finish(endedBy(code, by)));
    // A process that it left behind can hold its output open.
    child.on("exit", (code, by) => setTimeout(() => finish(endedBy(code, by)), 500).unref());
  });
  const stop = () => {
    killProcess(child, "SIGTERM");
    void sleep(GRACE, undefined, { ref: false }).then(() => {
      if (ended === undefined) killProcess(child);
    });
  };
  signal?.addEventListener("abort", stop);
  try {
    await end;
  } finally {
    signal?.removeEventListener("abort", stop);
    await new Promise<void>((closed) => file.end(closed));
  }
  if (signal?.aborted) throw new Interrupted();
  return { ended: ended!, output, said };
}
