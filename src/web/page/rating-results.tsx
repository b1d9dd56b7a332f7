/** What people's ratings came to: policies against BC, raters, and the reward beside people. */

import type {
  Interval,
  RaterResult,
  RatingResults,
  RewardBand,
  RewardResults,
  ScoreBand,
  SystemBands,
  SystemResult,
} from "../../rating/results.js";
import { type Column, Table } from "../../report/components/table.js";
import { decimal, percent, rewardPoints, signed, withMinus } from "../../report/format.js";
import type { RatedRun } from "../rating-protocol.js";
import { useAnswer } from "./api.js";
import { Answered, Empty } from "./components/states.js";
import { queryText } from "./router.js";

const SCALE_NAMES: Readonly<Record<RatingResults["scale"], string>> = {
  sqm: "Ratings from 0 to 6",
  da: "Ratings from 0 to 100",
  z: "Ratings in standard deviations of their rater",
  mqm: "Marked errors (0: none)",
};

export function RatingResultsPage({ run }: { run?: string }) {
  const answer = useAnswer<RatedRun>(`/api/ratings/results${queryText({ run })}`);
  return (
    <>
      <h1>What people say</h1>
      <Answered
        answer={answer}
        show={({ scales, unreadable }) => (
          <>
            {unreadable > 0 && (
              <p class="note">{unreadable} stored lines could not be read and do not count.</p>
            )}
            {scales.length === 0 ? (
              <Empty title="Nothing has been rated yet.">
                <p>
                  Begin with <code>coppice rate DIR --policies BC,G1I2</code>.
                </p>
              </Empty>
            ) : (
              scales.map((results) => <OnScale key={results.scale} results={results} />)
            )}
          </>
        )}
      />
    </>
  );
}

function OnScale({ results }: { results: RatingResults }) {
  const { scale, baseline, systems, raters, agreement, reward, comments } = results;
  return (
    <section aria-label={SCALE_NAMES[scale]} data-testid={`scale-${scale}`}>
      <h2>{SCALE_NAMES[scale]}</h2>
      <Table caption="Policies" rows={systems} keyOf={({ name }) => name} columns={systemColumns(results)} />
      <p class="note">
        Difference: to {baseline}, on the items that both have, with its 95 % bootstrap interval over items;
        p: flipping signs by item, two-sided, not corrected for several policies.
      </p>
      <h3>Raters</h3>
      <Table caption="Raters" rows={raters} keyOf={({ name }) => name} columns={RATER_COLUMNS} />
      <p class="note">
        {agreement.alpha === null
          ? "No text has two raters, so their agreement is not known."
          : `Krippendorff's α (ordinal) between raters: ${withMinus(agreement.alpha)}, over ${agreement.texts} texts.`}
      </p>
      {reward && <RewardBesidePeople reward={reward} />}
      {comments.length > 0 && (
        <>
          <h3>Comments</h3>
          <Table
            caption="Comments"
            rows={comments.slice(0, COMMENTS)}
            keyOf={({ rater, source }) => JSON.stringify([rater, source])}
            columns={COMMENT_COLUMNS}
          />
          {comments.length > COMMENTS && (
            <p class="note">{comments.length - COMMENTS} more: coppice rate DIR --export FILE has all.</p>
          )}
        </>
      )}
    </section>
  );
}

function systemColumns({ baseline, systems }: RatingResults): Column<SystemResult>[] {
  const reach = Math.max(
    0.1,
    ...systems.flatMap(({ difference }) =>
      difference ? [Math.abs(difference.low), Math.abs(difference.high)] : [],
    ),
  );
  return [
    { key: "name", header: "policy", cell: ({ name }) => <bdi>{name}</bdi> },
    { key: "items", header: "items", align: "right", cell: ({ items }) => items },
    {
      key: "score",
      header: "mean",
      align: "right",
      cell: ({ score }) => withInterval(score, (x) => decimal(x, 2)),
    },
    {
      key: "difference",
      header: `vs ${baseline}`,
      align: "right",
      cell: ({ difference }) => (difference ? withInterval(difference, (x) => signed(x, 2)) : "–"),
    },
    {
      key: "bar",
      header: "interval",
      cell: ({ difference }) => difference && <SpanBar span={difference} reach={reach} />,
    },
    {
      key: "p",
      header: "p",
      align: "right",
      cell: ({ difference }) => (difference ? pText(difference.p) : "–"),
    },
    {
      key: "wins",
      header: "better / worse",
      align: "right",
      cell: ({ difference }) => (difference ? `${difference.wins} / ${difference.losses}` : "–"),
    },
    { key: "reward", header: "reward", align: "right", cell: ({ reward }) => rewardPoints(reward) },
    {
      key: "spearman",
      header: "ρ with reward",
      align: "right",
      cell: ({ agreement }) => withMinus(agreement.spearman),
    },
  ];
}

const RATER_COLUMNS: Column<RaterResult>[] = [
  {
    key: "name",
    header: "rater",
    cell: ({ name, careless }) => (
      <>
        <bdi>{name}</bdi>
        {careless && <strong> ⚠ careless</strong>}
      </>
    ),
  },
  { key: "items", header: "items", align: "right", cell: ({ items }) => items },
  { key: "mean", header: "mean", align: "right", cell: ({ mean }) => decimal(mean, 2) },
  {
    key: "same",
    header: "same again",
    align: "right",
    cell: ({ repeats }) => (repeats ? `${percent(repeats.same)} of ${repeats.texts}` : "–"),
  },
  {
    key: "within",
    header: "within one",
    align: "right",
    cell: ({ repeats }) => (repeats ? percent(repeats.withinOne) : "–"),
  },
  {
    key: "checks",
    header: "checks failed",
    align: "right",
    cell: ({ checks }) => (checks.seen === 0 ? "–" : `${checks.failed} of ${checks.seen}`),
  },
];

