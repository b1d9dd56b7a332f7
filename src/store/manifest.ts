/** `manifest.json`: what of a run is finished. A step counts when the manifest says so, and not before. */

import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { writeJsonAtomic } from "./atomic.js";
import { changedInputs, InputFile, sha256 } from "./input-files.js";
import { type Machine, thisMachine } from "./machine.js";
import { runFolder } from "./run-folder.js";

const Output = z.strictObject({
  /** Relative to the run folder, with `/`. */
  path: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().nonnegative(),
});

const Step = z.strictObject({
  name: z.string().min(1),
  outputs: z.array(Output),
  /** Folder of the run that did the step, relative to this one; absent where this run did it. */
  takenFrom: z.string().optional(),
  /** Configuration keys that the step depends on: `improve` stands for all below it. Absent: on every key. */
  dependsOn: z.array(z.string()).optional(),
  /** What later steps need to know of this one. */
  result: z.json().optional(),
  /** Lines of metrics.jsonl when the step was finished. */
  metricsLines: z.int().nonnegative(),
  /** The CPU model it ran on. */
  cpu: z.string(),
  /** All that depends on the clock. */
  time: z.strictObject({ seconds: z.number().nonnegative(), finishedAt: z.string() }),
});

const Content = z.strictObject({
  format: z.literal(1),
  coppice: z.string(),
  /** Written into the files of the run, so that those of another are recognised. The same for the same seed and `identity`. */
  runId: z.string().min(1),
  seed: z.int().nonnegative(),
  machine: z.strictObject({
    cpu: z.string(),
    cores: z.int().positive(),
    threads: z.int().positive().optional(),
    memoryGb: z.number().nonnegative(),
    node: z.string(),
    os: z.string(),
  }),
  configHash: z.string(),
  /** The resolved configuration, so that a change can be named. */
  config: z.json(),
  /** Files from outside the run folder as they were when the run last went on. */
  inputs: z.array(InputFile).default([]),
  steps: z.array(Step),
  time: z.strictObject({ createdAt: z.string() }),
});

export type Json = z.infer<ReturnType<typeof z.json>>;
export type FinishedStep = z.infer<typeof Step>;
type Content = z.infer<typeof Content>;

export interface ManifestOptions {
  /** Version of Coppice. */
  coppice: string;
  seed: number;
  /** The resolved configuration. */
  config: Json;
  /** Files from outside that the run reads. */
  inputs?: readonly InputFile[];
  /** What the candidates of the run follow from: runs that have it in common may share them. Default: `config`. */
  identity?: Json;
  /** For tests; default: the machine this runs on. */
  machine?: Machine;
}

/** A run as it would go on. */
export interface Continuation {
  seed: number;
  config: Json;
  /** Files from outside that the run reads, those that are there. */
  inputs?: readonly InputFile[];
  /** For tests; default: the machine this runs on. */
  machine?: Machine;
}

export interface FinishOptions {
  seconds: number;
  /** Files, or folders with all their files, relative to the run folder. */
  outputs?: readonly string[];
  dependsOn?: readonly string[];
  result?: Json;
  metricsLines?: number;
  takenFrom?: string;
}

/** A configuration key whose value differs; `undefined` where one side has no such key. */
interface Change {
  key: string;
  was: Json | undefined;
  is: Json | undefined;
}

/** The hash that stands for a configuration: independent of the order of its keys. */
export function configHash(config: Json): string {
  return createHash("sha256")
    .update(JSON.stringify(sortKeys(config)))
    .digest("hex");
}

function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortKeys(item)]),
  );
}

function changes(was: Json | undefined, is: Json | undefined, key = ""): Change[] {
  const isObject = (value: Json | undefined): value is Record<string, Json> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (isObject(was) && isObject(is)) {
    const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
    return keys.flatMap((name) => changes(was[name], is[name], key === "" ? name : `${key}.${name}`));
  }
  const same = JSON.stringify(sortKeys(was ?? null)) === JSON.stringify(sortKeys(is ?? null));
  return same && (was === undefined) === (is === undefined) ? [] : [{ key, was, is }];
}

/** Whether any of these keys (`improve` stands for all below it) has another value in `is` than in `was`. */
export function keysDiffer(was: Json, is: Json, keys: readonly string[] | undefined): boolean {
  return changes(was, is).some((change) => touches(keys, change));
}

function touches(keys: readonly string[] | undefined, change: { key: string }): boolean {
  if (keys === undefined) return true;
  return keys.some(
    (key) => change.key === key || change.key.startsWith(`${key}.`) || key.startsWith(`${change.key}.`),
  );
}

/** All files of a path in the run folder, sorted, each relative to the run folder with `/`. */
async function filesOf(root: string, path: string): Promise<string[]> {
  if (!(await stat(join(root, path))).isDirectory()) return [path];
  const names = (await readdir(join(root, path))).sort();
  return (await Promise.all(names.map((name) => filesOf(root, `${path}/${name}`)))).flat();
}

