/** Lines in, translations out, in the order in which they came. */
import { UserError } from "../errors.js";
import { ranked } from "../serve/best.js";
import { RunPolicies } from "../serve/policies.js";
import { lineBlocks, print } from "./blocks.js";
import type { FolderOptions } from "./command.js";
import { onFolder } from "./folder-work.js";

/** Lines translated at once. */
const BLOCK = 256;

/** One source a line comes from standard input. */
export interface TranslateOptions extends FolderOptions {
  /** Name of a policy; the last one of the main line when absent. */
  policy?: string;
  /** Sample so many candidates a source and print the one with the highest reward. */
  bestOf?: number;
  /** Choose it by the sum of scores whose weights the policy's evaluation has tuned. */
  rerank?: boolean;
  /** Temperature of those samples; the run's own (`grow.temperature`) when absent. */
  temperature?: number;
  /** Beam width, 1 for greedy; not beside `bestOf`. */
  beam: number;
}

interface Translated {
  translation: string;
  /** False when it was cut at the length limit. */
  finished: boolean;
  /** Of the best of N. */
  reward?: number;
}

type Translate = (sources: readonly { sourceId: number; text: string }[]) => Promise<Translated[]>;

export async function translateCommand(options: TranslateOptions): Promise<void> {
  await onFolder(options, undefined, async (work) => {
    const policies = await RunPolicies.open(work);
    try {
      const policy = await policies.name(options.policy);
      const asking = { ...options, policy, signal: work.signal };
      // Told before a line is read.
      const why = options.bestOf === undefined ? undefined : await policies.whyUnscored();
      if (why !== undefined) throw new UserError(why);
      const unranked = options.rerank ? await policies.whyUnranked(policy) : undefined;
      if (unranked !== undefined) throw new UserError(unranked);
      const translate = options.bestOf === undefined ? search(policies, asking) : bestOf(policies, asking);
      for await (const block of lineBlocks(process.stdin, { size: BLOCK })) {
        // A blank line has nothing to translate and gives one: line k of the output belongs to line k of the input.
        const sources = block
          .filter(({ text }) => text.trim() !== "")
          .map(({ text, number }) => ({ sourceId: number, text }));
        const found = sources.length > 0 ? await translate(sources) : [];
        const byLine = new Map(sources.map(({ sourceId }, i) => [sourceId, found[i]]));
        const lines = block.map(({ text, number }) => {
          const { translation = "", ...more } = byLine.get(number) ?? {};
          // One line in, one line out, whatever the policy says.
          const line = translation.replace(/[\r\n]+/g, " ");
          return options.json ? JSON.stringify({ source: text, translation, policy, ...more }) : line;
        });
        await print(`${lines.join("\n")}\n`, work.signal);
      }
    } finally {
      await policies.close();
    }
  });
}

interface Asking extends TranslateOptions {
  policy: string;
  signal: AbortSignal;
}

/** Greedy or beam search. */
function search(policies: RunPolicies, { policy, beam, signal }: Asking): Translate {
  return async (sources) => {
    const answers = await policies.translate(sources, { policy, beams: beam, signal });
    return answers.map(({ outputs: [found] }) => ({ translation: found!.text, finished: found!.finished }));
  };
}

/** N samples a source, the one with the highest reward, or the best by the tuned sum. */
function bestOf(
  policies: RunPolicies,
  { policy, bestOf: n = 1, temperature, rerank, signal }: Asking,
): Translate {
  return async (sources) => {
    const answers = await policies.sample(sources, { policy, n, temperature, score: true, rerank, signal });
    return answers.map(({ outputs }) => {
      const { text, finished, reward } = ranked(outputs)[0]!;
      return { translation: text, finished, ...(reward === null ? {} : { reward }) };
    });
  };
}
