/** @jsxRuntime automatic @jsxImportSource preact */

/** The page `study.html`: verdicts, Table 1 and every figure in one file without scripts, fonts or addresses. */

import { Facts } from "../report/components/facts.js";
import { ReportTable } from "../report/components/report-table.js";
import { Section } from "../report/components/section.js";
import { visible } from "../report/escape.js";
import { decimal, plural, withMinus } from "../report/format.js";
import { page } from "../report/page.js";
import { Drawing } from "../report/render-markup.js";
import type { Machine } from "../store/machine.js";
import type { Outcome } from "./decide.js";
import type { Figure, MissingFigure } from "./figures.js";
import { type TableRow, table1 } from "./table.js";
import type { Finding } from "./verdicts.js";
import type { StudyView } from "./view.js";

export interface PageParts {
  view: StudyView;
  rows: readonly TableRow[];
  findings: readonly Finding[];
  /** Each with its drawing as an SVG element. */
  drawn: readonly (Figure & { svg: string })[];
  missing: readonly MissingFigure[];
  /** The study file as the user wrote it. */
  source: string;
  machine: Machine;
  version: string;
}

const SIGNS: Readonly<Record<Outcome, { kind: string; sign: string }>> = {
  holds: { kind: "good", sign: "✓" },
  "does not hold": { kind: "bad", sign: "✗" },
  "not decided": { kind: "neutral", sign: "•" },
};

/** UTF-8 text; the same study gives the same bytes. Whatever came from a file is escaped. */
export function renderPage({
  view,
  rows,
  findings,
  drawn,
  missing,
  source,
  machine,
  version,
}: PageParts): string {
  const { runs, study } = view;
  const title = headline(findings);
  const facts: [string, string][] = [
    ["Runs", `${runs.finished} of ${runs.all} finished`],
    ["Seeds", study.seeds.join(", ")],
    ["Arms", study.arms.map(({ name }) => name).join(", ")],
    [
      "Machine",
      `${machine.cpu}, ${plural(machine.cores, "core")}, ${decimal(machine.memoryGb, 0)} GB, ${machine.os}, Node ${machine.node}`,
    ],
    ["Coppice", version],
  ];
  return page(
    `Coppice study: ${title}`,
    <>
      <header>
        <h1>Coppice: study of Reinforced Self-Training</h1>
        <p class="headline">{visible(title)}</p>
        <p>
          {plural(study.arms.length, "arm")} beside each other on the same data and reward, with{" "}
          {plural(study.seeds.length, "seed")}. Steps that arms have in common were done once a seed.
          Thresholds, learning rates and stopping use validation sources; every figure here is of test
          sources.
        </p>
        {runs.finished < runs.all && (
          <p class="note">
            So far: {runs.finished} of {runs.all} runs are finished. This page is written anew after each.
          </p>
        )}
      </header>
      <Section title="Did it help? The paper's findings on this data">
        <PaperFindings findings={findings} />
        <p class="note">
          Holds, or does not hold: the whole 95 % interval lies on one side. Not decided: it does not, or the
          arms are missing. Every verdict is of this data, this reward and these sizes.
        </p>
      </Section>
      <Section title="Every policy">
        <ReportTable table={table1(rows)} />
      </Section>
      <Section title="Figures">
        <div class="charts">
          {drawn.map((figure) => (
            <PaperFigure key={figure.name} {...figure} />
          ))}
        </div>
        <LeftOut missing={missing} />
      </Section>
      <Section title="How it was made">
        <Facts facts={facts} />
        <details>
          <summary>The study file</summary>
          <pre>{source.trimEnd()}</pre>
        </details>
      </Section>
    </>,
  );
}

/** `3 of the paper's 7 findings hold on this data, 1 does not, 3 are not decided.` */
export function headline(findings: readonly Finding[]): string {
  const number = (outcome: Outcome) => findings.filter(({ verdict }) => verdict === outcome).length;
  const [holds, fails, open] = [number("holds"), number("does not hold"), number("not decided")];
  return `${holds} of the paper's ${findings.length} findings ${holds === 1 ? "holds" : "hold"} on this data, ${fails} ${fails === 1 ? "does" : "do"} not, ${open} ${open === 1 ? "is" : "are"} not decided.`;
}

/** The figure of a finding in words: `+3.1 [+1.2, +5.0] points of reward, of 100 (over 3 seeds)`. */
export function figureWords({ figure }: Finding): string {
  if (figure === null) return "no figure";
  const digits = figure.unit === "times" || figure.unit.startsWith("from") ? 2 : 1;
  const over = figure.over === "seeds" ? `over ${figure.seeds} seeds` : "over sources, one seed";
  const [value, low, high] = [figure.value, figure.low, figure.high].map((one) => withMinus(one, digits));
  return `${figure.of}: ${value} [${low}, ${high}] ${figure.unit} (${over})`;
}

function PaperFindings({ findings }: { findings: readonly Finding[] }) {
  return (
    <ul class="findings">
      {findings.map((finding) => {
        const { kind, sign } = SIGNS[finding.verdict];
        return (
          <li key={finding.number} class={kind}>
            <span class="sign" aria-hidden="true">
              {sign}
            </span>
            <b>
              {finding.number}. {visible(finding.claim)} {capital(finding.verdict)}.
            </b>
            {finding.figure !== null && <div>{visible(figureWords(finding))}.</div>}
            <div class="faint">
              <WithCode text={finding.text} />
            </div>
          </li>
        );
      })}
    </ul>
  );
}

/** Text in which backquotes stand around what is written in a file. */
function WithCode({ text }: { text: string }) {
  return (
    <>
      {text
        .split("`")
        .map((part, i) => (i % 2 === 1 ? <code key={part}>{visible(part)}</code> : visible(part)))}
    </>
  );
}

function PaperFigure({ name, title, about, svg }: Figure & { svg: string }) {
  return (
    <figure id={name}>
      {new Drawing(svg)}
      <figcaption class="note">{visible(`${title}. ${about}`)}</figcaption>
    </figure>
  );
}

function LeftOut({ missing }: { missing: readonly MissingFigure[] }) {
  if (missing.length === 0) return null;
  const each = missing.map(({ name, title, why }) => `${name} (${title}): ${why}`);
  return <p class="note">Left out: {visible(each.join("; "))}.</p>;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