/** The open manifest of a run; hold the run's lock while changing it. */
export class Manifest {
  private constructor(
    readonly folder: string,
    private readonly content: Content,
  ) {}

  /** Starts the manifest of a new run and writes it. */
  static async create(folder: string, options: ManifestOptions): Promise<Manifest> {
    const hash = configHash(options.config);
    const identity = options.identity === undefined ? hash : configHash(options.identity);
    const runId = createHash("sha256").update(`${options.seed}/${identity}`).digest("hex").slice(0, 16);
    const manifest = new Manifest(folder, {
      format: 1,
      coppice: options.coppice,
      runId,
      seed: options.seed,
      machine: options.machine ?? thisMachine(),
      configHash: hash,
      config: options.config,
      inputs: [...(options.inputs ?? [])],
      steps: [],
      time: { createdAt: new Date().toISOString() },
    });
    await manifest.#save(manifest.content);
    return manifest;
  }

  /** Reads the manifest of a run, or gives undefined when the folder has none. Throws a UserError naming file and key. */
  static async read(folder: string): Promise<Manifest | undefined> {
    const path = runFolder(folder).manifest;
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      throw new UserError(
        "this is not JSON, so what is finished in this run is not known. Put the file back from a copy, or start a new run folder.",
        { file: path },
        { cause: error },
      );
    }
    const parsed = Content.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw new UserError(
        `key ${issue.path.join(".") || "(the whole file)"} is not as Coppice writes it (${issue.message}). ` +
          "Put the file back from a copy, or start a new run folder.",
        { file: path },
      );
    }
    return new Manifest(folder, parsed.data);
  }

  get runId(): string {
    return this.content.runId;
  }

  get seed(): number {
    return this.content.seed;
  }

  get machine(): Machine {
    return this.content.machine;
  }

  get inputs(): readonly InputFile[] {
    return this.content.inputs;
  }

  /** The resolved configuration that the run last went on with. */
  get config(): Json {
    return this.content.config;
  }

  /** When the run began, in ISO 8601. */
  get createdAt(): string {
    return this.content.time.createdAt;
  }

  get steps(): readonly FinishedStep[] {
    return this.content.steps;
  }

  /** Lines of metrics.jsonl that belong to finished steps. */
  get metricsLines(): number {
    return this.content.steps.at(-1)?.metricsLines ?? 0;
  }

  /** Seconds spent in finished steps. */
  get seconds(): number {
    return this.content.steps.reduce((sum, step) => sum + step.time.seconds, 0);
  }

  step(name: string): FinishedStep | undefined {
    return this.content.steps.find((step) => step.name === name);
  }

  isDone(name: string): boolean {
    return this.step(name) !== undefined;
  }

  /** Makes a step count, with the hashes of its outputs, which must lie on disk whole by now. */
  async finish(name: string, options: FinishOptions): Promise<void> {
    if (this.isDone(name)) throw new Error(`step ${name} is finished already`);
    const { root, inside } = runFolder(this.folder);
    const outputs: z.infer<typeof Output>[] = [];
    for (const output of options.outputs ?? []) {
      inside(output);
      for (const path of await filesOf(root, output))
        outputs.push({
          path,
          sha256: await sha256(join(root, path)),
          bytes: (await stat(join(root, path))).size,
        });
    }
    const step: FinishedStep = {
      name,
      outputs,
      ...(options.takenFrom === undefined ? {} : { takenFrom: options.takenFrom }),
      ...(options.dependsOn === undefined ? {} : { dependsOn: [...options.dependsOn] }),
      ...(options.result === undefined ? {} : { result: options.result }),
      metricsLines: options.metricsLines ?? this.metricsLines,
      cpu: thisMachine().cpu,
      time: { seconds: options.seconds, finishedAt: new Date().toISOString() },
    };
    await this.#save({ ...this.content, steps: [...this.content.steps, step] });
  }

  /**
   * Throws a UserError naming the first output of a finished step that is missing or not what was written;
   * `hash: false` compares sizes, in no time, and the content of Parquet files alone that were written after their step: DuckDB
   * ends its process on some that are damaged. `within` looks at the outputs in that folder of the run alone.
   */
  async check(options: { hash: boolean; within?: string }): Promise<void> {
    const { root } = runFolder(this.folder);
    // A later step may replace a file of an earlier one (scores join the samples): the last record counts.
    const last = new Map(
      this.content.steps.flatMap((step) => step.outputs.map((output) => [output.path, { step, output }])),
    );
    for (const { step, output } of last.values()) {
      if (options.within !== undefined && !output.path.startsWith(`${options.within}/`)) continue;
      const file = join(root, output.path);
      const found = await stat(file).catch(() => undefined);
      const problem =
        found === undefined
          ? "is missing"
          : found.size !== output.bytes
            ? `has ${found.size} bytes instead of ${output.bytes}`
            : (options.hash || wasTouched(found.mtimeMs, step, output.path)) &&
                (await sha256(file)) !== output.sha256
              ? "has been changed"
              : undefined;
      if (problem !== undefined)
        throw new UserError(
          `this file of the finished step ${step.name} ${problem}. Put it back from a copy, or start a new run folder.`,
          { file },
        );
    }
  }

  /**
   * Whether the seed or any of these keys (`improve` stands for all below it) has another value now, or a file that one
   * of them names another content.
   */
  differs(now: Continuation, keys: readonly string[]): boolean {
    return now.seed !== this.content.seed || this.#touching(now).some((change) => touches(keys, change));
  }

  /** Changed keys, and the keys of changed files. */
  #touching(now: Continuation): { key: string }[] {
    return [
      ...changes(this.content.config, now.config),
      ...changedInputs(this.content.inputs, now.inputs ?? []),
    ];
  }

  /** The first finished step that a changed configuration, file or seed makes invalid; it and all after it have to be redone. */
  firstStale(now: Continuation): string | undefined {
    if (now.seed !== this.content.seed) return this.content.steps[0]?.name;
    const changed = this.#touching(now);
    return this.content.steps.find((step) => changed.some((change) => touches(step.dependsOn, change)))?.name;
  }

  /**
   * Sentences on what differs between the run as it was and as it would go on: changed keys and files, which steps are
   * reused and which redone, another CPU, another Node.js. Empty when nothing does.
   */
  explainDifference(now: Continuation): string[] {
    const sentences: string[] = [];
    const show = (value: Json | undefined) => (value === undefined ? "not set" : JSON.stringify(value));
    const changed = changes(this.content.config, now.config);
    if (now.seed !== this.content.seed && !changed.some((change) => change.key === "seed"))
      changed.push({ key: "seed", was: this.content.seed, is: now.seed });
    for (const { key, was, is } of changed) sentences.push(`${key} was ${show(was)} and is now ${show(is)}.`);
    const otherFiles = changedInputs(this.content.inputs, now.inputs ?? []);
    for (const { path } of otherFiles)
      sentences.push(`${path} is not the file it was: its content has changed.`);
    const names = this.content.steps.map((step) => step.name);
    if (changed.length + otherFiles.length > 0 && names.length > 0) {
      const stale = this.firstStale(now);
      const cut = stale === undefined ? names.length : names.indexOf(stale);
      if (cut > 0) sentences.push(`Reused as they are: ${names.slice(0, cut).join(", ")}.`);
      if (cut < names.length) sentences.push(`To be redone: ${names.slice(cut).join(", ")}.`);
    }
    const machine = now.machine ?? thisMachine();
    const { cpu, node } = this.content.machine;
    if (machine.cpu !== cpu)
      sentences.push(
        `This run began on ${cpu} and goes on with ${machine.cpu}: finished steps are reused, but the last bits of ` +
          "what follows may differ from a run on one machine.",
      );
    const [were, are] = [this.content.machine, machine].map(({ threads, cores }) => threads ?? cores);
    if (machine.cpu === cpu && were !== are)
      sentences.push(
        `This run began on ${were} threads and goes on with ${are}: finished steps are reused, but the last bits of ` +
          "training depend on their number.",
      );
    if (machine.node !== node)
      sentences.push(
        `This run began with Node.js ${node} and goes on with ${machine.node}: finished steps are reused.`,
      );
    return sentences;
  }

  /**
   * Takes a changed configuration and changed files: forgets the stale steps and those after them, then deletes their outputs.
   * Killed in between, files are left that no step claims; redoing the steps replaces them.
   */
  async adopt(now: Continuation): Promise<void> {
    const stale = this.firstStale(now);
    const cut = stale === undefined ? this.steps.length : this.steps.findIndex((step) => step.name === stale);
    const dropped = this.content.steps.slice(cut).flatMap((step) => step.outputs);
    // A file of a kept step that a dropped one replaced stays as it lies there, to be replaced again.
    const lying = new Map(dropped.map((output) => [output.path, output]));
    const steps = this.content.steps
      .slice(0, cut)
      .map((step) => ({ ...step, outputs: step.outputs.map((output) => lying.get(output.path) ?? output) }));
    await this.#save({
      ...this.content,
      seed: now.seed,
      config: now.config,
      configHash: configHash(now.config),
      inputs: [...(now.inputs ?? this.content.inputs)],
      steps,
    });
    const { root } = runFolder(this.folder);
    const kept = new Set(steps.flatMap((step) => step.outputs.map((output) => output.path)));
    for (const { path } of dropped) if (!kept.has(path)) await rm(join(root, path), { force: true });
  }

  /** Forgets the step that was finished last, so that it is done again; its files stay for it to replace. */
  async forgetLast(): Promise<void> {
    await this.#save({ ...this.content, steps: this.content.steps.slice(0, -1) });
  }

  async #save(content: Content): Promise<void> {
    await writeJsonAtomic(runFolder(this.folder).manifest, content);
    Object.assign(this.content, content);
  }
}

/** Whether a Parquet file was written, or copied here, after its step had finished. */
function wasTouched(changed: number, { time }: FinishedStep, path: string): boolean {
  return path.endsWith(".parquet") && changed > Date.parse(time.finishedAt);
}
