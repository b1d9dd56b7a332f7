/** A policy that a server samples from and a command trains: a large language model, as a name or a folder. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { z } from "zod";
import { Interrupted, type Place, UserError } from "../../errors.js";
import { writeFileAtomic, writeFolderAtomic } from "../../store/atomic.js";
import { deriveKey } from "../../tensor/random.js";
import type {
  Example,
  Policy,
  SampledCandidate,
  SampleOptions,
  Source,
  TrainOptions,
  TrainResult,
  TranslateOptions,
  Translation,
} from "../policy.js";
import { Answers, type Kept } from "./answers.js";
import { type CompletionOptions, complete } from "./completions.js";
import type { Host, ServedModel } from "./host.js";
import { inParallel } from "./parallel.js";
import { trainingLine } from "./prompt.js";
import type { Ledger } from "./spending.js";
import { servedBy, type TrainerOptions, trainByCommand } from "./trainer.js";

const FILE = "policy.json";

const Saved = z.strictObject({
  format: z.literal(1),
  /** As the server knows it. */
  model: z.string().min(1).optional(),
  /** Or a folder, from this file's own, so that a run can be moved. */
  folder: z.string().min(1).optional(),
  url: z.string().min(1).optional(),
});

/** What the policies of one run have in common. */
export interface ServedOptions {
  completion: CompletionOptions;
  /** Choices asked for in one request, at most. */
  choices: number;
  /** Whether requests have a seed. */
  seeds: boolean;
  /** Requests under way at the same time, at most. */
  concurrency: number;
  trainer: TrainerOptions;
  host: Host;
  ledger: Ledger;
  /** Where the trainer runs. */
  workingFolder: string;
  /** Where the user said all this, for messages. */
  place: Place;
}

/** The model that a policy's folder names: as the server knows it, or an absolute path. @throws UserError where it names none. */
export async function readServed(folder: string): Promise<ServedModel> {
  const file = join(folder, FILE);
  const saved = await readFile(file, "utf8").then(
    (text) => Saved.safeParse(tryJson(text)).data,
    () => undefined,
  );
  const model = saved?.folder === undefined ? saved?.model : resolve(folder, saved.folder);
  if (saved === undefined || model === undefined)
    throw new UserError(
      'this is not a served policy; {"format": 1, "model": …} was expected. Put the file back from a copy, or start a new run folder.',
      { file },
    );
  return saved.url === undefined ? { model } : { model, url: saved.url };
}

export class ServerPolicy implements Policy {
  readonly #options: ServedOptions;
  #served: ServedModel;

  constructor(served: ServedModel, options: ServedOptions) {
    this.#served = served;
    this.#options = options;
  }

  /** @throws UserError where the folder is not one that `save` wrote. */
  static async load(folder: string, options: ServedOptions): Promise<ServerPolicy> {
    return new ServerPolicy(await readServed(folder), options);
  }

  /** The model's name or folder. */
  get model(): string {
    return this.#served.model;
  }

  async save(folder: string): Promise<void> {
    const { model, url } = this.#served;
    // A folder of the run moves with it; any other stays where it is.
    const way = relative(folder, model);
    const inside = resolve(model) === model && !relative(resolve(folder, "..", ".."), model).startsWith("..");
    const saved: z.output<typeof Saved> = {
      format: 1,
      ...(inside ? { folder: way } : { model }),
      ...(url === undefined ? {} : { url }),
    };
    await writeFolderAtomic(folder, (aside) =>
      writeFileAtomic(join(aside, FILE), `${JSON.stringify(saved, null, 2)}\n`),
    );
  }

  async release(): Promise<void> {
    // A server that was started is the host's to end.
  }

  async *sample(sources: readonly Source[], options: SampleOptions): AsyncGenerator<SampledCandidate[]> {
    const answers = await Answers.open(this.#question(sources, options), options.stateFile);
    // What a killed call has paid for belongs to the price of this one.
    for (const answer of answers.all()) if (answer.tokensIn !== undefined) this.#options.ledger.add(answer);
    const total = sources.length * options.n;
    let done = 0;
    const asked = inParallel(sources, this.#options.concurrency, async (source, givingUp) => {
      await this.#ask(source, options, answers, givingUp);
      return source;
    });
    for await (const { sourceId } of asked) {
      const kept = answers.of(sourceId);
      const candidates = Array.from({ length: options.n }, (_, sampleId) => candidate(kept.get(sampleId)!));
      done += candidates.length;
      options.onProgress?.(done, total);
      yield candidates;
    }
  }

