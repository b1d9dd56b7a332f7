/** Human ratings from the command line: the server of the rating page, results, files in and out. */
import { once } from "node:events";
import { relative, resolve } from "node:path";
import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { readJudgements, writeJudgements } from "../rating/formats.js";
import type { Judgement } from "../rating/judgement.js";
import { rewardsBeside } from "../rating/lessons.js";
import { findRound, importRatings, readRatings } from "../rating/read.js";
import { type RatingResults, ratingResults } from "../rating/results.js";
import type { Round } from "../rating/round.js";
import { plural, rewardPoints } from "../report/format.js";
import { beginRound } from "../rest/rating-round.js";
import { readFinished } from "../rest/run.js";
import { fitIsotonic } from "../reward/calibration.js";
import { writeJsonAtomic } from "../store/atomic.js";
import type { FolderOptions } from "./command.js";
import { resultsText } from "./rating-tables.js";
import { stopSignal } from "./signals.js";
import { openTerminal, type Terminal } from "./terminal.js";

export interface RateOptions extends FolderOptions {
  policies?: string[];
  items?: number;
  repeats?: number;
  checks?: number;
  round?: string;
  host: string;
  port: number;
  results?: boolean;
  /** Raters whose ratings the results leave out. */
  without?: string[];
  export?: string;
  import?: string;
  /** File for the map from the reward to people's scores. */
  calibrate?: string;
}

export async function rateCommand(options: RateOptions): Promise<void> {
  const terminal = openTerminal(options);
  if (!(await exists(options.dir)))
    throw new UserError("there is no such folder. Give the folder of a run.", { file: options.dir });
  if (options.import !== undefined) return importFile(options.dir, options.import, terminal);
  if (options.export !== undefined) return exportFile(options, options.export, terminal);
  if (options.calibrate !== undefined) return calibrateReward(options, options.calibrate, terminal);
  if (options.results) return printResults(options, terminal);
  return serve(options, terminal);
}

async function importFile(dir: string, file: string, terminal: Terminal): Promise<void> {
  const judgements = await readJudgements(file);
  const added = await importRatings(dir, judgements);
  terminal.result({ read: judgements.length, added }, () =>
    added === judgements.length
      ? `Added ${plural(added, "rating")}.`
      : `Added ${plural(added, "rating")}; ${judgements.length - added} were there already.`,
  );
}

async function exportFile({ dir, round }: RateOptions, file: string, terminal: Terminal): Promise<void> {
  const { judgements } = await readRatings(dir, round);
  if (judgements.length === 0) throw nothingRated(dir);
  await writeJudgements(file, judgements);
  terminal.result(
    { file, ratings: judgements.length },
    () => `Wrote ${plural(judgements.length, "rating")} to ${file}.`,
  );
}

/** Fits the map on every rated text that has a reward, each once. */
async function calibrateReward(
  { dir, round, without = [] }: RateOptions,
  file: string,
  terminal: Terminal,
): Promise<void> {
  const { judgements } = await readRatings(dir, round);
  const beside = rewardsBeside(withoutRaters(judgements, without, dir), dir);
  const { config } = await readFinished(dir);
  if (config.reward.calibration !== null)
    throw new UserError(
      `the rewards of this run have passed through ${config.reward.calibration} already. Calibrate a run without reward.calibration.`,
      { file: dir },
    );
  const calibration = fitIsotonic(
    beside.map(({ reward }) => reward),
    beside.map(({ unit }) => unit),
  );
  await writeJsonAtomic(file, { ...calibration, texts: beside.length });
  terminal.result({ file, texts: beside.length, ...calibration }, () =>
    [
      `Wrote ${file}, fitted on ${plural(beside.length, "text")}. In the configuration of this run: reward: { calibration: ${relative(dir, file)} }.`,
      ...calibration.raw.map(
        (raw, i) =>
          `  reward ${rewardPoints(raw).padStart(5)}  people ${rewardPoints(calibration.reward[i]!).padStart(5)}`,
      ),
    ].join("\n"),
  );
}

/** What `--results --json` prints. */
interface PrintedResults {
  round: string | null;
  policies: string[];
  /** One for each scale that occurs. */
  results: RatingResults[];
}

async function printResults(
  { dir, round: id, without = [] }: RateOptions,
  terminal: Terminal,
): Promise<void> {
  const { round, judgements, unreadable } = await readRatings(dir, id);
  for (const place of unreadable) terminal.note(`${place}: this line could not be read and does not count.`);
  const counted = withoutRaters(judgements, without, dir);
  if (counted.length === 0) throw nothingRated(dir);
  const result: PrintedResults = {
    round: round?.id ?? null,
    policies: round?.policies ?? [],
    results: ratingResults(counted, round?.seed ?? 0),
  };
  terminal.result(result, (colour) =>
    result.results.map((results) => resultsText(results, { colour })).join("\n\n"),
  );
}

function withoutRaters(
  judgements: readonly Judgement[],
  without: readonly string[],
  dir: string,
): Judgement[] {
  const raters = new Set(judgements.map(({ rater }) => rater));
  for (const name of without)
    if (!raters.has(name))
      throw new UserError(
        `nobody called ${JSON.stringify(name)} has rated. There are: ${[...raters].join(", ") || "none yet"}.`,
        { file: dir },
      );
  return judgements.filter(({ rater }) => !without.includes(rater));
}

function nothingRated(dir: string): UserError {
  return new UserError(`nothing has been rated yet. Open the page with: coppice rate ${dir}`, { file: dir });
}

/** Serves the rating page until Ctrl-C. */
async function serve(options: RateOptions, terminal: Terminal): Promise<void> {
  const { host, port } = options;
  const round = await openRound(options);
  const [{ listen, tokenFor }, { createRatingServer }] = await Promise.all([
    import("../http/listen.js"),
    import("../web/rating-server.js"),
  ]);
  const token = tokenFor(host);
  const signal = stopSignal();
  const app = createRatingServer({
    place: { dir: resolve(options.dir), round: round.id },
    address: host,
    ...(token === undefined ? {} : { token }),
  });
  const listening = await listen(app, { address: host, port });
  const url = token === undefined ? listening.url : `${listening.url}/?token=${token}`;
  terminal.note(
    `Round ${round.id}: ${plural(round.items.length, "item")}, ${round.policies.join(", ")}. Ctrl-C ends the page; ratings are kept as they are given.`,
  );
  terminal.result({ url, round: round.id }, () => url);
  if (!signal.aborted) await once(signal, "abort");
  await listening.close();
}

/** The round that the options describe, or the one that is open. */
async function openRound({ dir, round, policies, items, repeats, checks }: RateOptions): Promise<Round> {
  const asked = [policies, items, repeats, checks].some((option) => option !== undefined);
  if (round !== undefined && asked)
    throw new UserError(
      "--round is a round as it was begun: leave out --policies, --items, --repeats and --checks.",
    );
  const known = asked ? undefined : await findRound(dir, round);
  return (
    known ??
    beginRound(dir, {
      ...(policies && { policies }),
      ...(items !== undefined && { items }),
      ...(repeats !== undefined && { repeats }),
      ...(checks !== undefined && { checks }),
    })
  );
}
