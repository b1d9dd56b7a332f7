/** The paper's seven findings on the user's data: each with a figure, its interval, and a verdict in plain language. */

import { kendall } from "../evaluate/correlation.js";
import { count, decimal, signed } from "../report/format.js";
import { rewardParts } from "../rest/reward-parts.js";
import {
  above,
  all,
  BLEU_MARGIN,
  doublingsSaved,
  FAR_FEWER,
  type JudgedPair,
  not,
  type Outcome,
  rankDifferently,
  side,
  weakest,
} from "./decide.js";
import { differenceOf, type Estimate, levelOf, type Measured } from "./intervals.js";
import { type ArmView, judgeOf, mainArm, type PolicyView, type StudyView } from "./view.js";

export interface Finding {
  number: 1 | 2 | 3 | 4 | 5 | 6 | 7;
  /** What the paper found. */
  claim: string;
  verdict: Outcome;
  /** The figure that the verdict stands or falls with; absent where the study has none. */
  figure: (Estimate & { of: string; unit: string }) | null;
  /** Why, in plain words. */
  text: string;
}

const REWARD_UNIT = "points of reward, of 100";

/** All seven, decided as far as the finished runs go. */
export function findings(view: StudyView): Finding[] {
  const main = mainArm(view);
  return [
    everyImprove(main),
    secondGrow(view),
    beatsOthers(view, main),
    bestLoss(view, main),
    fewerSamples(main),
    keepsBleu(view, main),
    ranksApart(view),
  ];
}

type Draft = Omit<Finding, "number" | "claim">;

const undecided = (text: string): Draft => ({ verdict: "not decided", figure: null, text });

function everyImprove(main: ArmView | undefined): Finding {
  const claim = "Every Improve step raises the reward.";
  const steps = main?.steps.filter(({ grow }) => grow === 1) ?? [];
  const changes = [main?.bc, ...steps].flatMap((policy, at, line) => {
    const before = line[at - 1];
    const change = before && policy && differenceOf(policy.reward, before.reward);
    return change ? [{ name: `${before.name} to ${policy.name}`, ...percentPoints(change) }] : [];
  });
  if (changes.length === 0)
    return { number: 1, claim, ...undecided("No arm of kind rest with the loss bc is finished.") };
  const least = weakest(changes)!;
  const { name } = changes.find((one) => one.value === least.value)!;
  return {
    number: 1,
    claim,
    verdict: all(changes.map((change) => above(change))),
    figure: { ...bare(least), of: `smallest change: ${name}`, unit: REWARD_UNIT },
    text: `Changes step by step: ${changes.map((change) => `${change.name} ${words(change)}`).join("; ")}.`,
  };
}

function secondGrow({ arms }: StudyView): Finding {
  const claim = "A second Grow adds reward.";
  const twice = arms.find(({ arm, steps }) => arm.kind === "rest" && steps.some(({ grow }) => grow === 2));
  const first = twice?.steps.filter(({ grow }) => grow === 1).at(-1);
  const second = twice?.steps.filter(({ grow }) => grow === 2).at(-1);
  const change = first && second && differenceOf(second.reward, first.reward);
  if (!change)
    return { number: 2, claim, ...undecided("No arm has a second Grow: give one `grow: { steps: 2 }`.") };
  return {
    number: 2,
    claim,
    ...judged(percentPoints(change), `${second.name} minus ${first.name}`, REWARD_UNIT),
  };
}

function beatsOthers(view: StudyView, main: ArmView | undefined): Finding {
  const claim = "ReST beats BC, and online RL at equal samples.";
  const last = main?.steps.at(-1);
  const gain = main && last && differenceOf(last.reward, main.bc.reward);
  if (!main || !last || !gain)
    return { number: 3, claim, ...undecided("No arm of kind rest with the loss bc is finished.") };
  const parts = [{ name: `${last.name} minus BC`, ...percentPoints(gain) }];
  const online = onlineArms(view);
  for (const { steps } of online)
    for (const policy of steps) {
      // A tenth more is still equal: budgets come in whole batches.
      const equal = main.steps.filter(({ samplesDrawn }) => samplesDrawn <= policy.samplesDrawn * 1.1).at(-1);
      const change = equal && differenceOf(equal.reward, policy.reward);
      if (equal && change)
        parts.push({
          name: `${equal.name} (${count(equal.samplesDrawn)} samples) minus ${policy.name} (${count(policy.samplesDrawn)})`,
          ...percentPoints(change),
        });
    }
  const compared = parts.length > 1;
  const outcome = all(parts.map((part) => above(part)));
  const least = weakest(parts)!;
  return {
    number: 3,
    claim,
    // Without online RL only half of the claim can be seen, which can refute it but not bear it out.
    verdict: compared || outcome === "does not hold" ? outcome : "not decided",
    figure: {
      ...bare(least),
      of: parts.find(({ value }) => value === least.value)!.name,
      unit: REWARD_UNIT,
    },
    text: `${parts.map((part) => `${part.name}: ${words(part)}`).join("; ")}.${
      compared
        ? ""
        : " No online baseline of as many samples is among the arms, so half of the claim is open."
    }`,
  };
}

