/** Runs beside each other: learning curves, over-optimisation, configurations. */

import { useState } from "preact/hooks";
import { Table } from "../../../report/components/table.js";
import { count, decimal, duration, MISSING, points, rewardPoints, signed } from "../../../report/format.js";
import type { Interval } from "../../../store/summary.js";
import type { ComparedPolicy, ComparedRun, ComparedView } from "../../views.js";
import { type Line, planeSpec } from "../specs.js";
import { Chart } from "./chart.js";
import { Warnings } from "./warnings.js";

const COSTS = {
  samplesDrawn: { option: "samples drawn", axis: "Samples drawn" },
  rewardCalls: { option: "reward calls", axis: "Reward calls" },
  seconds: { option: "minutes of work", axis: "Minutes of work" },
} as const;
type Cost = keyof typeof COSTS;

const METRICS = { reward: "reward", chrf: "chrF", bleu: "BLEU" } as const;

/** A figure of policies. Scores of different judges are not comparable: each is a figure of its own. */
interface Figure {
  /** Fit for a file name. */
  key: string;
  label: string;
  /** In points of 100; absent where the policy has none. */
  of: (policy: ComparedPolicy) => Interval | undefined;
}

function figuresOf(runs: readonly ComparedRun[]): Figure[] {
  return [
    { key: "reward", label: "Mean reward (0 to 100)", of: ({ reward }) => hundredfold(reward) },
    { key: "chrf", label: "chrF", of: ({ chrf }) => chrf },
    { key: "bleu", label: "BLEU", of: ({ bleu }) => bleu },
    ...judgesOf(runs).map((name, at) => ({
      key: judgeKey(at),
      label: `Judge ${name} (0 to 100)`,
      of: ({ judge }: ComparedPolicy) => (judge?.name === name ? hundredfold(judge.mean) : undefined),
    })),
  ];
}

/** Of the so-many-th judge of several, from 0; fit for a file name, as names of judges are not. */
function judgeKey(at: number): string {
  return at === 0 ? "judge" : `judge-${at + 1}`;
}

/** Names of the judges of these runs, each once. */
function judgesOf(runs: readonly ComparedRun[]): string[] {
  return [
    ...new Set(runs.flatMap(({ policies }) => policies.flatMap(({ judge }) => (judge ? [judge.name] : [])))),
  ];
}

const hundredfold = ({ value, low, high }: Interval): Interval => ({
  value: value * 100,
  low: low * 100,
  high: high * 100,
});

const withInterval = ({ value, low, high }: Interval) =>
  `${rewardPoints(value)} [${rewardPoints(low)}, ${rewardPoints(high)}]`;

export function ComparedRuns({ view: { runs, configuration, failed } }: { view: ComparedView }) {
  const [cost, setCost] = useState<Cost>("samplesDrawn");
  const judges = judgesOf(runs);
  return (
    <>
      {failed.map(({ name, error }) => (
        <p key={name} class="failed" role="alert">
          {name} cannot be shown: {error}
        </p>
      ))}
      <FiguresTable runs={runs} />
      <Warnings
        warnings={runs.flatMap(({ name, warnings }) =>
          warnings.map(({ policy, text }) => ({
            policy: runs.length > 1 ? `${name}, ${policy}` : policy,
            text,
          })),
        )}
      />
      <h3>Learning curves</h3>
      <form class="filters">
        <label>
          <span>Against</span>
          <select
            value={cost}
            data-testid="cost"
            onChange={({ currentTarget }) => {
              const found = Object.keys(COSTS).find((key): key is Cost => key === currentTarget.value);
              if (found) setCost(found);
            }}
          >
            {Object.entries(COSTS).map(([key, { option }]) => (
              <option key={key} value={key}>
                {option}
              </option>
            ))}
          </select>
        </label>
      </form>
      <div class="charts">
        {figuresOf(runs).map((figure) => (
          <LearningCurves key={figure.key} runs={runs} cost={cost} figure={figure} />
        ))}
      </div>
      <h3>Gain against distance from BC</h3>
      <p class="faint">
        Where the held-out metric{judges.length > 0 ? " or the judge" : ""} turns down while the reward goes
        on rising, more of the reward costs quality. Lines: the curves of Gao et al. (2022) fitted to the
        points, where these decide one.
      </p>
      <div class="charts">
        <GainChart runs={runs} of="reward" />
        <GainChart runs={runs} of="held-out" />
        {judges.map((judge, at) => (
          <GainChart key={judge} runs={runs} of={{ judge, key: judgeKey(at) }} />
        ))}
      </div>
      <GainWords runs={runs} />
      <h3>Configurations</h3>
      <ConfigurationTable runs={runs} configuration={configuration} />
    </>
  );
}

