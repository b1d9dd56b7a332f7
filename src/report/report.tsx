/** @jsxRuntime automatic @jsxImportSource preact */

/** The page `report.html`: one file without scripts, fonts or addresses, made from the summary alone. */

import type { RunSummary } from "../store/summary.js";
import { charts, drawSvg } from "./charts.js";
import { Findings } from "./components/findings.js";
import { ReportTable } from "./components/report-table.js";
import { Section } from "./components/section.js";
import { page } from "./page.js";
import { Drawing } from "./render-markup.js";
import { Examples } from "./sections/examples.js";
import { type Drawings, Figures } from "./sections/figures.js";
import { Glossary } from "./sections/glossary.js";
import { Making } from "./sections/making.js";
import { Opening } from "./sections/opening.js";
import { BestOfN, Distance, Improves, Online } from "./sections/steps.js";
import { answersTable, effectsTable, policyTable } from "./tables.js";
import { type Verdict, verdict } from "./verdict.js";

/**
 * The whole page as UTF-8 text; the same summary gives the same bytes. Everything that came from a model, a file or a
 * configuration is escaped, and values of keys that name a secret are left out.
 */
export async function renderReport(summary: RunSummary): Promise<string> {
  const drawings = new Map<string, Drawing>();
  for (const chart of charts(summary)) drawings.set(chart.name, new Drawing(await drawSvg(chart)));
  const said = verdict(summary);
  return page(
    `Coppice report: ${said.headline}`,
    <Report summary={summary} drawings={drawings} verdict={said} />,
  );
}

interface ReportProps {
  summary: RunSummary;
  drawings: Drawings;
  verdict: Verdict;
}

function Report({ summary, drawings, verdict: { headline, findings } }: ReportProps) {
  const answers = answersTable(summary);
  return (
    <>
      <Opening summary={summary} headline={headline} />
      <Figures
        drawings={drawings}
        columns={[["reward-by-step"], ["chrf-by-step", "bleu-by-step", "judge-by-step"]]}
      />
      {findings.length > 0 && (
        <Section title="What the figures say">
          <Findings findings={findings} />
          <p class="note">
            Intervals say how much the choice of evaluated sentences matters. They do not say what another
            random seed or other data would give: for that, run again.
          </p>
        </Section>
      )}
      <Section title="All policies">
        <ReportTable table={policyTable(summary)} />
        {answers.rows.length > 0 && <ReportTable table={answers} />}
        <ReportTable table={effectsTable(summary)} />
      </Section>
      <Examples summary={summary} />
      <Improves summary={summary} drawings={drawings} />
      <Online summary={summary} />
      <BestOfN summary={summary} drawings={drawings} />
      <Distance summary={summary} drawings={drawings} />
      <Glossary />
      <Making summary={summary} />
    </>
  );
}
