/** Scores that were paid for, by a key of what was scored: one JSON object a line, only ever added to. */

import { z } from "zod";
import { UserError } from "../errors.js";
import { LineLog } from "./line-log.js";
import { NumberTable } from "./number-table.js";

const Line = z.strictObject({ key: z.string(), reward: z.number() });

/**
 * A map from keys to numbers that outlives the process. All of it is held in memory, 36 to 72 bytes a score. One process
 * at a time may open a file for writing; others may read it meanwhile.
 */
export class ScoreCache {
  readonly #scores: NumberTable;
  /** Where new scores go; absent where they are kept in memory alone. */
  readonly #log: LineLog | undefined;

  private constructor(scores: NumberTable, log?: LineLog) {
    this.#scores = scores;
    this.#log = log;
  }

  /** Forgotten with the process. */
  static inMemory(): ScoreCache {
    return new ScoreCache(new NumberTable());
  }

  /**
   * The scores in `file`, none where there is no such file. A last line that a killed process left half written is dropped.
   * With `write: false` the file stays as it is, and what is added is kept in memory alone.
   * Throws a UserError naming a whole line that is not a score.
   */
  static async open(file: string, { write }: { write: boolean }): Promise<ScoreCache> {
    const scores = new NumberTable();
    await LineLog.read(file, { mend: write }, (text, line) => {
      const { key, reward } = parsed(text, { file, line });
      scores.set(key, reward);
    });
    return write ? new ScoreCache(scores, new LineLog(file)) : new ScoreCache(scores);
  }

  get(key: string): number | undefined {
    return this.#scores.get(key);
  }

  /**
   * Keeps scores; once it resolves they are on disk. Throws a UserError for a full disk or a read-only folder; the file
   * then ends as it did.
   */
  async add(entries: readonly (readonly [key: string, reward: number])[]): Promise<void> {
    for (const [key, reward] of entries) this.#scores.set(key, reward);
    await this.#log?.add(entries.map(([key, reward]) => JSON.stringify({ key, reward })));
  }
}

function parsed(text: string, place: { file: string; line: number }): z.output<typeof Line> {
  try {
    return Line.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      'this line is not a score; {"key": …, "reward": …} was expected. Delete the line: its score is then asked for again.',
      place,
    );
  }
}