function bestLoss({ arms }: StudyView, main: ArmView | undefined): Finding {
  const claim = "BC is the best loss for Improve.";
  const others = arms.filter(({ arm }) => arm.kind === "rest" && arm.config.improve.loss !== "bc");
  const parts = others.flatMap((other) => {
    const pair = lastCommon(main?.steps ?? [], other.steps);
    const change = pair && differenceOf(pair[0].reward, pair[1].reward);
    return pair && change
      ? [{ name: `${pair[0].name} minus ${pair[1].name}`, ...percentPoints(change) }]
      : [];
  });
  if (parts.length === 0)
    return {
      number: 4,
      claim,
      ...undecided("No arm has another loss than bc beside one with it: give one `improve: { loss: … }`."),
    };
  const least = weakest(parts)!;
  return {
    number: 4,
    claim,
    verdict: all(parts.map((part) => above(part))),
    figure: {
      ...bare(least),
      of: `least lead: ${parts.find(({ value }) => value === least.value)!.name}`,
      unit: REWARD_UNIT,
    },
    text: `Reward at the last step that both have: ${parts.map((part) => `${part.name} ${words(part)}`).join("; ")}.`,
  };
}

function fewerSamples(main: ArmView | undefined): Finding {
  const claim = "Best-of-N with ReST needs far fewer samples than with BC.";
  const last = main?.steps.at(-1);
  const largest = main?.bc.bestOfN.at(-1);
  if (!main || !last || !largest || last.bestOfN.length === 0)
    return {
      number: 5,
      claim,
      ...undecided("No best-of-N curves: give base `evaluate: { bestOfN: [1, 2, 4, …] }`."),
    };
  if (largest.n < FAR_FEWER)
    return {
      number: 5,
      claim,
      ...undecided(
        `The largest N is ${largest.n}, too few to see ${FAR_FEWER} times fewer: add to evaluate.bestOfN.`,
      ),
    };
  const saved = levelOf(savings(main.bc, last));
  const figure = { ...saved, value: 2 ** saved.value, low: 2 ** saved.low, high: 2 ** saved.high };
  return {
    number: 5,
    claim,
    // Decided on doublings, where a quarter and four times are equally far.
    verdict: above(saved, Math.log2(FAR_FEWER) - 1e-9),
    figure: { ...figure, of: `samples of BC for each sample of ${last.name}`, unit: "times" },
    text:
      `What BC reaches as the best of ${largest.n}, ${last.name} reaches with ${decimal(figure.value, 1)} times fewer ` +
      `samples [${decimal(figure.low, 1)}, ${decimal(figure.high, 1)}]. Far fewer is taken as ${FAR_FEWER} times or more; ` +
      `more than ${largest.n} times cannot be seen.`,
  };
}

/** By seed, the doublings of N that `policy` saves at the reward of BC's largest N. */
function savings(bc: PolicyView, policy: PolicyView): Measured[] {
  const sizes = policy.bestOfN.map(({ n }) => n);
  const target = bc.bestOfN.at(-1)!.reward;
  return policy.reward.flatMap(({ seed }): Measured[] => {
    const goal = target.find((one) => one.seed === seed);
    const curve = policy.bestOfN.map(({ reward }) => reward.find((one) => one.seed === seed)!);
    if (goal === undefined) return [];
    const savedBy = (rewards: readonly number[], aim: number): number =>
      doublingsSaved(
        rewards.map((reward, at) => ({ n: sizes[at]!, reward })),
        aim,
      );
    return [
      {
        seed,
        value: savedBy(
          curve.map(({ value }) => value),
          goal.value,
        ),
        // Each source: the policy's curve, what BC reaches, and 1 to divide by.
        rows: () => {
          const columns = [...curve, goal].map((one) => one.rows());
          return columns[0]!.map((_, source) => [...columns.map((column) => column[source]![0]!), 1]);
        },
        metric: (sum) => {
          const means = sum.slice(0, -1).map((total) => total / sum.at(-1)!);
          return savedBy(means.slice(0, -1), means.at(-1)!);
        },
      },
    ];
  });
}

