/** Lines in, translations out, in the order in which they came. */
import { UserError } from "../errors.js";
import type { RunContext } from "../rest/context.js";
import { withFinished } from "../rest/run.js";
import { runReward } from "../rest/steps/reward.js";
import { lineBlocks, print } from "./blocks.js";
import type { FolderOptions } from "./command.js";
import { onFolder } from "./folder-work.js";
import { onePolicy } from "./policies.js";

/** Lines translated at once. */
const BLOCK = 256;

/** One source a line comes from standard input. */
export interface TranslateOptions extends FolderOptions {
  /** Name of a policy; the last one of the main line when absent. */
  policy?: string;
  /** Sample so many candidates a source and print the one with the highest reward. */
  bestOf?: number;
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
  await onFolder(options, undefined, (work) =>
    withFinished(work, async (run) => {
      const name = onePolicy(run.manifest, options.policy);
      const translate =
        options.bestOf === undefined ? search(run, name, options) : await bestOf(run, name, options);
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
          return options.json ? JSON.stringify({ source: text, translation, policy: name, ...more }) : line;
        });
        await print(`${lines.join("\n")}\n`, work.signal);
      }
    }),
  );
}

/** Greedy or beam search. */
function search(run: RunContext, name: string, { beam }: TranslateOptions): Translate {
  return async (sources) => {
    const policy = await run.policy(name);
    const found = await policy.translate(sources, {
      beams: beam,
      maxTokens: run.config.grow.maxTokens,
      ...(run.signal ? { signal: run.signal } : {}),
    });
    return found.map(({ text, finished }) => ({ translation: text, finished }));
  };
}

/** N samples a source, the one with the highest reward; of equal ones the first. */
async function bestOf(
  run: RunContext,
  name: string,
  { bestOf: n = 1, temperature = run.config.grow.temperature }: TranslateOptions,
): Promise<Translate> {
  const reward = await runReward(run);
  if (reward.needsReference)
    throw new UserError(
      `--best-of chooses by the run's reward, and ${reward.name} compares with a human translation, which lines from ` +
        "standard input do not have. Use --beam, or a run whose reward is learned.",
    );
  return async (sources) => {
    const policy = await run.policy(name);
    const samples = new Map<number, { text: string; finished: boolean }[]>();
    const { maxTokens, topK, topP } = run.config.grow;
    for await (const batch of policy.sample(sources, {
      n,
      temperature,
      maxTokens,
      seed: run.config.seed,
      // A Grow step has 1 or more: other draws than those that the policy was trained on.
      grow: 0,
      ...(topK === null ? {} : { topK }),
      ...(topP === null ? {} : { topP }),
      ...(run.signal ? { signal: run.signal } : {}),
    }))
      for (const { sourceId, text, finished } of batch) {
        const row = samples.get(sourceId) ?? [];
        samples.set(sourceId, row);
        row.push({ text, finished });
      }
    const rewards = await reward.score(
      sources.flatMap(({ sourceId, text }) =>
        samples.get(sourceId)!.map((sample) => ({ source: text, candidate: sample.text })),
      ),
    );
    return sources.map(({ sourceId }, i) => {
      const own = rewards.slice(i * n, (i + 1) * n);
      const best = own.indexOf(Math.max(...own));
      const { text, finished } = samples.get(sourceId)![best]!;
      return { translation: text, finished, reward: own[best]! };
    });
  };
}