/** Most comments that the page shows. */
const COMMENTS = 50;

const COMMENT_COLUMNS: Column<RatingResults["comments"][number]>[] = [
  { key: "rater", header: "rater", cell: ({ rater }) => <bdi>{rater}</bdi> },
  { key: "comment", header: "comment", cell: ({ comment }) => <bdi>{comment}</bdi> },
  { key: "source", header: "source", cell: ({ source }) => <bdi>{source}</bdi> },
];

function RewardBesidePeople({ reward }: { reward: RewardResults }) {
  const { overall, bySystem, spread, calibration, ranking } = reward;
  const clear = ranking.opposite.filter((pair) => pair.clear);
  const most = Math.max(1, ...calibration.map(({ meanScore }) => Math.abs(meanScore)));
  return (
    <>
      <h3>The reward beside people</h3>
      <p>
        Over {overall.texts} texts: Pearson {withMinus(overall.pearson)}, Spearman{" "}
        {withMinus(overall.spearman)}, Kendall {withMinus(overall.kendall)}.{" "}
        {ranking.people.length > 1 && rankingSentence(ranking.opposite.length, clear.length)}
      </p>
      {ranking.opposite.length > 0 && (
        <ul>
          {ranking.opposite.map(({ a, b, score, reward: rewards, clear: isClear }) => (
            <li key={`${a} ${b}`}>
              <bdi>{a}</bdi> − <bdi>{b}</bdi>: people {withInterval(score, (x) => signed(x, 2))}, reward{" "}
              {withInterval(rewards, (x) => signed(100 * x))}
              {isClear ? "" : " (within noise)"}
            </li>
          ))}
        </ul>
      )}
      <Table
        caption="Reward by people's score"
        rows={bySystem[0]?.bands ?? []}
        keyOf={({ over }) => over}
        columns={bandColumns(bySystem)}
      />
      <p class="note">
        Mean reward ± standard deviation (texts). Deviation at scores of up to {decimal(spread.low.upTo, 1)}:{" "}
        {rewardPoints(spread.low.deviation)} over {spread.low.texts} texts; above:{" "}
        {rewardPoints(spread.high.deviation)} over {spread.high.texts}.
      </p>
      <h3>What a reward is worth to people</h3>
      <Table
        caption="People's score by reward"
        rows={calibration}
        keyOf={({ low }) => low}
        columns={calibrationColumns(most)}
      />
    </>
  );
}

function rankingSentence(opposite: number, clear: number): string {
  if (opposite === 0) return "Reward and people rank the policies alike.";
  return `Reward and people put ${opposite} ${opposite === 1 ? "pair" : "pairs"} of policies in opposite order, ${clear} of them beyond noise.`;
}

/** One column a system; all have the same bands. */
function bandColumns(systems: readonly SystemBands[]): Column<ScoreBand>[] {
  const lowest = systems[0]?.bands[0]?.over;
  return [
    {
      key: "band",
      header: "people's score",
      cell: ({ over, upTo }) =>
        `${over === lowest ? "from" : "above"} ${decimal(over, 1)} to ${decimal(upTo, 1)}`,
    },
    ...systems.map(
      ({ system, bands }): Column<ScoreBand> => ({
        key: `system-${system}`,
        header: system,
        align: "right",
        cell: ({ over }) => {
          const band = bands.find((one) => one.over === over);
          if (!band || band.texts === 0) return "–";
          const deviation = band.texts > 1 ? ` ± ${rewardPoints(band.deviation)}` : "";
          return `${rewardPoints(band.meanReward)}${deviation} (${band.texts})`;
        },
      }),
    ),
  ];
}

function calibrationColumns(most: number): Column<RewardBand>[] {
  return [
    {
      key: "reward",
      header: "reward",
      cell: ({ low, high }) => `${rewardPoints(low)} to ${rewardPoints(high)}`,
    },
    { key: "texts", header: "texts", align: "right", cell: ({ texts }) => texts },
    { key: "score", header: "people's mean", align: "right", cell: ({ meanScore }) => decimal(meanScore, 2) },
    { key: "bar", header: "as a bar", cell: ({ meanScore }) => <FillBar share={meanScore / most} /> },
    { key: "deviation", header: "deviation", align: "right", cell: ({ deviation }) => decimal(deviation, 2) },
  ];
}

/** A difference with its interval on an axis from −reach to reach; the cells beside it say the same in numbers. */
function SpanBar({ span, reach }: { span: Interval; reach: number }) {
  const x = (value: number) => 50 + (48 * value) / reach;
  return (
    <svg class="span-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <line class="axis" x1="50" x2="50" y1="0" y2="10" vector-effect="non-scaling-stroke" />
      <line
        class="span"
        x1={x(span.low)}
        x2={x(span.high)}
        y1="5"
        y2="5"
        vector-effect="non-scaling-stroke"
      />
      <rect class="dot" x={x(span.value) - 1} y="1.5" width="2" height="7" />
    </svg>
  );
}

function FillBar({ share }: { share: number }) {
  return (
    <svg class="span-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="fill" x="0" y="2" width={Math.max(0, Math.min(1, share)) * 100} height="6" />
    </svg>
  );
}

function withInterval({ value, low, high }: Interval, print: (value: number) => string): string {
  return `${print(value)} [${print(low)}, ${print(high)}]`;
}

function pText(p: number): string {
  return p < 0.001 ? "< 0.001" : decimal(p, 3);
}
