/** What a run does now and what has come of it. */

import { useState } from "preact/hooks";
import { Findings } from "../../../report/components/findings.js";
import { ReportTable } from "../../../report/components/report-table.js";
import { Section } from "../../../report/components/section.js";
import { Tiles } from "../../../report/components/tiles.js";
import { duration } from "../../../report/format.js";
import type { ChartView, RunFigures, RunState } from "../../protocol.js";
import { useAnswer, useEvents } from "../api.js";
import { Chart } from "../components/chart.js";
import { Pipeline } from "../components/pipeline.js";
import { Progress } from "../components/progress.js";
import { Answered, Empty, ErrorState, Loading } from "../components/states.js";
import type { PageProps } from "../pages.js";
import { queryText } from "../router.js";

const STATES: Record<RunState["state"], string> = {
  new: "Not begun",
  running: "Running",
  stopped: "Stopped",
  finished: "Finished",
  broken: "Not readable",
};

export default function RunPage({ run }: PageProps) {
  return <Watched key={run} run={run} />;
}

function Watched({ run }: { run: string }) {
  const query = queryText({ run });
  // Once in the ordinary way, so that a refusal has its sentence; then as it changes.
  const first = useAnswer<RunState>(`/api/run${query}`);
  const [latest, setLatest] = useState<RunState>();
  const heard = useEvents<RunState>(`/api/run/events${query}`, setLatest);
  const state = latest ?? (first.state === "ready" ? first.data : undefined);
  if (!state)
    return first.state === "failed" ? <ErrorState error={first.error} again={first.again} /> : <Loading />;
  return (
    <>
      <h1>{state.name}</h1>
      <p class="run-state" data-testid="run-state" data-state={state.state}>
        <span class={`badge ${state.state}`}>{STATES[state.state]}</span>
        {state.total > 0 && (
          <span class="faint">
            {state.done} of {state.total} steps, {duration(state.seconds)} of work
          </span>
        )}
        {!heard && (
          <span class="badge stopped" role="status" data-testid="not-heard">
            The server does not answer. Start coppice ui again; this page then goes on by itself.
          </span>
        )}
      </p>
      <p class="advice" data-testid="advice">
        {state.advice}
      </p>
      {state.live && <Progress live={state.live} />}
      {state.stages.length > 0 && (
        <>
          <h2>Steps</h2>
          <Pipeline stages={state.stages} />
        </>
      )}
      {state.state !== "broken" && <Figures key={state.name} run={run} version={state.version} />}
    </>
  );
}

function Figures({ run, version }: { run: string; version: string }) {
  // `version` is there to ask again when something was measured; the server does not read it.
  const answer = useAnswer<RunFigures>(`/api/run/figures${queryText({ run, version })}`);
  return <Answered answer={answer} what="Drawing figures" show={(figures) => <Shown figures={figures} />} />;
}

/** Low charts, what is held out by step, below each other; each of the others has a place of its own. */
const LOW = new Set(["chrf-by-step", "bleu-by-step", "judge-by-step"]);

function columnsOf(charts: readonly ChartView[]): ChartView[][] {
  const low = charts.filter(({ name }) => LOW.has(name));
  return charts.flatMap((chart) => {
    if (!LOW.has(chart.name)) return [[chart]];
    return chart === low[0] ? [low] : [];
  });
}

function Shown({ figures: { verdict, tiles, charts, tables } }: { figures: RunFigures }) {
  if (tiles.length + charts.length === 0)
    return (
      <Empty title="Nothing is measured yet.">
        <p>Figures come when the first policy is trained.</p>
      </Empty>
    );
  return (
    <>
      {verdict && (
        <section aria-label="What the figures say">
          <h2 data-testid="headline">{verdict.headline}</h2>
          <Findings findings={verdict.findings} />
        </section>
      )}
      <Tiles tiles={tiles} />
      <div class="charts">
        {columnsOf(charts).map((column) => (
          <div key={column[0]!.name}>
            {column.map((chart) => (
              <Chart key={chart.name} {...chart} />
            ))}
          </div>
        ))}
      </div>
      {tables.map((table) => (
        <Section key={table.title} title={table.title}>
          <ReportTable table={table} />
        </Section>
      ))}
    </>
  );
}
