/**
 * How well rewards of people's ratings do, corpus by corpus.
 *
 *     npm run bench -- ratings DATA OUT             all corpora that DATA has, results in OUT; finished ones are kept
 *     npm run bench -- ratings DATA OUT mlqe-en-de  one of them
 *
 * Each corpus is a file of results in OUT, so that a study that was stopped goes on where it was; docs/reward-study.md is
 * written from all of them. Test parts are scored at the end of each corpus, after everything is chosen on development parts.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../src/errors.js";
import { pearson } from "../src/evaluate/correlation.js";
import { fitRatings, prepareRatings } from "../src/reward/ratings/fit.js";
import { difference, type Figures, figuresOf, type Interval } from "../src/reward/ratings/measure.js";
import { rawScore } from "../src/reward/ratings/model.js";
import { judgedBy } from "../src/reward/ratings/train.js";
import { writeJsonAtomic } from "../src/store/atomic.js";
import { type Machine, thisMachine } from "../src/store/machine.js";
import { writeRatingsPage } from "./ratings-page.js";
import { type Task, tasksOf } from "./ratings-tasks.js";

/** Of splits, folds, trees and resamples alike. */
const SEED = 1;

export interface TaskRow {
  label: string;
  /** Learned from ratings, or a score that needs none. */
  learned: boolean;
  /** Pearson on the development part; settings of the learned ones are chosen there. */
  dev: number;
  test: Figures;
  /** Mean over the groups of the test part of Pearson; absent without groups. */
  byGroup?: number;
  /** Pearson on the test part less that of the first baseline; absent for itself. */
  difference?: Interval;
  chosen?: object;
}

export interface TaskResult {
  name: string;
  title: string;
  about: string;
  machine: Machine;
  finishedAt: string;
  minutes: number;
  texts: { train: number; dev: number; test: number };
  features: number;
  rows: TaskRow[];
}

export async function ratingsBench([data, out, ...only]: readonly string[]): Promise<object> {
  if (data === undefined || out === undefined)
    throw new UserError("npm run bench -- ratings DATA OUT: give the folder of corpora and one for results.");
  const tasks = tasksOf(data).filter(({ name }) => only.length === 0 || only.includes(name));
  if (tasks.length === 0) throw new UserError("none of the corpora is there.", { file: data });
  for (const task of tasks) {
    const file = join(out, `${task.name}.json`);
    if (!existsSync(file)) await writeJsonAtomic(file, await measure(task));
  }
  const results = tasksOf(data)
    .map(({ name }) => join(out, `${name}.json`))
    .filter(existsSync)
    // Written whole by this program.
    .map((file) => JSON.parse(readFileSync(file, "utf8")) as TaskResult);
  writeRatingsPage("docs/reward-study.md", results);
  return {
    corpora: results.map(({ name, rows }) => ({
      name,
      ...Object.fromEntries(rows.map(({ label, test }) => [label, test.pearson.value])),
    })),
  };
}

async function measure(task: Task): Promise<TaskResult> {
  const start = Date.now();
  const note = (sentence: string) =>
    console.error(`${task.name} ${((Date.now() - start) / 60_000).toFixed(1)} min: ${sentence}`);
  const { train, dev, test, extra, variants, baselines, group } = await task.load();
  const prepared = prepareRatings(train, dev, { extra, seed: SEED, onNote: note });
  const models = variants.map(({ label, uses }) => ({
    label,
    ...fitRatings(prepared, uses, { seed: SEED, onNote: note }),
  }));
  note("Measuring.");
  const [first] = baselines;
  const firstScores = first && test.map((one) => first.score(one));
  const people = dev.map(({ score }) => score);
  const row = (label: string, score: (input: (typeof test)[number]) => number, chosen?: object): TaskRow => {
    const judged = judgedBy(test, test.map(score));
    return {
      label,
      learned: chosen !== undefined,
      dev: pearson(dev.map(score), people),
      test: figuresOf(judged, SEED),
      ...(group && { byGroup: meanByGroup(judged.predicted, judged.scores, test.map(group)) }),
      ...(firstScores && label !== first.label && { difference: difference(judged, firstScores, SEED) }),
      ...(chosen && { chosen }),
    };
  };
  return {
    name: task.name,
    title: task.title,
    about: task.about,
    rows: [
      ...baselines.map(({ label, score }) => row(label, score)),
      ...models.map(({ label, model, chosen }) => row(label, (input) => rawScore(model, input), chosen)),
    ],
    texts: { train: train.length, dev: dev.length, test: test.length },
    features: prepared.train.rows[0]!.length,
    machine: thisMachine(),
    finishedAt: new Date().toISOString(),
    minutes: (Date.now() - start) / 60_000,
  };
}

function meanByGroup(
  predicted: readonly number[],
  scores: readonly number[],
  groups: readonly string[],
): number {
  const found = [...new Set(groups)].map((name) => {
    const inside = (_: number, i: number) => groups[i] === name;
    return pearson(predicted.filter(inside), scores.filter(inside));
  });
  return found.reduce((sum, one) => sum + one, 0) / found.length;
}
