/** Whether the reward can be trusted: what it overlooks, how it agrees with its target, where it parts from other judges. */

import { Table } from "../../../report/components/table.js";
import { decimal, percent, plural, rewardPoints } from "../../../report/format.js";
import type { Judge, LearnedView, RewardView } from "../../views.js";
import { useAnswer } from "../api.js";
import { Chart } from "../components/chart.js";
import { Disagreements } from "../components/disagreements.js";
import { Answered, Empty } from "../components/states.js";
import type { PageProps } from "../pages.js";
import { queryText, setQuery } from "../router.js";
import { planeSpec, shareBarsSpec } from "../specs.js";
import "./beside.css";

export default function RewardPage({ run, query }: PageProps) {
  const answer = useAnswer<RewardView>(`/api/reward${queryText({ run })}`);
  return (
    <>
      <h1>Reward</h1>
      <p class="faint">What the policies are taught to please, and how far it can be trusted.</p>
      <Answered answer={answer} show={(view) => <Reward run={run} query={query} view={view} />} />
    </>
  );
}

function Reward({ run, query, view }: PageProps & { view: RewardView }) {
  const { kind, learned, probe, weakBelow, retrained, policies, rated, judge: model } = view;
  const judge = judgeAsked(query.get("judge"), view);
  const main = policies.findLast(({ control }) => !control)?.name;
  // People's ratings are few: all policies together unless one is chosen.
  const policy = query.get("policy") ?? (judge === "people" ? undefined : main);
  return (
    <>
      <p>
        Kind: <strong>{kind}</strong>
        {learned && `, taught to predict ${learned.target} against human translations it never sees`}.
      </p>
      <section aria-labelledby="probe">
        <h2 id="probe">What it overlooks</h2>
        {probe ? (
          <Probe probe={probe} weakBelow={weakBelow} />
        ) : (
          <Empty title="The reward has not been probed yet.">
            <p>
              A run probes it when its first policy is evaluated. Sooner, and with the texts:{" "}
              <code>coppice reward probe</code>.
            </p>
          </Empty>
        )}
      </section>
      <section aria-labelledby="agreement">
        <h2 id="agreement">Agreement with its target</h2>
        {learned ? (
          <Learned learned={learned} />
        ) : (
          <p class="note">
            {kind === "learned" || kind === "ensemble"
              ? "The learned reward is not taught yet; its agreement and calibration appear here when it is."
              : `A reward of kind ${kind} is not learned: there is no target to agree with, and no calibration.`}
          </p>
        )}
        {retrained.length > 0 && (
          <Table
            caption="The reward as it was taught again"
            rows={retrained}
            keyOf={({ grow }) => grow}
            columns={[
              { key: "grow", header: "for Grow", align: "right", cell: ({ grow }) => grow },
              ...agreementColumns,
            ]}
          />
        )}
      </section>
      <section aria-labelledby="judges">
        <h2 id="judges">Where it parts from another judge</h2>
        {policies.length === 0 ? (
          <Empty title="No policy has been evaluated yet.">
            <p>
              When the first is, its translations with the widest difference between reward and chrF stand
              here.
            </p>
          </Empty>
        ) : (
          <>
            <form class="filters">
              <label>
                <span>Judge</span>
                <select
                  value={judge}
                  data-testid="judge"
                  onChange={({ currentTarget }) =>
                    setQuery({ judge: currentTarget.value, policy: undefined })
                  }
                >
                  <option value="chrf">chrF, against the reference</option>
                  {model !== null && <option value="model">{model}, which no policy is trained for</option>}
                  <option value="people" disabled={rated === 0}>
                    people{rated === 0 ? ": nobody has rated yet" : `, ${plural(rated, "translation")}`}
                  </option>
                </select>
              </label>
              <label>
                <span>Policy</span>
                <select
                  value={policy ?? ""}
                  data-testid="judged-policy"
                  onChange={({ currentTarget }) => setQuery({ policy: currentTarget.value })}
                >
                  {judge === "people" && <option value="">all of them</option>}
                  {policies.map(({ name }) => (
                    <option key={name} value={name}>
                      {name}
                    </option>
                  ))}
                </select>
              </label>
            </form>
            <Disagreements run={run} policy={policy} judge={judge} model={model} />
          </>
        )}
      </section>
    </>
  );
}

