/** A round of ratings for a run: what its policies wrote in their evaluation, and damaged translations as checks. */

import { readFile } from "node:fs/promises";
import { readPairs } from "../data/read.js";
import { UserError } from "../errors.js";
import { type CheckableSource, planRound, type RatableSource } from "../rating/plan.js";
import { type Round, storeRound } from "../rating/round.js";
import { type DamageKind, damagedPairs } from "../reward/damage.js";
import { unitsOf } from "../reward/units.js";
import { Manifest } from "../store/manifest.js";
import { runFolder } from "../store/run-folder.js";
import { deriveKey } from "../tensor/random.js";
import { BC, parsePolicyName, stepNames } from "./names.js";
import type { Evaluation } from "./steps/evaluate.js";

export interface RoundOptions {
  /** Policies whose outputs are rated, `BC` among the names that are known; BC and the last one of the main line when absent. */
  policies?: readonly string[];
  /** Sources to rate; 100, or as many as were evaluated, when absent. */
  items?: number;
  /** Items shown twice, and checks; a tenth of `items` each when absent. */
  repeats?: number;
  checks?: number;
  /** The run's own when absent. */
  seed?: number;
}

const ITEMS = 100;
const TENTH = 0.1;

/** Damages that nobody who reads both languages takes for a translation. */
const OBVIOUS: readonly DamageKind[] = ["otherTranslation", "shuffled", "oneWord"];

/** A translation of fewer words may read well shuffled, or be one word as it is. */
const CHECKED_WORDS = 5;

/** Keeps these draws apart from others made from the same seed. */
const STREAM = 0x7261_7465;

/**
 * Begins a round, or finds the same one where it was begun. Reads what evaluation stored: no policy is loaded.
 *
 * @throws UserError for a policy that the run does not have or has not evaluated, and for more items than sources.
 */
export async function beginRound(dir: string, options: RoundOptions = {}): Promise<Round> {
  const manifest = await Manifest.read(dir);
  const evaluated = manifest ? evaluatedPolicies(manifest) : [];
  if (!manifest || evaluated.length === 0)
    throw new UserError(
      `no policy of this run is evaluated yet, so there is nothing to rate. Go on with: coppice run ${dir}`,
      { file: dir },
    );
  const policies = chosen(evaluated, options.policies, dir);
  const sources = await outputsOf(dir, policies);
  const seed = options.seed ?? manifest.seed;
  const items = options.items ?? Math.min(ITEMS, new Set(sources.map(({ source }) => source)).size);
  const tenth = Math.ceil(TENTH * items);
  const plan = planRound(sources, checkable(sources, seed, Math.max(1, policies.length - 1)), {
    seed,
    policies,
    items,
    repeats: options.repeats ?? tenth,
    checks: options.checks ?? tenth,
  });
  return storeRound(dir, plan);
}

/** Names in the order in which they were evaluated. */
function evaluatedPolicies(manifest: Manifest): string[] {
  return manifest.steps
    .map(({ name }) => name)
    .filter((name) => parsePolicyName(name) !== undefined && manifest.isDone(stepNames.evaluate(name)));
}

function chosen(evaluated: readonly string[], asked: readonly string[] | undefined, dir: string): string[] {
  const last = evaluated.findLast((name) => !parsePolicyName(name)?.control);
  const names = asked?.map((name) => (name === "BC" ? BC : name)) ?? [BC, last ?? BC];
  for (const name of names)
    if (!evaluated.includes(name))
      throw new UserError(
        `the run has no evaluated policy ${JSON.stringify(name)}. It has ${evaluated
          .map((one) => (one === BC ? `BC (${BC})` : one))
          .join(", ")}.`,
        { file: dir },
      );
  return [...new Set(names)];
}

/** Every evaluated source with what the policies wrote for it, greedily or by beam search. */
async function outputsOf(dir: string, policies: readonly string[]): Promise<RatableSource[]> {
  const folder = runFolder(dir);
  const pairs = await readPairs(folder.inside("data/test.jsonl"));
  const written = await Promise.all(
    policies.map(async (policy) => {
      const file = folder.inside(`evaluation/${policy}.json`);
      // Written whole by evaluatePolicy.
      const { translations } = JSON.parse(await readFile(file, "utf8")) as Evaluation;
      return { policy, translations };
    }),
  );
  // Evaluation may take fewer sources than the part has, the first ones.
  const evaluated = Math.min(pairs.length, ...written.map(({ translations }) => translations.length));
  return pairs.slice(0, evaluated).map(({ source, target }, id) => ({
    id,
    source,
    reference: target,
    outputs: written.map(({ policy, translations }) => ({ policy, ...translations[id]! })),
  }));
}

/** Sources whose human translation can be damaged beyond doubt, with `perSource` damaged ones each. */
function checkable(sources: readonly RatableSource[], seed: number, perSource: number): CheckableSource[] {
  const long = sources.filter(({ reference }) => unitsOf(reference).length >= CHECKED_WORDS);
  const bySource = new Map<string, { kind: string; text: string }[]>();
  const pairs = long.map(({ source, reference }) => ({ source, target: reference }));
  for (const { source, reference, candidate, kind } of damagedPairs(pairs, deriveKey(seed, STREAM), {
    perPair: Math.min(perSource, OBVIOUS.length),
    kinds: OBVIOUS,
  })) {
    const key = JSON.stringify([source, reference]);
    bySource.set(key, [...(bySource.get(key) ?? []), { kind, text: candidate }]);
  }
  return long.flatMap(({ id, source, reference }) => {
    const damaged = bySource.get(JSON.stringify([source, reference]));
    return damaged === undefined ? [] : [{ id, source, reference, damaged }];
  });
}
