import { describe, expect, test } from "vitest";
import { change, type Finding, gamingByPolicy, verdict } from "../../src/report/verdict.js";
import type { HeldOut, PolicySummary, RunSummary } from "../../src/store/summary.js";
import {
  around,
  hostile,
  improveStep,
  long,
  online,
  onlyBc,
  parting,
  policy,
  rising,
  withPolicy,
} from "./samples.js";

function about(summary: RunSummary, topic: Finding["topic"]): Finding[] {
  return verdict(summary).findings.filter((finding) => finding.topic === topic);
}

function warnings(summary: RunSummary): Finding["topic"][] {
  return verdict(summary)
    .findings.filter(({ kind }) => kind === "warning")
    .map(({ topic }) => topic);
}

/** BC at 60 and one policy after it, both with intervals of ±1. */
/** Of a reward that is neither BLEU nor chrF. */
const bothHeldOut: HeldOut = { metric: "chrf", judges: ["chrf", "bleu"], why: "Both are." };

function twoPolicies(changes: Partial<PolicySummary>): RunSummary {
  return rising({
    policies: [policy("BC", { reward: around(0.6, 0.01) }), policy("G1I1", changes)],
    improves: [],
    bestOfN: [],
  });
}

describe("intervals", () => {
  const middle = { value: 5, low: 4, high: 6 };
  test.each([
    ["rose", { value: 8, low: 6.01, high: 10 }],
    ["rose within noise", { value: 8, low: 6, high: 10 }],
    ["equal", { value: 5, low: 4.5, high: 5.5 }],
    ["fell within noise", { value: 2, low: 0, high: 4 }],
    ["fell", { value: 2, low: 0, high: 3.99 }],
  ] as const)("%s: intervals that touch still overlap", (expected, after) => {
    expect(change(middle, after)).toBe(expected);
  });
});

describe("the headline", () => {
  test("says that reward rose beyond noise when the intervals are apart", () => {
    expect(verdict(rising()).headline).toBe(
      "Mean reward rose from 60.0 (BC) to 73.1 (G1I3) of 100, beyond noise; chrF rose, BLEU stayed within noise.",
    );
  });
  test("does not say 'rose' for a rise within noise", () => {
    const { headline } = verdict(twoPolicies({ reward: around(0.615, 0.01) }));
    expect(headline).toBe(
      "Mean reward went from 60.0 (BC) to 61.5 (G1I1) of 100, a rise within noise; chrF and BLEU stayed within noise.",
    );
  });
  test("says at once when chrF falls while reward rises", () => {
    expect(verdict(withPolicy("G1I3", { chrf: around(45, 1), bleu: around(20, 1) })).headline).toBe(
      "Mean reward rose from 60.0 (BC) to 73.1 (G1I3) of 100, beyond noise, but chrF and BLEU fell: possible gaming of the reward.",
    );
    expect(verdict(withPolicy("G1I3", { chrf: around(45, 1) })).headline).toMatch(
      /, but chrF fell, BLEU stayed within noise: possible gaming of the reward\.$/,
    );
  });
  test("says that reward fell", () => {
    expect(verdict(twoPolicies({ reward: around(0.55, 0.01) })).headline).toContain(
      "Mean reward fell from 60.0 (BC) to 55.0 (G1I1) of 100, beyond noise",
    );
  });
  test("claims nothing when only BC has been evaluated", () => {
    const { headline, findings } = verdict(onlyBc());
    expect(headline).toContain("Only the starting policy (BC) has been evaluated: mean reward 60.0 of 100");
    expect(findings).toEqual([]);
  });
  test("says that there is nothing to compare when no policy has been evaluated", () => {
    expect(verdict(rising({ policies: [], improves: [], bestOfN: [], examples: [] })).headline).toContain(
      "nothing to compare yet",
    );
  });
});

test("an online run is judged by its policy, and no random control is missed", () => {
  const { headline, findings } = verdict(online());
  expect(headline).toContain("from 60.0 (BC) to 70.0 (PPO) of 100, beyond noise");
  expect(findings.filter(({ topic }) => topic === "selection")).toEqual([]);
});

