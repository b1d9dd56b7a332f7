/** The ratings of a run as they lie in its folder. */

import { UserError } from "../errors.js";
import { appendLines, readJsonLines } from "./append.js";
import { Judgement, judgementsOf, merged } from "./judgement.js";
import { readLog } from "./log.js";
import { type Round, ratingsFolder, readRounds } from "./round.js";

export interface StoredRatings {
  /** Absent where nothing but imported ratings is there. */
  round?: Round;
  judgements: Judgement[];
  /** `FILE:LINE` of what could not be read and does not count. */
  unreadable: string[];
}

/** The round with that id, or the last one that was begun; undefined where there is none. Throws a UserError for an unknown id. */
export async function findRound(dir: string, id?: string): Promise<Round | undefined> {
  const rounds = await readRounds(dir);
  if (id === undefined) return rounds.at(-1);
  const found = rounds.find((round) => round.id === id);
  if (found) return found;
  const known = rounds.map((round) => round.id).join(", ");
  throw new UserError(
    `there is no round of ratings ${id}. ${known ? `There are: ${known}.` : "There is none yet."}`,
    {
      file: dir,
    },
  );
}

/**
 * What a round's raters and imported files say: of the round with that id, or of the last one in which somebody has rated, so that
 * one just begun hides nothing. Throws a UserError for an unknown id.
 */
export async function readRatings(dir: string, id?: string): Promise<StoredRatings> {
  const { log, imported } = ratingsFolder(dir);
  const given = readLog(log);
  const last = await findRound(dir, id);
  const isRated = (round: Round) => judgementsOf(round, given).length > 0;
  const round =
    id === undefined && last && !isRated(last) ? ((await readRounds(dir)).findLast(isRated) ?? last) : last;
  const others = readJsonLines(imported, Judgement);
  return {
    ...(round === undefined ? {} : { round }),
    judgements: merged([round ? judgementsOf(round, given) : [], others.values]),
    unreadable: [
      ...given.unreadable.map((line) => `${log}:${line}`),
      ...others.unreadable.map((line) => `${imported}:${line}`),
    ],
  };
}

/** Adds ratings from elsewhere to those of a run; returns how many were not there yet. */
export async function importRatings(dir: string, judgements: readonly Judgement[]): Promise<number> {
  const { imported } = ratingsFolder(dir);
  const known = merged([
    ...(await Promise.all(
      (await readRounds(dir)).map(async (round) => judgementsOf(round, readLog(ratingsFolder(dir).log))),
    )),
    readJsonLines(imported, Judgement).values,
  ]);
  const added = merged([known, judgements]).slice(known.length);
  if (added.length > 0) appendLines(imported, added);
  return added.length;
}
