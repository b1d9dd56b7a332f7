/** What the steps of a run have asked of a policy's server. */

import { z } from "zod";
import { count, decimal } from "../report/format.js";
import type { FinishedStep } from "../store/manifest.js";
import type { AskedSummary } from "../store/summary.js";

/** As `RunContext.step` adds it to a step's result. */
const Result = z.looseObject({
  asked: z.object({ requests: z.number(), tokensIn: z.number(), tokensOut: z.number(), money: z.number() }),
});

/** All steps together; undefined where no server was asked. */
export function askedBy(steps: readonly FinishedStep[]): AskedSummary | undefined {
  const parts = steps.flatMap(({ result }) => Result.safeParse(result).data?.asked ?? []);
  if (parts.length === 0) return undefined;
  const sum = (figure: keyof AskedSummary) => parts.reduce((all, part) => all + part[figure], 0);
  return {
    requests: sum("requests"),
    tokensIn: sum("tokensIn"),
    tokensOut: sum("tokensOut"),
    money: sum("money"),
  };
}

/** One sentence. */
export function askedWords({ requests, tokensIn, tokensOut, money }: AskedSummary): string {
  const price = money > 0 ? `, ${decimal(money, 2)} at policy.price` : "";
  return `Asked of the policy's server: ${count(requests)} requests, ${count(tokensIn)} tokens in, ${count(tokensOut)} out${price}.`;
}
