/** A pretrained reward on the command line: scores of lines, and the check of a checkpoint. */

import { stat } from "node:fs/promises";
import type { Line } from "../data/lines.js";
import { linesOf } from "../data/lines.js";
import { Interrupted, UserError } from "../errors.js";
import type { PretrainedFamily, PretrainedOptions, PretrainedScorer } from "../reward/pretrained/family.js";
import { goldenScores, refuseOtherScale } from "../reward/pretrained/golden.js";
import { familyOf } from "../reward/pretrained/open.js";
import { checkKnown } from "../reward/pretrained/verify.js";
import { Thread } from "../tensor/thread.js";
import { lineBlocks, print } from "./blocks.js";
import { inputOf } from "./reward.js";
import { stopSignal } from "./signals.js";
import { type OutputOptions, openTerminal, type Terminal } from "./terminal.js";

/** Lines of standard input scored at once: enough of them have about the same length. */
const BLOCK = 4096;
/** Lines from which on a block has a bar. */
const SHOWN = 64;

export interface PretrainedCommandOptions extends OutputOptions, PretrainedOptions {
  /** Folder of the checkpoint. */
  model: string;
}

/** Scores lines of `input`, or of standard input where it is absent. */
export async function scoreLines(options: PretrainedCommandOptions & { input?: string }): Promise<void> {
  const { json, input } = options;
  const signal = stopSignal();
  await withScorer(options, async ({ scorer, terminal }) => {
    const name = input ?? "standard input";
    for await (const block of blocksOf(input)) {
      const inputs = block.map((line) => inputOf(line, scorer, name));
      const bar = block.length < SHOWN ? undefined : terminal.progress("Scoring", block.length, "candidates");
      const scores = await scorer.score(inputs, { signal, onProgress: (done) => bar?.update(done) });
      bar?.finish();
      const lines = scores.map(({ raw, reward }) =>
        json ? JSON.stringify({ raw, reward }) : `${raw.toFixed(6)}\t${reward.toFixed(6)}`,
      );
      await print(`${lines.join("\n")}\n`, signal);
    }
  });
}

/** Blocks of lines; of a file all, so that they can be sorted by length. */
async function* blocksOf(input: string | undefined): AsyncGenerator<Line[], void, undefined> {
  if (input === undefined) {
    yield* lineBlocks(process.stdin, { size: BLOCK });
    return;
  }
  const lines: Line[] = [];
  for await (const line of linesOf(input)) lines.push(line);
  if (lines.length > 0) yield lines;
}

/** Loads the whole checkpoint, says what it is, and compares it with published scores. */
export async function verifyModel(options: PretrainedCommandOptions): Promise<void> {
  await withScorer(options, async ({ family, scorer, terminal, seconds }) => {
    const files = await family.files(options.model, options);
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    const checks = await checkKnown(family, scorer);
    const { name, variant, licence, needsSource, needsReference } = scorer;
    const found = {
      family: family.name,
      name,
      variant,
      licence,
      needsSource,
      needsReference,
      files: files.map((file, i) => ({ file, bytes: sizes[i]! })),
      seconds,
      checks,
    };
    const inputs = [
      ...(needsSource ? ["source"] : []),
      "candidate",
      ...(needsReference ? ["reference"] : []),
    ];
    terminal.result(found, () =>
      [
        `${name}: ${family.name}, variant ${variant}, scores ${inputs.join(", ")}`,
        `Licence: ${licence}`,
        `Files: ${files.length}, ${(sizes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(1)} MB, every tensor in its place`,
        ...checks.map(
          ({ candidate, published, raw, equal }) =>
            `${JSON.stringify(candidate)}: ${raw.toFixed(5)}, published ${published}${equal ? "" : ": DIFFERENT"}`,
        ),
        ...(checks.length === 0 ? ["No scores of this variant are published to compare with."] : []),
      ].join("\n"),
    );
    const wrong = checks.find(({ equal }) => !equal);
    if (wrong)
      throw new UserError(
        `${JSON.stringify(wrong.candidate)} has the raw score ${wrong.raw}, but ${wrong.published} is published. The checkpoint, its ` +
          "tokenizer or the variant is another one.",
        { file: options.model },
      );
    refuseOtherScale(scorer, await goldenScores(scorer), options.model);
  });
}

interface Opened {
  readonly family: PretrainedFamily;
  readonly scorer: PretrainedScorer;
  readonly terminal: Terminal;
  /** How long loading took. */
  readonly seconds: number;
}

async function withScorer(
  options: PretrainedCommandOptions,
  work: (opened: Opened) => Promise<void>,
): Promise<void> {
  const { model } = options;
  const terminal = openTerminal(options);
  const family = await familyOf(model, options);
  const signal = stopSignal();
  const thread = new Thread();
  try {
    const begun = performance.now();
    const scorer = await family.open(thread, model, options);
    terminal.note(`${scorer.name} from ${model}. Licence: ${scorer.licence}.`);
    try {
      await work({ family, scorer, terminal, seconds: (performance.now() - begun) / 1000 });
    } finally {
      await scorer.close();
    }
  } catch (error) {
    throw signal.aborted ? new Interrupted("Stopped.") : error;
  } finally {
    await thread.close();
  }
}
