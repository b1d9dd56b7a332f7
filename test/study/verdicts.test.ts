/** The seven findings on studies made by hand; with two seeds an interval is mean ± 12.706 · |difference| / 2. */

import { describe, expect, test } from "vitest";
import { findings } from "../../src/study/verdicts.js";
import type { StudyView } from "../../src/study/view.js";
import { arm, armView, type Given, study } from "./views.js";

const verdictOf = (number: number, view: StudyView) => findings(view).find((one) => one.number === number)!;

const bc: Given = { reward: [50, 52] };

describe("1: every Improve raises the reward", () => {
  const line = (second: number[]) =>
    study(armView(arm("rest"), { G0I0: bc, G1I1: { reward: [55, 57] }, G1I2: { reward: second } }));

  test("holds where both seeds rise alike at every step", () => {
    const finding = verdictOf(1, line([58, 60]));
    expect(finding).toMatchObject({
      verdict: "holds",
      figure: { value: expect.closeTo(3, 9), low: expect.closeTo(3, 9), over: "seeds", seeds: 2 },
    });
    expect(finding.figure!.of).toBe("smallest change: rest G1I1 to rest G1I2");
    expect(finding.text).toContain("BC to rest G1I1 +5.0 [+5.0, +5.0]");
  });
  test("does not hold where one step falls in both", () => {
    expect(verdictOf(1, line([54, 56])).verdict).toBe("does not hold");
  });
  test("is not decided where the seeds disagree: +1 and +5 is 3 ± 25", () => {
    const { verdict, figure } = verdictOf(1, line([56, 62]));
    expect(verdict).toBe("not decided");
    expect(figure!.low).toBeCloseTo(3 - 12.706 * 2, 2);
  });
  test("has no figure without a ReST arm", () => {
    expect(verdictOf(1, study(armView(arm("b", "best-of-n"), { G0I0: bc })))).toMatchObject({
      verdict: "not decided",
      figure: null,
    });
  });
});

describe("2: a second Grow adds", () => {
  const twice = (second: number[]) =>
    study(armView(arm("rest"), { G0I0: bc, G1I1: { reward: [55, 57] }, G2I1: { reward: second } }));
  test.each([
    [[60, 62], "holds"],
    [[55, 57], "does not hold"],
    [[54, 62], "not decided"],
  ] as const)("with %o after 55 and 57: %s", (second, verdict) => {
    expect(verdictOf(2, twice([...second])).verdict).toBe(verdict);
  });
  test("says what to do where no arm has two", () => {
    const { verdict, text } = verdictOf(2, study(armView(arm("rest"), { G0I0: bc, G1I1: bc })));
    expect([verdict, text]).toEqual(["not decided", expect.stringContaining("steps: 2")]);
  });
});

describe("3: ReST beats BC and online RL at equal samples", () => {
  const rest = armView(arm("rest"), {
    G0I0: bc,
    G1I1: { reward: [60, 62], samples: 1000 },
    G2I1: { reward: [70, 72], samples: 2000 },
  });
  const ppo = (reward: number[], samples: number) =>
    armView(arm("ppo", "online"), { G0I0: bc, PPO: { reward, samples } });

  test("compares with the policy that drew as many samples, not with a later one", () => {
    // At 1,000 samples ReST has 60 and 62, less than PPO's 65 and 67; at 2,000 more.
    expect(verdictOf(3, study(rest, ppo([65, 67], 1000))).verdict).toBe("does not hold");
    expect(verdictOf(3, study(rest, ppo([65, 67], 2000))).verdict).toBe("holds");
  });
  test("without online RL is open as long as BC is beaten, and fails where it is not", () => {
    expect(verdictOf(3, study(rest))).toMatchObject({
      verdict: "not decided",
      figure: { value: expect.closeTo(20, 9) },
    });
    const worse = armView(arm("rest"), { G0I0: bc, G1I1: { reward: [40, 42] } });
    expect(verdictOf(3, study(worse)).verdict).toBe("does not hold");
  });
});

