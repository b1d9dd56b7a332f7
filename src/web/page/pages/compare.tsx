/** Runs beside each other: the study they belong to, what they cost and gained, how far they went, what differs in them. */

import { plural } from "../../../report/format.js";
import type { ComparedView, CompareList } from "../../views.js";
import { useAnswer } from "../api.js";
import { ComparedRuns } from "../components/compared-runs.js";
import { Answered, Empty } from "../components/states.js";
import { Study } from "../components/study.js";
import type { PageProps } from "../pages.js";
import { setQuery } from "../router.js";
import "./beside.css";

/** Runs that are compared before the reader has chosen. */
const FIRST = 6;
/** And at most: the server takes no more. */
const MOST = 12;

export default function ComparePage({ query }: PageProps) {
  const answer = useAnswer<CompareList>("/api/compare");
  return (
    <>
      <h1>Compare</h1>
      <p class="faint">Runs of this folder beside each other, and the studies that they are arms of.</p>
      <Answered answer={answer} show={(list) => <Comparison list={list} query={query} />} />
    </>
  );
}

function Comparison({ list: { runs, studies }, query }: { list: CompareList; query: URLSearchParams }) {
  const usable = runs.filter(({ evaluated }) => evaluated > 0);
  const asked = query.get("runs");
  const chosen =
    asked === null
      ? usable.slice(0, FIRST).map(({ name }) => name)
      : asked.split("\n").filter((name) => runs.some((run) => run.name === name));
  const path = `/api/compare/runs?${new URLSearchParams(chosen.map((name) => ["name", name]))}`;
  const answer = useAnswer<ComparedView>(chosen.length === 0 ? undefined : path);
  const choose = (name: string, on: boolean) =>
    setQuery({
      // None is a choice too, and an empty value would not be kept.
      runs:
        runs
          .map((run) => run.name)
          .filter((each) => (each === name ? on : chosen.includes(each)))
          .join("\n") || "\n",
    });
  return (
    <>
      {studies.map((study) => (
        <Study key={study.name} study={study} />
      ))}
      <section aria-labelledby="runs">
        <h2 id="runs">Runs</h2>
        {runs.length === 1 ? (
          <p class="note">
            There is one run here. To set it beside others open the folder above it, for example{" "}
            <code>coppice ui runs</code>; arms on the same data are run by <code>coppice compare</code>.
          </p>
        ) : (
          <fieldset class="choices" data-testid="run-choices">
            <legend>{plural(chosen.length, "run")} chosen</legend>
            {runs.map(({ name, evaluated }) => (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={chosen.includes(name)}
                  disabled={!chosen.includes(name) && chosen.length >= MOST}
                  onChange={({ currentTarget }) => choose(name, currentTarget.checked)}
                />
                <span>
                  {name}{" "}
                  <span class="note">
                    {evaluated === 0 ? "nothing evaluated yet" : plural(evaluated, "policy", "policies")}
                  </span>
                </span>
              </label>
            ))}
          </fieldset>
        )}
        {chosen.length === 0 ? (
          <Empty title={usable.length === 0 ? "No policy has been evaluated yet." : "No run is chosen."}>
            <p>{usable.length === 0 ? "Come back when the first is." : "Choose one above."}</p>
          </Empty>
        ) : (
          <Answered answer={answer} show={(view) => <ComparedRuns view={view} />} />
        )}
      </section>
    </>
  );
}