describe("step by step", () => {
  test("names each step's change and that every interval is apart", () => {
    expect(about(rising(), "steps")).toEqual([
      {
        kind: "good",
        topic: "steps",
        text: "Reward rose at each of the 3 steps (G1I1 +6.2, G1I2 +4.1, G1I3 +2.8). Each step is beyond noise.",
      },
    ]);
  });
  test("a rise at some steps is counted, and steps beyond noise are named", () => {
    const [finding] = about(withPolicy("G1I3", { reward: around(0.7, 0.01) }), "steps");
    expect(finding).toEqual({
      kind: "good",
      topic: "steps",
      text: "Reward rose at 2 of 3 steps (G1I1 +6.2, G1I2 +4.1, G1I3 −0.3). Beyond noise: G1I1, G1I2; the others are not.",
    });
  });
  test("a step that falls beyond its interval makes the finding bad", () => {
    expect(about(withPolicy("G1I3", { reward: around(0.6, 0.01) }), "steps")[0]!.kind).toBe("bad");
  });
  test("of many steps the widest changes are told, not every one", () => {
    const policies = Array.from({ length: 31 }, (_, at) =>
      policy(at === 0 ? "BC" : `G${at}I1`, { reward: around(0.5 + 0.01 * at + (at > 9 ? 0.02 : 0), 0.01) }),
    );
    expect(about(rising({ policies }), "steps")[0]!.text).toMatch(
      /^Reward rose at each of the 30 steps \(from G\d+I1 \+1\.0 to G10I1 \+3\.0\)\./,
    );
  });
  test("overlapping neighbours are within noise even when every step rises", () => {
    const [finding] = about(twoPolicies({ reward: around(0.605, 0.01) }), "steps");
    expect(finding!.kind).toBe("neutral");
    expect(finding!.text).toContain("Reward rose in the one step (G1I1 +0.5).");
    expect(finding!.text).toContain("No single step is beyond noise");
  });
  test("the highest policy is named when it is not the last", () => {
    expect(about(withPolicy("G1I3", { reward: around(0.69, 0.01) }), "peak")[0]!.text).toBe(
      "G1I2 has the highest mean reward (70.3), not the last policy G1I3 (69.0); the difference is within noise.",
    );
    expect(about(rising(), "peak")).toEqual([]);
  });
  test("the second Grow step's policies count as steps, controls do not", () => {
    expect(about(long(), "steps")[0]!.text).toContain("Reward rose at each of the 10 steps");
  });
});

describe("a reward that was probed", () => {
  const probed = (noticed: number) =>
    rising({
      reward: {
        name: "learned",
        probe: [
          { kind: "cut", damage: "the end cut off", pairs: 40, noticed: 1 },
          { kind: "doubled", damage: "words doubled", pairs: 40, noticed },
        ],
      },
    });
  test("damage that is noticed in less than 80 % is a warning with its share", () => {
    expect(about(probed(0.79), "blind-reward")).toEqual([
      {
        kind: "warning",
        topic: "blind-reward",
        text: "The reward often does not fall for words doubled (falls in 79 %): a policy can learn just that. coppice reward probe shows the texts.",
      },
    ]);
  });
  test("from 80 % on nothing is said, nor of a reward that was not probed", () => {
    expect(about(probed(0.8), "blind-reward")).toEqual([]);
    expect(about(rising(), "blind-reward")).toEqual([]);
  });
});

describe("BLEU and chrF", () => {
  test("a rise, a fall and noise are told apart by the intervals", () => {
    expect(about(rising(), "chrf")[0]).toEqual({
      kind: "good",
      topic: "chrf",
      text: "chrF rose (50.0 → 52.6, +2.6); the 95 % intervals do not overlap.",
    });
    expect(about(rising(), "bleu")[0]).toEqual({
      kind: "neutral",
      topic: "bleu",
      text: "BLEU stayed within noise (27.0 → 28.4, +1.4): the 95 % intervals overlap.",
    });
    expect(about(withPolicy("G1I3", { bleu: around(20, 1) }), "bleu")[0]!.kind).toBe("bad");
  });
});