function keepsBleu(view: StudyView, main: ArmView | undefined): Finding {
  const claim = "Online PPO loses BLEU where ReST does not.";
  const last = main?.steps.at(-1);
  const kept = main && last && differenceOf(last.bleu, main.bc.bleu);
  if (!main || !last || !kept)
    return { number: 6, claim, ...undecided("No arm of kind rest with the loss bc is finished.") };
  const online = onlineArms(view).flatMap(({ bc, steps }) =>
    steps.flatMap((policy) => {
      const change = differenceOf(policy.bleu, bc.bleu);
      return change ? [{ name: `${policy.name} minus BC`, ...change }] : [];
    }),
  );
  const keeps = above(kept, -BLEU_MARGIN);
  const own = { name: `${last.name} minus BC`, ...kept };
  const loses = online.map(({ low, high }) => not(above({ low, high })));
  return {
    number: 6,
    claim,
    verdict: online.length > 0 ? all([keeps, ...loses]) : keeps === "does not hold" ? keeps : "not decided",
    figure: { ...bare(kept), of: own.name, unit: "BLEU" },
    text: `BLEU of ${[own, ...online].map((part) => `${part.name}: ${words(part)}`).join("; ")}. Losing less than ${BLEU_MARGIN} counts as keeping it.${
      online.length > 0 ? "" : " No online baseline is among the arms, so half of the claim is open."
    }`,
  };
}

function ranksApart(view: StudyView): Finding {
  const claim = "The reward and an independent judge do not rank policies alike.";
  const main = mainArm(view);
  const trained = view.arms.filter(({ arm }) => arm.kind !== "best-of-n");
  const policies = [...(main ? [main.bc] : []), ...trained.flatMap(({ steps }) => steps.slice(-1))];
  // Each last policy is set against its own arm's BC, too.
  const model = judgeOf([...policies, ...trained.map(({ bc }) => bc)]);
  const judgedBy = (policy: PolicyView) =>
    model === undefined || !policy.judge ? policy.chrf : policy.judge.mean;
  const name = model ?? "chrF";
  const pairs = policies.flatMap((one, at) =>
    policies.slice(at + 1).flatMap((other): (JudgedPair & { name: string })[] => {
      const reward = differenceOf(one.reward, other.reward);
      const judge = differenceOf(judgedBy(one), judgedBy(other));
      return reward && judge ? [{ name: `${one.name} and ${other.name}`, reward, judge }] : [];
    }),
  );
  if (pairs.length === 0) return { number: 7, claim, ...undecided("Fewer than two policies are finished.") };
  const agreement = rankAgreement(policies, judgedBy);
  const apart = pairs.filter(({ reward, judge }) => side(reward) * side(judge) < 0);
  const told = pairs.filter(({ reward }) => side(reward) !== 0);
  return {
    number: 7,
    claim,
    verdict: rankDifferently(pairs),
    figure: {
      ...agreement,
      of: `Kendall's τ between mean reward and ${name} of the policies`,
      unit: "from −1 to 1",
    },
    text:
      `${
        model === undefined
          ? `In place of people the judge is chrF against the references, which no policy was selected by${
              usesReferences(view)
                ? ", though the reward is made from it or taught by it, so that it is not fully independent"
                : ""
            }`
          : `In place of people the judge is ${model} (evaluate.judge), which no policy was selected by`
      }. Of ${pairs.length} pairs of policies the reward tells ${told.length} apart; ` +
      (apart.length > 0
        ? `${name} orders ${apart.map((pair) => pair.name).join(", ")} the other way round, beyond noise.`
        : `${name} orders none of them the other way round beyond noise.`) +
      parted(view, judgedBy, name),
  };
}