describe("4: BC is the best loss", () => {
  const gold = arm("gold");
  // Configurations accept the loss by name once it is there.
  const otherLoss = {
    ...gold,
    config: { ...gold.config, improve: { ...gold.config.improve, loss: "gold" as "bc" } },
  };
  const main = armView(arm("rest"), { G0I0: bc, G1I1: { reward: [55, 57] }, G1I2: { reward: [60, 62] } });
  const against = (reward: number[]) =>
    study(main, armView(otherLoss, { G0I0: bc, G1I1: { reward: [1, 1] }, G1I2: { reward } }));
  test.each([
    [[59, 61], "holds"],
    [[61, 63], "does not hold"],
    [[59, 65], "not decided"],
  ] as const)("at the last common step, 60 and 62 against %o: %s", (reward, verdict) => {
    expect(verdictOf(4, against([...reward])).verdict).toBe(verdict);
  });
  test("is open with one loss", () => {
    expect(verdictOf(4, study(main)).verdict).toBe("not decided");
  });
});

describe("5: best-of-N with ReST needs far fewer samples", () => {
  const curves = (rest: Record<number, number[]>) =>
    study(
      armView(arm("rest"), {
        G0I0: { reward: [50, 50], bestOfN: { 1: [50, 50], 2: [60, 60], 8: [80, 80] } },
        G1I1: { reward: [60, 60], bestOfN: rest },
      }),
    );
  test("holds where one sample equals BC's eight", () => {
    expect(verdictOf(5, curves({ 1: [80, 80], 2: [85, 85], 8: [90, 90] }))).toMatchObject({
      verdict: "holds",
      figure: { value: expect.closeTo(8, 9), unit: "times" },
    });
  });
  test("counts four times as far fewer, and three times not", () => {
    expect(verdictOf(5, curves({ 1: [60, 60], 2: [80, 80], 8: [90, 90] })).verdict).toBe("holds");
    // Reached between 2 and 8, a little way up: 8 / 3 times.
    const share = Math.log2(3 / 2) / 2;
    const below = 80 - 10 * share;
    expect(
      verdictOf(5, curves({ 1: [60, 60], 2: [below, below], 8: [below + 10, below + 10] })),
    ).toMatchObject({
      verdict: "does not hold",
      figure: { value: expect.closeTo(8 / 3, 6) },
    });
  });
  test("is open where N ends before four", () => {
    const short = { reward: [50, 50], bestOfN: { 1: [50, 50], 2: [60, 60] } };
    const view = study(armView(arm("rest"), { G0I0: short, G1I1: short }));
    expect(verdictOf(5, view)).toMatchObject({ verdict: "not decided", figure: null });
  });
  test("is open where the seeds disagree", () => {
    expect(verdictOf(5, curves({ 1: [60, 80], 2: [70, 85], 8: [80, 90] })).verdict).toBe("not decided");
  });
});

describe("6: PPO loses BLEU where ReST does not", () => {
  const view = (rest: number[], ppo?: number[]) => {
    const start = { reward: [50, 52], bleu: [30, 31] };
    const own = armView(arm("rest"), { G0I0: start, G1I1: { reward: [60, 62], bleu: rest } });
    if (!ppo) return study(own);
    return study(own, armView(arm("ppo", "online"), { G0I0: start, PPO: { reward: [60, 62], bleu: ppo } }));
  };
  test.each([
    // ReST loses half a point, PPO eight.
    [[29.5, 30.5], [22, 23], "holds"],
    // ReST loses two points.
    [[28, 29], [22, 23], "does not hold"],
    // PPO gains.
    [[30, 31], [31, 32], "does not hold"],
    // PPO's seeds disagree.
    [[30, 31], [22, 33], "not decided"],
    [[30, 31], undefined, "not decided"],
    [[28, 29], undefined, "does not hold"],
  ] as const)("from 30 and 31, ReST %o and PPO %o: %s", (rest, ppo, verdict) => {
    expect(verdictOf(6, view([...rest], ppo && [...ppo])).verdict).toBe(verdict);
  });
});