interface PolicyOfRun {
  run: string;
  policy: ComparedPolicy;
}

function FiguresTable({ runs }: { runs: readonly ComparedRun[] }) {
  const rows = runs.flatMap(({ name, policies }) =>
    policies.map((policy): PolicyOfRun => ({ run: name, policy })),
  );
  return (
    <Table
      caption="Every evaluated policy of the chosen runs: mean reward 0 to 100 with its 95 % interval"
      testId="compared-policies"
      rows={rows}
      keyOf={({ run, policy }) => `${run} ${policy.name}`}
      classOf={({ policy }) => (policy.control ? "control" : undefined)}
      columns={[
        { key: "run", header: "run", cell: ({ run }) => run },
        { key: "policy", header: "policy", cell: ({ policy }) => policy.name },
        {
          key: "reward",
          header: "mean reward",
          align: "right",
          cell: ({ policy: { reward } }) => withInterval(reward),
        },
        { key: "bleu", header: "BLEU", align: "right", cell: ({ policy }) => points(policy.bleu.value) },
        { key: "chrf", header: "chrF", align: "right", cell: ({ policy }) => points(policy.chrf.value) },
        ...judgesOf(runs).map((name) => ({
          key: `judge ${name}`,
          header: name,
          align: "right" as const,
          cell: ({ policy: { judge } }: PolicyOfRun) =>
            judge?.name === name ? withInterval(judge.mean) : MISSING,
        })),
        { key: "kl", header: "KL", align: "right", cell: ({ policy }) => decimal(policy.klFromBc, 2) },
        {
          key: "samples",
          header: "samples",
          align: "right",
          cell: ({ policy }) => count(policy.samplesDrawn),
        },
        { key: "calls", header: "calls", align: "right", cell: ({ policy }) => count(policy.rewardCalls) },
        { key: "time", header: "time", align: "right", cell: ({ policy }) => duration(policy.seconds) },
      ]}
    />
  );
}

const costOf = (policy: ComparedPolicy, cost: Cost): number =>
  cost === "seconds" ? policy.seconds / 60 : policy[cost];

function LearningCurves({
  runs,
  cost,
  figure,
}: {
  runs: readonly ComparedRun[];
  cost: Cost;
  figure: Figure;
}) {
  const lines = runs.flatMap(({ name, policies, looks }, colour): Line[] => {
    const line: Line = {
      name,
      colour,
      dashed: colour >= 6,
      draw: "path",
      points: policies
        .filter(({ control }) => !control)
        .flatMap((policy) => {
          const interval = figure.of(policy);
          if (!interval) return [];
          const { value, low, high } = interval;
          return [{ x: costOf(policy, cost), y: value, low, high, label: policy.name }];
        }),
    };
    if (line.points.length === 0) return [];
    if (figure.key !== "reward" || cost !== "samplesDrawn" || looks.length === 0) return [line];
    const seen: Line = {
      name: `${name}, on the validation part`,
      colour,
      draw: "curve",
      dashed: true,
      points: looks.map(({ samplesDrawn, reward }) => ({ x: samplesDrawn, y: reward * 100 })),
    };
    return [line, seen];
  });
  const { key, label } = figure;
  return (
    <Chart
      name={`${key}-against-${cost}`}
      description={`${label} by ${COSTS[cost].option}. ${lines
        .map(
          ({ name, points: places }) =>
            `${name}: ${places.map(({ x, y, label: at }) => `${at ?? ""} ${decimal(y, 1)} at ${count(x)}`).join(", ")}.`,
        )
        .join(" ")}`}
      rows={lines.flatMap(({ name, points: places }) =>
        places.map(({ x, y, low, high, label: policy }) => ({
          run: name,
          policy,
          [cost]: x,
          [key]: y,
          low,
          high,
        })),
      )}
      spec={planeSpec({
        title: label,
        x: { title: COSTS[cost].axis },
        y: { title: "" },
        lines,
      })}
    />
  );
}

type Gained = "reward" | "held-out" | { judge: string; key: string };