  async translate(sources: readonly Source[], options: TranslateOptions): Promise<Translation[]> {
    if ((options.beams ?? 1) > 1) throw new Error("a server does not search by beam");
    const { beams: _, ...rest } = options;
    const found = new Map<number, Translation>();
    const greedy = { ...rest, n: 1, temperature: 0, seed: 0, grow: 0 };
    for await (const [one] of this.sample(sources, greedy)) {
      const { sourceId, text, tokens, logProbs, finished } = one!;
      found.set(sourceId, { sourceId, text, tokens, logProbs, finished });
    }
    return sources.map(({ sourceId }) => found.get(sourceId)!);
  }

  /**
   * Runs the trainer's command and goes on with the model that it names, unless `evaluate` finds the start better. The
   * options of training here, but for the seed and the learning rate, are the command's business.
   */
  async train(examples: readonly Example[], options: TrainOptions): Promise<TrainResult> {
    const { trainer, completion, host, workingFolder, place } = this.#options;
    const { outside, evaluate, seed, learningRate, signal } = options;
    if (outside === undefined)
      throw new Error("a served policy is trained outside, and no place is given for it");
    const result: TrainResult = { steps: 0, bestStep: 0, tokens: 0, evaluations: [] };
    const start = this.#served;
    const look = async (served: ServedModel, loss: number): Promise<void> => {
      this.#served = served;
      const found = await evaluate?.(result.steps);
      if (signal?.aborted) throw new Interrupted();
      const { score, ...more } = typeof found === "object" ? found : { score: found };
      result.evaluations.push({
        step: result.steps,
        loss,
        ...(score === undefined ? {} : { score }),
        ...more,
      });
      const better = score === undefined || result.bestScore === undefined || score > result.bestScore;
      if (!better || result.evaluations.at(-1)?.refused) return;
      if (score !== undefined) result.bestScore = score;
      result.bestStep = result.steps;
    };
    if (options.evaluateStart) await look(start, Number.NaN);
    // Two models at once would not fit on one accelerator.
    await host.close();
    const lines = examples.map(({ source, target }) =>
      trainingLine(trainer.layout, completion, source, target),
    );
    const made = await trainByCommand(
      lines,
      { policy: outside.name, model: start.model, learningRate, seed },
      trainer,
      { folder: outside.folder, workingFolder, place, ...(signal ? { signal } : {}) },
    );
    result.steps = made.steps ?? 1;
    result.tokens = made.tokens ?? 0;
    await look(servedBy(made), made.loss ?? Number.NaN);
    if (result.bestStep === 0) this.#served = start;
    return result;
  }

  /** Asks until every sample of the source is there. A server may give fewer choices than it was asked for. */
  async #ask(source: Source, options: SampleOptions, answers: Answers, givingUp: AbortSignal): Promise<void> {
    const { n, temperature, topP, topK, maxTokens, seed, grow, signal } = options;
    const { completion, choices, seeds, host, ledger } = this.#options;
    const { sourceId } = source;
    while (true) {
      if (signal?.aborted) throw new Interrupted();
      const kept = answers.of(sourceId);
      const missing = Array.from({ length: n }, (_, id) => id).filter((id) => !kept.has(id));
      if (missing.length === 0) return;
      const wanted = missing.slice(0, choices);
      const got = await complete(
        `policy ${this.model}`,
        await host.address(this.#served, signal),
        {
          model: this.model,
          source: source.text,
          n: wanted.length,
          temperature,
          ...(topP !== undefined && { topP }),
          ...(topK !== undefined && { topK }),
          maxTokens,
          // Greedy answers draw nothing; 31 bits are what every server takes.
          ...(seeds && temperature > 0 && { seed: deriveKey(seed, grow, sourceId, wanted[0]!)[0] >>> 1 }),
        },
        completion,
        { givingUp, ...(signal ? { interrupted: signal } : {}) },
      );
      ledger.add(got);
      await answers.add(
        got.choices.map(({ text, finished }, i) => ({
          source: sourceId,
          sample: wanted[i]!,
          text,
          finished,
          ...(i === 0 && { tokensIn: got.tokensIn, tokensOut: got.tokensOut }),
        })),
      );
    }
  }

  /** Whatever an answer follows from, but for its source and sample number. */
  #question(sources: readonly Source[], options: SampleOptions): string {
    const { temperature, topP, topK, maxTokens, seed, grow } = options;
    const { api, template, system, stop } = this.#options.completion;
    const question = [
      ...[this.model, this.#served.url, api, template, system, stop],
      ...[temperature, topP, topK, maxTokens, seed, grow],
      sources.map(({ sourceId, text }) => [sourceId, text]),
    ];
    return createHash("sha256").update(JSON.stringify(question)).digest("hex");
  }
}

function candidate({ source, sample, text, finished }: Kept): SampledCandidate {
  return { sourceId: source, sampleId: sample, text, tokens: [], logProbs: [], sampleLogProbs: [], finished };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
