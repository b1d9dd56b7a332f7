/** The answers that a sampling has got, kept as they come, so that a killed one asks for the rest alone. */

import { rm } from "node:fs/promises";
import { z } from "zod";
import { UserError } from "../../errors.js";
import { LineLog } from "../../store/line-log.js";

const Head = z.strictObject({ asked: z.string() });

const Line = z.strictObject({
  source: z.int(),
  sample: z.int(),
  text: z.string(),
  finished: z.boolean(),
  /** Tokens of the whole request, at its first answer. */
  tokensIn: z.int().optional(),
  tokensOut: z.int().optional(),
});

/** One answer, known by its source and sample number. */
export type Kept = z.output<typeof Line>;

/** In memory, and in a file where one is named. */
export class Answers {
  readonly #bySource: Map<number, Map<number, Kept>>;
  readonly #log: LineLog | undefined;
  #head: string | undefined;

  private constructor(bySource: Map<number, Map<number, Kept>>, log?: LineLog, head?: string) {
    this.#bySource = bySource;
    this.#log = log;
    this.#head = head;
  }

  /**
   * The answers in `file`, where they were given to the same question; others are forgotten.
   *
   * @param question Whatever the answers follow from, source and sample number left out.
   * @throws UserError naming a line that is not an answer.
   */
  static async open(question: string, file?: string): Promise<Answers> {
    const kept = new Map<number, Map<number, Kept>>();
    const head = JSON.stringify({ asked: question });
    if (file === undefined) return new Answers(kept);
    let same: boolean | undefined;
    await LineLog.read(file, { mend: true }, (text, line) => {
      if (same === undefined) same = Head.safeParse(parsed(text)).data?.asked === question;
      else if (same) add(kept, answerOf(text, { file, line }));
    });
    if (same === false) await rm(file, { force: true });
    return new Answers(kept, new LineLog(file), same ? undefined : head);
  }

  of(source: number): ReadonlyMap<number, Kept> {
    return this.#bySource.get(source) ?? new Map();
  }

  /** All that are kept. */
  *all(): Generator<Kept> {
    for (const samples of this.#bySource.values()) yield* samples.values();
  }

  /** Once it resolves they are on disk. */
  async add(answers: readonly Kept[]): Promise<void> {
    for (const answer of answers) add(this.#bySource, answer);
    const head = this.#head;
    this.#head = undefined;
    await this.#log?.add([
      ...(head === undefined ? [] : [head]),
      ...answers.map((one) => JSON.stringify(one)),
    ]);
  }
}

function add(bySource: Map<number, Map<number, Kept>>, answer: Kept): void {
  const samples = bySource.get(answer.source) ?? new Map<number, Kept>();
  bySource.set(answer.source, samples);
  samples.set(answer.sample, answer);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function answerOf(text: string, place: { file: string; line: number }): Kept {
  const found = Line.safeParse(parsed(text));
  if (found.success) return found.data;
  throw new UserError(
    "this line is not an answer that was kept. Delete it: it is then asked for again.",
    place,
  );
}