describe("a judge", () => {
  const judge = (value: number) => ({ name: "bleurt-20", mean: around(value, 0.01) });
  /** From 70 to `value`, while the reward rises, or to `changes`. */
  const judged = (value: number, changes: Partial<PolicySummary> = {}) => {
    const summary = twoPolicies({ reward: around(0.7, 0.01), judge: judge(value), ...changes });
    return { ...summary, policies: [{ ...summary.policies[0]!, judge: judge(0.7) }, summary.policies[1]!] };
  };

  test("that falls beyond noise while the reward rises is a warning, and stands in the headline", () => {
    expect(about(parting(), "gaming")).toMatchObject([
      {
        kind: "warning",
        text: "Possible gaming of the reward: reward went up (60.0 → 73.1) while the judge bleurt-20 fell (70.0 → 64.0), beyond the intervals. Read the translations before trusting the reward.",
      },
    ]);
    expect(verdict(parting()).headline).toBe(
      "Mean reward rose from 60.0 (BC) to 73.1 (G1I3) of 100, beyond noise, but the judge bleurt-20 fell, chrF rose, BLEU stayed within noise: possible gaming of the reward.",
    );
    expect(about(parting(), "judge")).toEqual([
      {
        kind: "bad",
        topic: "judge",
        text: "The judge bleurt-20, which no policy is trained for, fell while the reward rose (70.0 → 64.0, −6.0); the 95 % intervals do not overlap.",
      },
    ]);
  });
  test("that falls within noise is said; a warning only where the metrics of another family fall, too", () => {
    expect(about(judged(0.69), "judge")).toMatchObject([
      {
        kind: "neutral",
        text: "The judge bleurt-20, which no policy is trained for, fell while the reward rose, within noise (70.0 → 69.0, −1.0): the 95 % intervals overlap.",
      },
    ]);
    expect(warnings(judged(0.69, { bleu: around(27.5, 1.4) }))).not.toContain("gaming");
    expect(about(judged(0.69, { bleu: around(26.5, 1.4) }), "gaming")[0]!.text).toBe(
      "Reward went up while BLEU fell (27.0 → 26.5) and the judge bleurt-20 fell (70.0 → 69.0). Both are within noise, but if they go on falling the policy is gaming the reward.",
    );
  });
  test("that rises bears the reward out; one that falls with the reward says nothing of it", () => {
    expect(about(judged(0.75), "judge")[0]!.kind).toBe("good");
    const both = judged(0.6, { reward: around(0.5, 0.01) });
    expect(about(both, "judge")[0]!.text).toContain("fell (70.0 → 60.0");
    expect(warnings(both)).not.toContain("gaming");
  });
  test("is compared by the paired difference where there is one", () => {
    const nothing = { value: 0, low: -1, high: 1 };
    const difference = { policy: "G1I1", against: "BC", reward: nothing, bleu: nothing, chrf: nothing };
    const paired = {
      ...judged(0.69),
      differences: [{ ...difference, judge: { value: -0.01, low: -0.013, high: -0.007 } }],
    };
    expect(about(paired, "judge")[0]!.text).toContain("95 % interval of the difference −1.3 to −0.7");
    expect(warnings(paired)).toContain("gaming");
    // Evaluated before each translation's score was kept: by overlap.
    expect(warnings({ ...judged(0.69), differences: [difference] })).not.toContain("gaming");
  });
  test("without one nothing is said of it", () => {
    expect(about(rising(), "judge")).toEqual([]);
  });
});

test("every policy whose reward rose at the judge's expense is named, controls are not", () => {
  expect(gamingByPolicy(parting()).map(({ policy: name }) => name)).toEqual(["G1I2", "G1I3"]);
  expect(gamingByPolicy(rising())).toEqual([]);
  expect(gamingByPolicy(rising({ policies: [] }))).toEqual([]);
});

