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
        },
      ] as const;
    }),
  );
  const between = (policy: string, against: string): Difference => {
    const [one, other] = [statistics.get(policy)!, statistics.get(against)!];
    const of = (figure: "reward" | "bleu" | "chrf", metric: MetricFromStatistics): Interval => {
      const { difference, low, high } = pairedBootstrap(other[figure], one[figure], metric, options);
      return { value: difference, low, high };
    };
    return {
      policy,
      against,
      reward: of("reward", ([sum, count]) => sum! / count!),
      bleu: of("bleu", (sum) => bleuFromStatistics(sum).score),
      chrf: of("chrf", chrfFromStatistics),
    };
  };
  return comparedPairs(evaluations.map(({ summary }) => summary)).map((pair) => between(...pair));
}

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
