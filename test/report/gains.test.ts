/** Gains and their curves as the report has them. */
import { expect, test } from "vitest";
import { charts } from "../../src/report/charts.js";
import { gainSeries } from "../../src/report/gains.js";
import { curveTable, effectsTable, gainTable } from "../../src/report/tables.js";
import type { RunSummary } from "../../src/store/summary.js";
import { around, onlyBc, policy, rising, withPolicy } from "./samples.js";

/** BC 60 and 27; reward gains d(20 − 5d) along the best of N, BLEU d(6 − 4 ln d) along the policies. */
function known(): RunSummary {
  const best = [1, 2, 4, 8].map((n) => {
    const d = Math.sqrt(Math.log(n) - (n - 1) / n);
    return { policy: "BC", n, reward: 0.5 + (d * (20 - 5 * d)) / 100, chrf: 40, bleu: 20 + n };
  });
  const policies = [0.4, 0.9, 1.6].map((d, at) =>
    policy(`G1I${at + 1}`, { klFromBc: d ** 2, bleu: around(27 + d * (6 - 4 * Math.log(d)), 1) }),
  );
  return rising({ policies: [policy("BC"), ...policies], bestOfN: best });
}

const named = (summary: RunSummary, name: string) => {
  const found = gainSeries(summary).find((series) => series.name === name);
  if (!found) throw new Error(`no series ${name}`);
  return found;
};

test("the best of N stands at √(log n − (n − 1)/n), by what it gains over one sample", () => {
  const { points, fit } = named(known(), "reward, best of N");
  expect(points.map(({ name }) => name)).toEqual(["best of 2", "best of 4", "best of 8"]);
  expect(points[1]!.distance).toBeCloseTo(Math.sqrt(0.6363), 4);
  expect(fit).toHaveProperty("curve.alpha", expect.closeTo(20, 6));
  expect(fit).toHaveProperty("curve.beta", expect.closeTo(5, 6));
  expect(fit).toHaveProperty("curve.peak.gain", expect.closeTo(20, 6)); // α²/4β
});

test("policies stand at √KL, by what their figure is above BC's", () => {
  const { points, fit, figure } = named(known(), "held-out, policies");
  expect(figure).toBe("bleu");
  expect(points[1]).toMatchObject({ name: "G1I2", distance: expect.closeTo(0.9, 9) });
  expect(fit).toHaveProperty("curve.alpha", expect.closeTo(6, 6));
  expect(fit).toHaveProperty("curve.peak.distance", expect.closeTo(Math.exp(0.5), 6)); // e^(α/β − 1)
});

test("a control is no step of ReST: it has no point", () => {
  const names = gainSeries(rising()).flatMap(({ points }) => points.map(({ name }) => name));
  expect(names).not.toContain("G1I3-random");
});

test("BC alone has no series of policies, and a summary without best of N none of that", () => {
  expect(gainSeries(onlyBc())).toEqual([]);
  expect(gainSeries(rising({ bestOfN: [] })).map(({ name }) => name)).toEqual([
    "reward, policies",
    "held-out, policies",
  ]);
});

test("the table of curves has α, β and the peak, or says why none is decided", () => {
  const rows = curveTable(known()).rows.map(({ cells }) => cells);
  expect(rows.find(([name]) => name === "BLEU (held out), policies")).toEqual([
    ...["BLEU (held out), policies", "d(α − β ln d)", "3", "6.00", "4.00", "1.65", "+6.6"],
    "beyond the points: extrapolated",
  ]);
  // Every policy of `known` has BC's reward: a gain of 0 everywhere.
  expect(rows.find(([name]) => name === "reward, policies")!.at(-1)).toBe(
    "not decided: the fitted curve does not turn down",
  );
});

test("a peak more than twice as far as the furthest point is not decided", () => {
  const straight = [1, 2, 4, 8].map((n) => {
    const d = Math.sqrt(Math.log(n) - (n - 1) / n);
    return { policy: "BC", n, reward: 0.5 + (d * (20 - d)) / 100, chrf: 40, bleu: 20 };
  });
  const cells = curveTable(rising({ bestOfN: straight })).rows.map((each) => each.cells);
  // α 20, β 1: the peak would be at 10, and the best of 8 stands at 1.10.
  expect(cells.find(([name]) => name === "reward, best of N")).toEqual([
    ...["reward, best of N", "d(α − βd)", "3", "20.00", "1.00", "–", "–"],
    "not decided: the points hardly curve",
  ]);
});

test("the points are listed with both gains", () => {
  const { rows, columns } = gainTable(known());
  expect(columns.map(({ header }) => header)).toEqual(["point", "√KL", "reward", "BLEU"]);
  expect(rows.map(({ cells }) => cells)[0]).toEqual(["G1I1", "0.400", "0.0", "+3.9"]); // 0.4·(6 − 4 ln 0.4)
  expect(rows.map(({ cells }) => cells).at(-1)![0]).toBe("best of 8");
});

test("a chart's description says where each fitted curve peaks", () => {
  const chart = charts(known()).find(({ name }) => name === "bleu-against-kl")!;
  expect(chart.description).toContain(
    "Along the policies the fitted curve is highest at 1.65, +6.6 over BC.",
  );
  expect(JSON.stringify(chart.spec)).toContain("strokeDash");
});

test("side effects have a column for the other domain only where one was measured", () => {
  const header = (summary: RunSummary) => effectsTable(summary).columns.map((column) => column.header);
  expect(header(rising())).not.toContain("out of domain");
  const measured = withPolicy("G1I3", { lossOutOfDomain: 3.25, copyRate: 0.125 });
  expect(header(measured)).toContain("out of domain");
  const cells = effectsTable(measured).rows.map((row) => row.cells);
  expect(cells.find(([name]) => name === "G1I3")).toEqual([
    ...["G1I3", "2.00", "1.00", "0.5", "0.4 %", "13 %", "1.900", "3.250"],
  ]);
});