/** Last policies whose reward is above BC's, and what the judge says below it: a sentence, or nothing. */
function parted({ arms }: StudyView, judgedBy: (policy: PolicyView) => Measured[], judge: string): string {
  const names = arms.flatMap(({ arm, bc, steps }) => {
    const last = arm.kind === "best-of-n" ? undefined : steps.at(-1);
    const reward = last && differenceOf(last.reward, bc.reward);
    const judged = last && differenceOf(judgedBy(last), judgedBy(bc));
    if (!reward || !judged || reward.value <= 0 || judged.value >= 0) return [];
    return [`${last.name}${side(judged) < 0 ? "" : " (within noise)"}`];
  });
  return names.length === 0 ? "" : ` From BC on the reward rose while ${judge} fell: ${names.join(", ")}.`;
}

/** τ over the policies with its interval: of the seeds' τ, or with one seed over the sources that all are judged on. */
function rankAgreement(
  policies: readonly PolicyView[],
  judgedBy: (policy: PolicyView) => Measured[],
): Estimate {
  const judged = (seed: number) =>
    policies.flatMap((policy) => {
      const one = policy.reward.find((figure) => figure.seed === seed);
      const other = judgedBy(policy).find((figure) => figure.seed === seed);
      return one && other ? [{ reward: one, judge: other }] : [];
    });
  const agreement = (rewards: readonly number[], scores: readonly number[]): number => {
    const tau = kendall(rewards, scores);
    // One side all alike: no order to agree with.
    return Number.isFinite(tau) ? tau : 0;
  };
  const figures = policies[0]!.reward.map(({ seed }): Measured => {
    const pairs = judged(seed);
    let widths: number[] = [];
    return {
      seed,
      value: agreement(
        pairs.map(({ reward }) => reward.value),
        pairs.map(({ judge }) => judge.value),
      ),
      rows: () => {
        const tables = pairs.flatMap(({ reward, judge }) => [reward.rows(), judge.rows()]);
        widths = tables.map(([first]) => first!.length);
        return tables[0]!.map((_, source) => tables.flatMap((table) => Array.from(table[source]!)));
      },
      metric: (sum) => {
        const starts = widths.map((_, i) => widths.slice(0, i).reduce((total, width) => total + width, 0));
        const sums = widths.map((width, i) => sum.slice(starts[i]!, starts[i]! + width));
        return agreement(
          pairs.map(({ reward }, i) => reward.metric(sums[2 * i]!)),
          pairs.map(({ judge }, i) => judge.metric(sums[2 * i + 1]!)),
        );
      },
    };
  });
  const { value, low, high, ...rest } = levelOf(figures);
  return { value, low: Math.max(-1, low), high: Math.min(1, high), ...rest };
}

/** Whether a reward of the study is a metric against the references, or learned from one. */
function usesReferences({ arms }: StudyView): boolean {
  return arms.some(({ arm: { config } }) => {
    return rewardParts(config.reward).some(
      ({ kind }) => kind === "chrf" || kind === "bleu" || kind === "learned",
    );
  });
}

function onlineArms({ arms }: StudyView): ArmView[] {
  return arms.filter(({ arm }) => arm.kind === "online");
}

/** The last policies that stand at the same step in both lines. */
function lastCommon(
  one: readonly PolicyView[],
  other: readonly PolicyView[],
): [PolicyView, PolicyView] | undefined {
  const pairs = one.flatMap((mine): [PolicyView, PolicyView][] => {
    const same = other.find(({ grow, improve }) => grow === mine.grow && improve === mine.improve);
    return same ? [[mine, same]] : [];
  });
  return pairs.at(-1);
}

function judged(estimate: Estimate, of: string, unit: string): Draft {
  return {
    verdict: above(estimate),
    figure: { ...estimate, of, unit },
    text: `${of}: ${words(estimate)}.`,
  };
}

function percentPoints({ value, low, high, ...rest }: Estimate): Estimate {
  return { value: value * 100, low: low * 100, high: high * 100, ...rest };
}

function bare({ value, low, high, over, seeds }: Estimate): Estimate {
  return { value, low, high, over, seeds };
}

function words({ value, low, high }: Estimate): string {
  return `${signed(value)} [${signed(low)}, ${signed(high)}]`;
}