describe("selection against the random control", () => {
  test("intervals apart: selection adds to the gain, and the part of random training is given", () => {
    expect(about(rising(), "selection")).toEqual([
      {
        kind: "good",
        topic: "selection",
        text: "Choosing by reward beats choosing at random (G1I3 73.1, G1I3-random 61.2, +11.9; the 95 % intervals do not overlap): selection itself adds to the gain. Training on random candidates alone gave +1.2 of the +13.1 over BC.",
      },
    ]);
  });
  test("overlapping intervals: cannot be told", () => {
    const [finding] = about(withPolicy("G1I3-random", { reward: around(0.725, 0.01) }), "selection");
    expect(finding!.kind).toBe("neutral");
    expect(finding!.text).toContain("cannot be told from choosing at random");
  });
  test("overlapping intervals whose difference is apart from 0: paired by source it can be told", () => {
    const summary = withPolicy("G1I3-random", { reward: around(0.725, 0.01) });
    const nothing = { value: 0, low: -1, high: 1 };
    const paired = {
      ...summary,
      differences: [
        {
          policy: "G1I3",
          against: "G1I3-random",
          reward: { value: 0.006, low: 0.002, high: 0.01 },
          bleu: nothing,
          chrf: nothing,
        },
      ],
    };
    const [finding] = about(paired, "selection");
    expect(finding!.kind).toBe("good");
    expect(finding!.text).toContain(
      "Choosing by reward beats choosing at random (G1I3 73.1, G1I3-random 72.5, +0.6; 95 % interval of the difference +0.2 to +1.0)",
    );
  });
  test("random better than selected is bad news", () => {
    expect(about(withPolicy("G1I3-random", { reward: around(0.8, 0.01) }), "selection")[0]!.kind).toBe("bad");
  });
  test("a run without a control says so", () => {
    const summary = rising();
    const without = { ...summary, policies: summary.policies.filter(({ control }) => !control) };
    expect(about(without, "selection")[0]!.text).toContain("no random-selection control");
  });
  test("each control is compared with the policy of its own step", () => {
    expect(
      about(long(), "selection").map(({ text }) => text.match(/\((G\dI\d) \S+ (\S+) /)?.slice(1)),
    ).toEqual([
      ["G1I4", "G1I4-random"],
      ["G2I4", "G2I4-random"],
    ]);
  });
});

describe("warnings", () => {
  test("a healthy run has none", () => {
    expect(warnings(rising())).toEqual([]);
  });

  test.each<[Finding["topic"], RunSummary, string]>([
    [
      "gaming",
      withPolicy("G1I3", { chrf: around(45, 1) }),
      "reward went up (60.0 → 73.1) while chrF fell (50.0 → 45.0), beyond the intervals",
    ],
    [
      "gaming",
      withPolicy("G1I3", { bleu: around(20, 1), chrf: around(45, 1) }),
      "chrF fell (50.0 → 45.0) and BLEU fell (27.0 → 20.0)",
    ],
    [
      "gaming",
      { ...withPolicy("G1I3", { bleu: around(26.5, 1), chrf: around(49.5, 1) }), heldOut: bothHeldOut },
      "Both are within noise",
    ],
    [
      "gaming",
      // chrF is what this reward learned from: that it rises says nothing.
      withPolicy("G1I3", { bleu: around(26.5, 1) }),
      "BLEU fell (27.0 → 26.5). That is within noise",
    ],
    ["copying", withPolicy("G1I3", { copyRate: 0.2 }), "copy their source (1.0 % → 20 %)"],
    [
      "forgetting",
      {
        ...withPolicy("G1I3", { lossOnTrain: 2.1, lossOutOfDomain: 5 }),
        policies: withPolicy("G1I3", { lossOnTrain: 2.1, lossOutOfDomain: 5 }).policies.map((each) =>
          each.name === "BC" ? { ...each, lossOutOfDomain: 4 } : each,
        ),
      },
      "(loss in nats a token: out-of-domain pairs 4.00 → 5.00)",
    ],
    ["ceiling", withPolicy("G1I3", { reward: around(0.96, 0.01) }), "96.0 of 100, near its ceiling"],
    [
      "diversity",
      withPolicy("G1I3", {
        diversity: { distinct1: 0.1, distinct2: 0.2, selfBleu: 0.9, uniqueShare: 0.3, entropy: 0.4 },
      }),
      "distinct-2 0.62 → 0.20, unique samples 91 % → 30 %, entropy 1.60 → 0.40 nats",
    ],
    [
      "length",
      withPolicy("G1I3", { lengthRatio: 1.4 }),
      "became longer (length ratio to the references 1.01 → 1.40)",
    ],
    ["length", withPolicy("G1I3", { lengthRatio: 0.7 }), "became shorter"],
    ["repetition", withPolicy("G1I3", { repetitionRate: 0.09 }), "0.4 % → 9.0 % of words"],
    ["unfinished", withPolicy("G1I3", { unfinishedShare: 0.2 }), "20 % of the samples of G1I3 were cut"],
    ["few-sentences", twoPolicies({ n: 60 }), "Only 60 sentences evaluated"],
    ["unequal-sentences", withPolicy("G1I3", { n: 500 }), "500 to 800"],
    ["missing-figures", withPolicy("G1I3", { bleu: around(Number.NaN, 1) }), "not finite for G1I3"],
    ["weak-reward", rising({ reward: { name: "learned", kendall: 0.05 } }), "is 0.05 on unseen sources"],
    ["ties", rising({ improves: [improveStep("G1I1", { tiedSources: 0.6 })] }), "For 60 % of the sources"],
    [
      "thin-filter",
      rising({ improves: [improveStep("G1I1", { sourcesKept: 90, sources: 1000 })] }),
      "G1I1: 90 of 1,000",
    ],
    [
      "best-of-n",
      rising({
        bestOfN: [
          { policy: "BC", n: 1, reward: 0.6, chrf: 50, bleu: 30 },
          { policy: "BC", n: 64, reward: 0.9, chrf: 44, bleu: 30 },
        ],
      }),
      "BC (50.0 at N = 1, 44.0 at N = 64)",
    ],
  ])("%s", (topic, summary, words) => {
    expect(warnings(summary)).toContain(topic);
    expect(
      about(summary, topic)
        .map(({ text }) => text)
        .join(),
    ).toContain(words);
  });

  test("reward that does not rise is not called gaming, whatever chrF does", () => {
    expect(warnings(twoPolicies({ reward: around(0.55, 0.01), chrf: around(40, 1) }))).not.toContain(
      "gaming",
    );
  });
  test("come before everything else", () => {
    const kinds = verdict(withPolicy("G1I3", { chrf: around(45, 1), unfinishedShare: 0.2 })).findings.map(
      ({ kind }) => kind === "warning",
    );
    expect(kinds).toEqual([...kinds].sort((a, b) => Number(b) - Number(a)));
    expect(kinds[0]).toBe(true);
  });
});

test("no sentence holds a character that a terminal obeys", () => {
  const { headline, findings } = verdict(hostile());
  const all = [headline, ...findings.map(({ text }) => text)].join("");
  expect(all).not.toMatch(/[\p{Cc}\u202e\p{Cs}]/u);
  expect(all).toContain("[U+202E]");
});

describe("over-optimisation", () => {
  /** Policies at these √KL whose BLEU over BC's 27 is d(10 − 10 ln d). */
  const turning = (furthest: number[]): RunSummary =>
    rising({
      policies: [
        policy("BC"),
        ...furthest.map((d, at) =>
          policy(`G1I${at + 1}`, { klFromBc: d ** 2, bleu: around(27 + 10 * d * (1 - Math.log(d)), 1) }),
        ),
      ],
    });
  test("is said where the held-out metric's curve peaks before the last policy", () => {
    // d(10 − 10 ln d) has its peak at d = 1.
    expect(about(turning([0.5, 1.2, 1.8]), "over-optimisation")[0]!.text).toContain(
      "BLEU against the distance from BC is highest at √KL 1.00, and the policies go to 1.80",
    );
  });
  test("is not, where the peak lies beyond the policies or two points decide nothing", () => {
    expect(about(turning([0.2, 0.5, 0.9]), "over-optimisation")).toEqual([]);
    expect(about(turning([0.5, 1.8]), "over-optimisation")).toEqual([]);
  });
  test("the held-out metric is named, and a step that the guard ended", () => {
    expect(about(rising(), "held-out")[0]!.text).toBe(rising().heldOut.why);
    const summary = rising({ improves: [improveStep("G1I1"), improveStep("G1I2", { guardedAt: 1500 })] });
    expect(about(summary, "guard")[0]!.text).toContain("ended G1I2 at training step 1,500");
    expect(about(rising(), "guard")).toEqual([]);
  });
});
