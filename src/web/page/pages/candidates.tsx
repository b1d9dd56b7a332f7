/** What the policies really write, and what a threshold keeps of it. */

import { useState } from "preact/hooks";
import type { KeptTable } from "../../../store/browse.js";
import type { GrowView } from "../../protocol.js";
import { useAnswer } from "../api.js";
import { Browse } from "../candidates/browse.js";
import { Source } from "../candidates/source.js";
import { Threshold } from "../candidates/threshold.js";
import { Answered, Empty } from "../components/states.js";
import type { PageProps } from "../pages.js";
import { queryText, setQuery } from "../router.js";

export default function CandidatesPage({ run, query }: PageProps) {
  const grows = useAnswer<GrowView[]>(`/api/candidates/grows${queryText({ run })}`);
  return (
    <>
      <h1>Candidates</h1>
      <Answered
        answer={grows}
        show={(list) =>
          list.length === 0 ? (
            <Empty title="There are no candidates yet.">
              <p>They come with the first Grow step, in parts of 500 sources. Reload this page then.</p>
            </Empty>
          ) : (
            <OfRun run={run} grows={list} query={query} />
          )
        }
      />
    </>
  );
}

function OfRun({ run, grows, query }: { run: string; grows: readonly GrowView[]; query: URLSearchParams }) {
  const asked = Number(query.get("grow"));
  const chosen = grows.find(({ grow }) => grow === asked) ?? grows.at(-1)!;
  return (
    <>
      <p class="field-row">
        <label>
          Grow step{" "}
          <select
            data-testid="grow-choice"
            value={chosen.grow}
            onChange={({ currentTarget }) =>
              setQuery({ grow: currentTarget.value, source: undefined, threshold: undefined }, true)
            }
          >
            {grows.map(({ grow, scored }) => (
              <option key={grow} value={grow}>
                {grow}
                {scored ? "" : " (not scored yet)"}
              </option>
            ))}
          </select>
        </label>
      </p>
      <OfGrow key={chosen.grow} run={run} chosen={chosen} query={query} />
    </>
  );
}

function OfGrow({ run, chosen, query }: { run: string; chosen: GrowView; query: URLSearchParams }) {
  const { grow, thresholds } = chosen;
  const kept = useAnswer<KeptTable>(`/api/candidates/kept${queryText({ run, grow })}`);
  // A whole number of 200ths, so that a threshold that is dragged is looked up and not asked for.
  const [step, setStep] = useState(() => startOf(query.get("threshold"), thresholds));
  const source = query.get("source");
  const threshold = chosen.scored ? step / 200 : undefined;
  return (
    <>
      <Answered
        answer={kept}
        what="Counting candidates"
        show={(table) =>
          table.unscored === table.candidates ? (
            <p class="note">Nothing of this Grow step is scored yet, so there is no threshold to try.</p>
          ) : (
            <Threshold
              table={table}
              step={step}
              thresholds={thresholds}
              onStep={setStep}
              onSettled={(settled) => setQuery({ threshold: settled })}
            />
          )
        }
      />
      {source !== null && <Source run={run} grow={grow} id={source} threshold={threshold} />}
      <Browse run={run} grow={grow} query={query} threshold={threshold} />
    </>
  );
}

/** The threshold of the address, else the run's first own, else the middle; in 200ths. */
function startOf(asked: string | null, thresholds: GrowView["thresholds"]): number {
  const given = asked === null ? Number.NaN : Number(asked);
  if (Number.isInteger(given) && given >= 0 && given <= 200) return given;
  return Math.round(200 * (thresholds[0]?.value ?? 0.5));
}
