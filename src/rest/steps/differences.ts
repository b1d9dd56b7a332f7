/** How much better one policy of a run is than another, paired: both are measured on the same sources. */

import type { Pair } from "../../data/pair.js";
import { bleuFromStatistics, bleuStatistics } from "../../evaluate/bleu.js";
import { type MetricFromStatistics, pairedBootstrap } from "../../evaluate/bootstrap.js";
import { chrfFromStatistics, chrfStatistics } from "../../evaluate/chrf.js";
import type { BleuTokenizer } from "../../evaluate/tokenize/tokenizers.js";
import type { Difference, Interval } from "../../store/summary.js";
import type { Evaluation } from "./evaluate.js";

/**
 * Every policy minus the first, minus the one before it of its own line, and minus its control, each pair once. Intervals
 * are of the difference over resampled sources, so they tell apart what two overlapping intervals cannot.
 *
 * @param evaluations in the order in which policies came to be, a control behind its counterpart
 * @param test the pairs that they were measured on, in order
 */
export function differences(
  evaluations: readonly Evaluation[],
  test: readonly Pair[],
  options: { tokenize: BleuTokenizer; seed: number },
): Difference[] {
  const references = test.map(({ target }) => target);
  const statistics = new Map(
    evaluations.map(({ summary, translations, bySource }) => {
      const texts = translations.map(({ text }) => text);
      return [
        summary.name,
        {
          reward: bySource.reward.map((reward) => [reward, 1]),
          bleu: bleuStatistics(texts, references.slice(0, texts.length), options),
          chrf: chrfStatistics(texts, references.slice(0, texts.length)),
          judge: translations.every(({ judge }) => judge !== undefined)
            ? translations.map(({ judge }) => [judge!, 1])
            : undefined,
        },
      ] as const;
    }),
  );
  const between = (policy: string, against: string): Difference => {
    const [one, other] = [statistics.get(policy)!, statistics.get(against)!];
    const paired = (
      than: Parameters<typeof pairedBootstrap>[0],
      figures: Parameters<typeof pairedBootstrap>[1],
      metric: MetricFromStatistics,
    ): Interval => {
      const { difference, low, high } = pairedBootstrap(than, figures, metric, options);
      return { value: difference, low, high };
    };
    return {
      policy,
      against,
      reward: paired(other.reward, one.reward, mean),
      bleu: paired(other.bleu, one.bleu, (sum) => bleuFromStatistics(sum).score),
      chrf: paired(other.chrf, one.chrf, chrfFromStatistics),
      ...(other.judge && one.judge && { judge: paired(other.judge, one.judge, mean) }),
    };
  };
  return comparedPairs(evaluations.map(({ summary }) => summary)).map((pair) => between(...pair));
}

/** Of rows that hold a score and 1. */
const mean: MetricFromStatistics = ([sum, count]) => sum! / count!;

/** Which policies are compared, as [policy, against]. */
export function comparedPairs(
  policies: readonly { name: string; grow: number; improve: number; control: boolean }[],
): [policy: string, against: string][] {
  const [start] = policies;
  const line = policies.filter(({ control }) => !control);
  const pairs = new Map<string, [string, string]>();
  const add = (policy: string, against: string | undefined) => {
    if (against !== undefined && policy !== against)
      pairs.set(JSON.stringify([policy, against]), [policy, against]);
  };
  for (const { name, grow, improve, control } of policies) {
    add(name, start?.name);
    if (control) continue;
    add(name, line[line.findIndex((one) => one.name === name) - 1]?.name);
    add(name, policies.find((one) => one.control && one.grow === grow && one.improve === improve)?.name);
  }
  return [...pairs.values()];
}
