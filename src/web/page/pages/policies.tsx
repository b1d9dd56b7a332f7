/** One source through every policy: out of the test part, or typed by the reader. */

import { plural } from "../../../report/format.js";
import type { PoliciesView } from "../../views.js";
import { useAnswer } from "../api.js";
import { EvaluatedSources } from "../components/evaluated-sources.js";
import { Answered, Empty } from "../components/states.js";
import { TypedSentence } from "../components/typed-sentence.js";
import { Warnings } from "../components/warnings.js";
import type { PageProps } from "../pages.js";
import { queryText } from "../router.js";
import "./beside.css";

export default function PoliciesPage({ run, query }: PageProps) {
  const answer = useAnswer<PoliciesView>(`/api/policies${queryText({ run })}`);
  return (
    <>
      <h1>Policies side by side</h1>
      <p class="faint">The same sentence by every policy of the run, with the reward that it got.</p>
      <Answered
        answer={answer}
        show={({ policies, sources, limits, trained, warnings }) => (
          <>
            <TypedSentence key={run} run={run} limits={limits} trained={trained} />
            <section aria-labelledby="evaluated">
              <h2 id="evaluated">Evaluated sources</h2>
              {policies.length === 0 ? (
                <Empty title="No policy has been evaluated yet.">
                  <p>The first appears here when its evaluation is done; the page Run shows how far it is.</p>
                </Empty>
              ) : (
                <>
                  <p class="faint">
                    {plural(sources, "source")} that no policy was trained on. Underlined: words that the
                    reference does not have; ‸: words of it that are missing.
                  </p>
                  <Warnings warnings={warnings} />
                  <EvaluatedSources run={run} query={query} />
                </>
              )}
            </section>
          </>
        )}
      />
    </>
  );
}