describe("7: reward and another judge rank apart", () => {
  const view = (chrf: number[]) =>
    study(
      armView(arm("rest"), { G0I0: { reward: [50, 52], chrf: [40, 41] }, G1I1: { reward: [60, 62], chrf } }),
    );
  test.each([
    [[35, 36], "holds", -1],
    [[45, 46], "does not hold", 1],
    [[38, 46], "not decided", 0],
  ] as const)("reward up by 10 and chrF from 40 and 41 to %o: %s", (chrf, verdict, tau) => {
    expect(verdictOf(7, view([...chrf]))).toMatchObject({ verdict, figure: { value: tau } });
  });
  test("with one seed has an interval over sources: none where every source orders the policies alike", () => {
    const one = (chrf: number[]) =>
      study(armView(arm("rest"), { G0I0: { reward: [50], chrf: [40] }, G1I1: { reward: [60], chrf } }));
    expect(verdictOf(7, one([35]))).toMatchObject({
      verdict: "holds",
      figure: { value: -1, low: -1, high: -1, over: "sources" },
    });
    expect(verdictOf(7, one([45])).figure).toMatchObject({ value: 1, low: 1, high: 1 });
  });
  test("a judge of the configuration stands in place of chrF, where all policies have it", () => {
    const own = arm("rest", "rest", { reward: { kind: "chrf" } });
    const policies = {
      G0I0: { reward: [50, 52], chrf: [40, 41], judge: [70, 71] },
      G1I1: { reward: [60, 62], chrf: [45, 46], judge: [65, 66] },
    };
    const found = verdictOf(7, study(armView(own, policies)));
    expect(found).toMatchObject({ verdict: "holds", figure: { value: -1 } });
    expect(found.text).toBe(
      "In place of people the judge is bleurt (evaluate.judge), which no policy was selected by. Of 1 pairs of policies the reward tells 1 apart; bleurt orders BC and rest G1I1 the other way round, beyond noise. From BC on the reward rose while bleurt fell: rest G1I1.",
    );
    const { judge: _, ...older } = policies.G1I1;
    expect(verdictOf(7, study(armView(own, { ...policies, G1I1: older }))).verdict).toBe("does not hold");
    // Nor is a judge's score set against chrF, where the BC of another arm was evaluated without it.
    const unjudged = { ...policies, G0I0: { reward: [50, 52], chrf: [40, 41] } };
    expect(verdictOf(7, study(armView(own, policies), armView(arm("gold"), unjudged))).text).not.toContain(
      "bleurt",
    );
  });
  test("says that chrF stands in place of people, and that a reward made of it is not independent", () => {
    expect(verdictOf(7, view([45, 46])).text).toMatch(
      /^In place of people the judge is chrF.*selected by\. /,
    );
    const own = arm("rest", "rest", { reward: { kind: "chrf" } });
    const taught = study(armView(own, { G0I0: bc, G1I1: { reward: [60, 62] } }));
    expect(verdictOf(7, taught).text).toContain("not fully independent");
  });
});

test("with one seed the intervals are over sources, and each finding says so", () => {
  const view = study(armView(arm("rest"), { G0I0: { reward: [50] }, G1I1: { reward: [55] } }));
  expect(verdictOf(1, view)).toMatchObject({
    verdict: "holds",
    figure: { value: expect.closeTo(5, 9), over: "sources", seeds: 1 },
  });
});

test("nothing finished leaves seven findings open", () => {
  expect(findings(study()).map(({ number, verdict }) => [number, verdict])).toEqual(
    [1, 2, 3, 4, 5, 6, 7].map((number) => [number, "not decided"]),
  );
});
