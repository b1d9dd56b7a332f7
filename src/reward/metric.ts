/** Metrics against a human translation as rewards, for sources that have one. */

import { type BleuOptions, bleuScorer } from "../evaluate/bleu.js";
import { type ChrfOptions, chrfScorer } from "../evaluate/chrf.js";
import type { Reward } from "./reward.js";

/** Sentence chrF / 100; chrF2 by default, chrF2++ with `wordOrder: 2`. */
export function chrfReward(options: ChrfOptions = {}): Reward {
  const name = options.wordOrder === 2 ? "chrF2++" : "chrF2";
  return metricReward(name, (reference) => chrfScorer(reference, options));
}

/** Sentence BLEU / 100, with effective order. `tokenize: "zh"` or `"char"` for text without spaces. */
export function bleuReward(options: BleuOptions = {}): Reward {
  return metricReward("BLEU", (reference) => bleuScorer(reference, options));
}

/** Scores 0 to 100 against one reference. */
interface Scorer {
  score(candidate: string): number;
}

function metricReward(name: string, scorerFor: (reference: string) => Scorer): Reward {
  return {
    name,
    needsReference: true,
    async score(batch) {
      // Candidates of one source share its reference, which is made ready once.
      const scorers = new Map<string, Scorer>();
      return batch.map(({ candidate, reference }) => {
        let scorer = scorers.get(reference!);
        if (!scorer) {
          scorer = scorerFor(reference!);
          scorers.set(reference!, scorer);
        }
        // The metric of a perfect candidate can round to a little above 100.
        return Math.min(1, scorer.score(candidate) / 100);
      });
    },
  };
}
