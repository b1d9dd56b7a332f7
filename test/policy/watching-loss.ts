/**
 * The likelihood, which compares at every pass what it is told of other policies with the policy itself. It runs in the
 * worker; what is wrong is thrown.
 */

import type { Loss } from "../../src/policy/loss.js";
import { exp, mul, neg, sub, total } from "../../src/tensor/operations.js";

/** Updates from one renewal of the old copy to the next. */
const EVERY = 2;

export default function watching(): Loss {
  let old: { sum: number; fresh: boolean } | undefined;
  let behavior: number | undefined;
  return {
    columns: [],
    old: { every: EVERY },
    compute: ({ oldLogProbs, step }) => {
      old = { sum: oldLogProbs.reduce((a, b) => a + b, 0), fresh: step % EVERY === 0 };
      return {};
    },
    record: (terms) => {
      const sampled = terms.distribution("behavior");
      return {
        loss: neg(total(mul(terms.weight, terms.logProbs))),
        seen: {
          own: total(terms.exactLogProbs),
          divergence: total(mul(exp(sampled), sub(sampled, terms.allLogProbs()))),
          mass: total(exp(sampled)),
        },
      };
    },
    learn: ({ own, divergence, mass }) => {
      const same = Math.abs(own! - old!.sum) < 1e-3 * Math.abs(own!);
      if (same !== old!.fresh)
        throw new Error(`the old copy says ${old!.sum}, the policy ${own}; renewed: ${old!.fresh}`);
      // The policy has left the one that sampled before, and goes on away from it.
      if (!(divergence! / mass! > (behavior ?? 1e-3)))
        throw new Error(`the divergence a token was ${behavior} and is ${divergence! / mass!}`);
      behavior = divergence! / mass!;
    },
  };
}
