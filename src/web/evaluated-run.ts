/** The evaluated sources of a run with what every policy made of them. */

import type { Pair } from "../data/pair.js";
import { readPairs } from "../data/read.js";
import { UserError } from "../errors.js";
import { type ChrfScorer, chrfScorer } from "../evaluate/chrf.js";
import { Manifest } from "../store/manifest.js";
import { type EvaluatedPolicy, evaluationSteps, fileInside, readEvaluation } from "./evaluation-files.js";
import { missing } from "./missing.js";

/** Sentence scores computed before other requests get their turn. */
const SLICE = 200;

/** Evaluated sources and policies of one moment. A source is known by its place, since texts may repeat. */
export class Evaluated {
  readonly #scorers: ChrfScorer[] = [];
  readonly #chrf = new Map<string, Float64Array>();

  constructor(
    /** Sources that every policy was evaluated on, with their references. */
    readonly pairs: readonly Pair[],
    /** BC first, then by Grow and Improve. */
    readonly policies: readonly EvaluatedPolicy[],
  ) {}

  policy(name: string): EvaluatedPolicy | undefined {
    return this.policies.find((policy) => policy.name === name);
  }

  /** Sentence chrF, 0 to 100, of the policy's translation of the source at that place; computed once. */
  chrf(policy: EvaluatedPolicy, source: number): number {
    let scores = this.#chrf.get(policy.name);
    if (!scores) {
      scores = new Float64Array(this.pairs.length).fill(Number.NaN);
      this.#chrf.set(policy.name, scores);
    }
    if (Number.isNaN(scores[source])) {
      this.#scorers[source] ??= chrfScorer(this.pairs[source]!.target);
      scores[source] = this.#scorers[source].score(policy.translations[source]!.text);
    }
    return scores[source]!;
  }

  /** The same of every source; other requests are answered in between. */
  async allChrf(policy: EvaluatedPolicy): Promise<number[]> {
    const scores: number[] = [];
    for (let source = 0; source < this.pairs.length; source++) {
      if (source > 0 && source % SLICE === 0) await new Promise(setImmediate);
      scores.push(this.chrf(policy, source));
    }
    return scores;
  }
}

/** Reads the evaluations of the run in `dir`, and anew only when others are finished. */
class EvaluatedRun {
  #known: { key: string; evaluated: Promise<Evaluated> } | undefined;

  constructor(private readonly dir: string) {}

  /** Throws a UserError where the folder holds no run, or a file of it is not as Coppice writes it. */
  async read(): Promise<Evaluated> {
    const manifest = await openManifest(this.dir);
    const steps = evaluationSteps(manifest);
    const key = JSON.stringify(steps);
    if (this.#known?.key !== key) {
      const evaluated = load(
        this.dir,
        steps.map(({ policy }) => policy),
      );
      this.#known = { key, evaluated };
      // What failed is tried again: the file may have been put back.
      evaluated.catch(() => {
        if (this.#known?.evaluated === evaluated) this.#known = undefined;
      });
    }
    return this.#known.evaluated;
  }
}

/** The evaluations of runs by folder, each read once. */
export class EvaluatedRuns {
  readonly #runs = new Map<string, EvaluatedRun>();

  /** Throws as `EvaluatedRun.read` does. */
  read(dir: string): Promise<Evaluated> {
    const run = this.#runs.get(dir) ?? new EvaluatedRun(dir);
    this.#runs.set(dir, run);
    return run.read();
  }
}

/** Throws an answer of "not there" where there is none. */
export async function openManifest(dir: string): Promise<Manifest> {
  const manifest = await Manifest.read(dir);
  if (manifest) return manifest;
  throw missing(`No run has begun in this folder yet. Start it with: coppice run ${dir}`);
}

async function load(dir: string, names: readonly string[]): Promise<Evaluated> {
  if (names.length === 0) return new Evaluated([], []);
  const policies = await Promise.all(names.map((name) => readEvaluation(dir, name)));
  const file = await fileInside(dir, "data/test.jsonl");
  if (file === undefined)
    throw new UserError(
      "data/test.jsonl, which a finished step wrote, is missing. Put it back from a copy.",
      {
        file: dir,
      },
    );
  const all = await readPairs(file);
  const evaluated = Math.min(all.length, ...policies.map(({ translations }) => translations.length));
  return new Evaluated(all.slice(0, evaluated), policies);
}
