/** What a study leaves in its folder: tables, figures, verdicts and the page, written anew after every run. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { drawSvg } from "../report/charts.js";
import { escapeMarkdown } from "../report/escape.js";
import { toMarkdown } from "../report/tables.js";
import { writeFileAtomic, writeJsonAtomic } from "../store/atomic.js";
import { thisMachine } from "../store/machine.js";
import { version } from "../version.js";
import { figures, type MissingFigure } from "./figures.js";
import { capital, figureWords, headline, renderPage } from "./page.js";
import { pngOf } from "./png.js";
import { type TableRow, table1, tableRows } from "./table.js";
import { type Finding, findings } from "./verdicts.js";
import type { StudyView } from "./view.js";

/** What the command prints, and `--json` gives. */
export interface StudyOutcome {
  runs: { all: number; finished: number };
  rows: TableRow[];
  findings: Finding[];
  figures: string[];
  /** Figures of the paper that the study has no arms for, with what is missing. */
  missing: MissingFigure[];
}

/** The page's name in the study's folder. */
export const PAGE = "study.html";

/** Writes everything that the finished runs give. */
export async function writeOutputs(dir: string, view: StudyView, source: string): Promise<StudyOutcome> {
  const rows = tableRows(view);
  const verdicts = findings(view);
  const { drawn, missing } = figures(view);
  const file = (name: string) => join(dir, name);
  await writeJsonAtomic(file("table1.json"), { runs: view.runs, rows });
  await writeFileAtomic(file("table1.md"), `${toMarkdown(table1(rows))}\n`);
  await writeJsonAtomic(file("verdict.json"), { findings: verdicts });
  await writeFileAtomic(file("verdict.md"), verdictMarkdown(verdicts, missing));
  const pictures = [];
  for (const figure of drawn) {
    const path = (ending: string) => file(`figures/${figure.name}.${ending}`);
    const standalone = await drawSvg(figure.chart, { standalone: true });
    await writeFileAtomic(path("svg"), standalone);
    await writeFileAtomic(path("png"), await pngOf(standalone));
    await writeFileAtomic(path("csv"), figure.csv);
    pictures.push({ ...figure, svg: await drawSvg(figure.chart) });
  }
  for (const { name } of missing)
    for (const ending of ["svg", "png", "csv"]) await rm(file(`figures/${name}.${ending}`), { force: true });
  const page = { view, rows, findings: verdicts, drawn: pictures, missing, source };
  await writeFileAtomic(file(PAGE), renderPage({ ...page, machine: thisMachine(), version }));
  return { runs: view.runs, rows, findings: verdicts, figures: drawn.map(({ name }) => name), missing };
}

function verdictMarkdown(verdicts: readonly Finding[], missing: readonly MissingFigure[]): string {
  return [
    "# Did it help?",
    headline(verdicts),
    ...verdicts.map((finding) =>
      [
        `## ${finding.number}. ${escapeMarkdown(finding.claim)} ${capital(finding.verdict)}.`,
        escapeMarkdown(figureWords(finding)),
        escapeMarkdown(finding.text),
      ].join("\n\n"),
    ),
    ...(missing.length === 0
      ? []
      : [
          `Figures left out: ${missing.map(({ name, why }) => `${name}, as ${escapeMarkdown(why)}`).join("; ")}.`,
        ]),
    "",
  ].join("\n\n");
}
