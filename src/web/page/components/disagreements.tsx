/** A reward beside another judge of the same translations: as a cloud, in bands, and where the two part most. */

import { Reward } from "../../../report/components/reward.js";
import { Table } from "../../../report/components/table.js";
import { Marked, Words } from "../../../report/components/words.js";
import { decimal, plural, rewardPoints } from "../../../report/format.js";
import type { DisagreementsView, Judge, JudgedTranslation } from "../../views.js";
import { useAnswer } from "../api.js";
import { queryText } from "../router.js";
import { planeSpec } from "../specs.js";
import { Chart } from "./chart.js";
import { Answered } from "./states.js";

/** How a judge is named in text and on an axis; `model` is what the run calls the judge that it loaded. */
function wordsOf(judge: Judge, model: string | null): { name: string; axis: string; digits: number } {
  const name = model ?? "the judge";
  return {
    chrf: { name: "chrF", axis: "sentence chrF", digits: 1 },
    model: { name, axis: `${name} (0 to 100)`, digits: 1 },
    people: { name: "people", axis: "mean rating (0 to 6)", digits: 2 },
  }[judge];
}

interface Props {
  run: string | undefined;
  policy: string | undefined;
  judge: Judge;
  /** Name of the judge that the run loaded; null where there is none. */
  model: string | null;
}

export function Disagreements({ run, policy, judge, model }: Props) {
  const answer = useAnswer<DisagreementsView>(
    `/api/reward/disagreements${queryText({ run, policy, judge })}`,
  );
  return <Answered answer={answer} show={(view) => <View view={view} model={model} />} />;
}

function View({ view, model }: { view: DisagreementsView; model: string | null }) {
  const { judge, translations, spearman, kendall, bands, points, overrated, underrated } = view;
  const words = wordsOf(judge, model);
  const { name, axis, digits } = words;
  const of = view.policy === "" ? "" : ` of ${view.policy}`;
  return (
    <>
      <p>
        Over {plural(translations, "translation")}
        {of}, reward and {name} agree at Spearman's ρ {decimal(spearman, 2)} and Kendall's τ{" "}
        {decimal(kendall, 2)} (1: the same order, 0: none).
      </p>
      <div class="charts">
        <Chart
          name={`reward-against-${judge}`}
          description={`${axis} against reward. Means by rising reward: ${bands.map((band) => `${decimal(band.judge, digits)} at ${rewardPoints(band.reward)}`).join(", ")}.`}
          rows={points.map(([reward, value]) => ({ reward, [judge]: value }))}
          spec={planeSpec({
            title: `${axis} by reward`,
            x: { title: "reward (0 to 100)", domain: [0, 100] },
            y: { title: axis },
            lines: [
              {
                name: "one translation",
                colour: 0,
                draw: "dots",
                faint: true,
                points: points.map(([x, y]) => ({ x: x * 100, y })),
              },
              {
                name: "mean of a band",
                colour: 1,
                draw: "path",
                points: bands.map((band) => ({ x: band.reward * 100, y: band.judge })),
              },
            ],
          })}
        />
        <Table
          caption={`Mean ${axis} of translations by rising reward`}
          testId="bands"
          rows={bands}
          keyOf={({ low, high }) => `${low} ${high}`}
          columns={[
            {
              key: "band",
              header: "reward",
              cell: ({ low, high }) => `${rewardPoints(low)} to ${rewardPoints(high)}`,
            },
            {
              key: "judge",
              header: `mean ${name}`,
              align: "right",
              cell: (band) => decimal(band.judge, digits),
            },
            { key: "count", header: "translations", align: "right", cell: ({ count }) => count },
          ]}
        />
      </div>
      <Parted
        title={`Reward high, ${name} low`}
        about="A policy that is taught by this reward will write more like these."
        rows={overrated}
        words={words}
        testId="overrated"
      />
      <Parted
        title={`Reward low, ${name} high`}
        about="These would be dropped by a threshold on the reward."
        rows={underrated}
        words={words}
        testId="underrated"
      />
    </>
  );
}

function Parted({
  title,
  about,
  rows,
  words: { name, digits },
  testId,
}: {
  title: string;
  about: string;
  rows: readonly JudgedTranslation[];
  words: ReturnType<typeof wordsOf>;
  testId: string;
}) {
  return (
    <>
      <h3>{title}</h3>
      {rows.length === 0 ? (
        <p class="note">There are none: both put the translations in the same order.</p>
      ) : (
        <>
          <p class="faint">{about}</p>
          <Table
            caption={`${title}: translations by difference of rank, the widest first`}
            testId={testId}
            rows={rows.map((row, at) => ({ ...row, at }))}
            keyOf={({ at }) => at}
            columns={[
              { key: "source", header: "source", cell: ({ source }) => <Words text={source} /> },
              {
                key: "text",
                header: "translation",
                cell: ({ text, reference }) => <Marked text={text} reference={reference} />,
              },
              {
                key: "reference",
                header: "reference",
                cell: ({ reference }) => <Words text={reference} />,
              },
              {
                key: "reward",
                header: "reward",
                align: "right",
                cell: ({ reward }) => <Reward value={reward} />,
              },
              { key: "judge", header: name, align: "right", cell: (row) => decimal(row.judge, digits) },
            ]}
          />
        </>
      )}
    </>
  );
}
