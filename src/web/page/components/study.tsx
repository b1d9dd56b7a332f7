/** What `coppice compare` found: Table 1, the paper's findings on these data, its figures. */

import { ReportTable } from "../../../report/components/report-table.js";
import { Section } from "../../../report/components/section.js";
import { plural, withMinus } from "../../../report/format.js";
import type { StudyView } from "../../views.js";
import { queryText } from "../router.js";

export function Study({ study }: { study: StudyView }) {
  const { name, progress, table1, findings, figures } = study;
  return (
    <section aria-label={`Study ${name}`} data-testid="study">
      {progress.finished < progress.all && (
        <p class="note">
          {progress.finished} of {plural(progress.all, "run")} are finished: figures change with every further
          one.
        </p>
      )}
      {table1.rows.length === 0 ? (
        <p class="note">No run of it is finished yet. Table 1 appears here when the first is.</p>
      ) : (
        <Section title={table1.title}>
          <ReportTable table={table1} />
        </Section>
      )}
      {findings.length > 0 && (
        <>
          <h3>The paper's findings on these data</h3>
          <ol class="verdicts">
            {findings.map(({ number, claim, verdict, figure, text }) => (
              <li key={number} value={number}>
                {claim} <strong>{verdict}</strong>.{" "}
                <span class="faint">
                  {figure
                    ? `${figure.of}: ${withMinus(figure.value, 1)} [${withMinus(figure.low, 1)}, ${withMinus(figure.high, 1)}] ${figure.unit}.`
                    : ""}
                </span>
                <details>
                  <summary>Why</summary>
                  <p>{text.replaceAll("`", "")}</p>
                </details>
              </li>
            ))}
          </ol>
        </>
      )}
      {figures.length > 0 && (
        <>
          <h3>Figures</h3>
          <div class="figures">
            {figures.map((figure) => (
              <StudyFigure key={figure} study={name} figure={figure} />
            ))}
          </div>
        </>
      )}
    </section>
  );
}

/** As the study drew it, on white. */
function StudyFigure({ study, figure }: { study: string; figure: string }) {
  const address = (ending: string) => `/api/compare/figures/${figure}.${ending}${queryText({ study })}`;
  const words = figure.replace("figure-", "The paper's Figure ");
  return (
    <figure data-testid={figure}>
      <img
        src={address("svg")}
        alt={`${words} on these data; its numbers are in the CSV file.`}
        loading="lazy"
      />
      <figcaption>
        {words}. Save as{" "}
        {["svg", "png", "csv"].map((ending) => (
          <span key={ending}>
            <a
              href={address(ending)}
              download={`${figure}.${ending}`}
              aria-label={`Save ${figure} as ${ending.toUpperCase()}`}
            >
              {ending.toUpperCase()}
            </a>{" "}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