/** The one that was asked for, where it has judged; else the run's own judge, or chrF where there is none. */
function judgeAsked(asked: string | null, { judge, rated }: RewardView): Judge {
  if (asked === "people" && rated > 0) return "people";
  return judge === null || asked === "chrf" ? "chrf" : "model";
}

function Probe({ probe, weakBelow }: { probe: NonNullable<RewardView["probe"]>; weakBelow: number }) {
  const sorted = [...probe].sort((a, b) => a.noticed - b.noticed);
  const weak = sorted.filter(({ noticed }) => noticed < weakBelow);
  return (
    <>
      <p>
        {weak.length === 0
          ? `Every kind of damage to a human translation lowers the reward in ${percent(weakBelow)} of cases or more.`
          : `It often misses ${weak.map(({ damage }) => damage).join(", ")}: a policy can learn just that.`}
      </p>
      <div class="charts">
        <Chart
          name="reward-probe"
          description={`How often the reward falls, by kind of damage. ${sorted.map(({ damage, noticed }) => `${damage}: ${percent(noticed)}`).join("; ")}.`}
          rows={sorted.map(({ kind, damage, pairs, noticed }) => ({ kind, damage, pairs, noticed }))}
          spec={shareBarsSpec({
            title: "How often damage lowers the reward",
            axis: "share of human translations",
            bars: sorted.map(({ damage, noticed }) => ({
              name: damage,
              share: noticed,
              weak: noticed < weakBelow,
            })),
          })}
        />
        <Table
          caption="How often the reward falls when a human translation is damaged"
          testId="probe"
          rows={sorted}
          keyOf={({ kind }) => kind}
          columns={[
            { key: "damage", header: "damage", cell: ({ damage }) => damage },
            { key: "noticed", header: "falls in", align: "right", cell: ({ noticed }) => percent(noticed) },
            { key: "pairs", header: "of", align: "right", cell: ({ pairs }) => plural(pairs, "pair") },
          ]}
        />
      </div>
    </>
  );
}

const agreementColumns = [
  {
    key: "kendall",
    header: "Kendall's τ",
    align: "right" as const,
    cell: ({ kendall }: Agreement) => decimal(kendall, 3),
  },
  {
    key: "spearman",
    header: "Spearman's ρ",
    align: "right" as const,
    cell: ({ spearman }: Agreement) => decimal(spearman, 3),
  },
  {
    key: "pairwise",
    header: "better of two",
    align: "right" as const,
    cell: ({ pairwiseAccuracy, pairs }: Agreement) => `${percent(pairwiseAccuracy)} of ${pairs}`,
  },
];

type Agreement = Pick<RewardView["retrained"][number], "kendall" | "spearman" | "pairwiseAccuracy" | "pairs">;

function Learned({ learned: { target, agreement, calibration, meanReward } }: { learned: LearnedView }) {
  return (
    <>
      <Table
        caption={`Rank agreement with ${target} on sources that the reward was not taught with`}
        testId="agreement"
        rows={agreement}
        keyOf={({ on }) => on}
        columns={[{ key: "on", header: "on", cell: ({ on }) => on }, ...agreementColumns]}
      />
      <p class="note">
        Better of two: how often it picks the better of two candidates of one source, which is what selection
        needs; 50 % is chance.
      </p>
      <h3>Calibration</h3>
      <p class="faint">
        A reward of 0.9 scores above nine of ten samples of the first policy. On held-out sources these have a
        mean of {rewardPoints(meanReward.samples)} of 100, the human translations{" "}
        {rewardPoints(meanReward.references)}.
      </p>
      <div class="charts">
        <Chart
          name="reward-calibration"
          description={`The calibrated reward rises from ${decimal(calibration[0]?.reward, 3)} at a raw score of ${decimal(calibration[0]?.raw, 2)} to ${decimal(calibration.at(-1)?.reward, 3)} at ${decimal(calibration.at(-1)?.raw, 2)}.`}
          rows={calibration}
          spec={planeSpec({
            title: "Reward by raw score",
            x: { title: "raw score of the model" },
            y: { title: "reward", domain: [0, 1] },
            lines: [
              {
                name: "calibration",
                colour: 0,
                draw: "path",
                points: calibration.map(({ raw, reward }) => ({ x: raw, y: reward })),
              },
            ],
          })}
        />
      </div>
    </>
  );
}