/** The gains of one figure: the reward, of each run its held-out metric, or what the judge of that name says. */
function gainsOf(run: ComparedRun, of: Gained) {
  const { gains, heldOut } = run;
  if (of === "reward") return gains.filter(({ figure }) => figure === "reward");
  if (of === "held-out") return gains.filter(({ figure }) => figure === heldOut.metric);
  return judgesOf([run]).includes(of.judge) ? gains.filter(({ figure }) => figure === "judge") : [];
}

function GainChart({ runs, of }: { runs: readonly ComparedRun[]; of: Gained }) {
  const lines = runs.flatMap((run, colour) =>
    gainsOf(run, of).flatMap(({ along, points: places, curve }): Line[] => {
      const name = along === "policies" ? run.name : `${run.name}, best of N of BC`;
      const dots: Line = {
        name,
        colour,
        draw: along === "policies" && curve.length === 0 ? "path" : "dots",
        shape: along === "policies" ? colour : colour + 3,
        points: places.map(({ name: label, distance, gain }) => ({ x: distance, y: gain, label })),
      };
      const fitted: Line = {
        name: `${name}, fitted`,
        colour,
        draw: "curve",
        dashed: true,
        points: curve.map(({ distance, gain }) => ({ x: distance, y: gain })),
      };
      return curve.length === 0 ? [dots] : [dots, fitted];
    }),
  );
  if (lines.length === 0)
    return <p class="note">No policy after BC has been evaluated yet, so there is no distance to draw.</p>;
  const metrics = [...new Set(runs.map(({ heldOut }) => METRICS[heldOut.metric]))].join(" or ");
  const title =
    typeof of === "object"
      ? `Judge ${of.judge} gained`
      : of === "reward"
        ? "Reward gained"
        : `Held-out ${metrics} gained`;
  return (
    <Chart
      name={`${typeof of === "object" ? of.key : of}-gain-against-kl`}
      description={`${title} over BC against the square root of the KL divergence from it. ${lines
        .filter(({ draw }) => draw !== "curve")
        .map(
          ({ name, points: places }) =>
            `${name}: ${places.map(({ x, y, label }) => `${label} ${signed(y)} at ${decimal(x, 2)}`).join(", ")}.`,
        )
        .join(" ")}`}
      rows={lines.flatMap(({ name, points: places }) =>
        places.map(({ x, y, label }) => ({ line: name, place: label, sqrtKl: x, gain: y })),
      )}
      spec={planeSpec({
        title: `${title} (points of 100)`,
        x: { title: "√KL from BC (square root of nats)", zero: true },
        y: { title: "", zero: true },
        lines,
      })}
    />
  );
}

function GainWords({ runs }: { runs: readonly ComparedRun[] }) {
  const rows = runs.flatMap((run) =>
    run.gains.map((gain) => ({
      run: run.name,
      ...gain,
      label: gain.figure === "judge" ? (judgesOf([run])[0] ?? "judge") : METRICS[gain.figure],
    })),
  );
  if (rows.length === 0) return null;
  return (
    <Table
      caption="Where each fitted curve is highest"
      rows={rows}
      keyOf={({ run, figure, along }) => `${run} ${figure} ${along}`}
      columns={[
        { key: "run", header: "run", cell: ({ run }) => run },
        { key: "figure", header: "figure", cell: ({ label }) => label },
        { key: "along", header: "along", cell: ({ along }) => along },
        { key: "words", header: "fitted curve", cell: ({ words }) => words },
      ]}
    />
  );
}

function ConfigurationTable({
  runs,
  configuration,
}: {
  runs: readonly ComparedRun[];
  configuration: ComparedView["configuration"];
}) {
  if (runs.length < 2)
    return <p class="note">Choose two runs or more to see what differs in their configurations.</p>;
  if (configuration.length === 0) return <p class="note">The configurations of these runs are the same.</p>;
  return (
    <Table
      caption="Configuration keys that are not the same in all chosen runs"
      testId="configuration"
      rows={configuration}
      keyOf={({ key }) => key}
      columns={[
        { key: "key", header: "key", cell: ({ key }) => <code>{key}</code> },
        ...runs.map(({ name }, at) => ({
          key: name,
          header: name,
          cell: ({ values }: ComparedView["configuration"][number]) => values[at] ?? MISSING,
        })),
      ]}
    />
  );
}
