/** One source with all its candidates: ranked, coloured by reward, kept or dropped, differences from the reference marked. */

import { useEffect, useRef } from "preact/hooks";
import { Reward } from "../../../report/components/reward.js";
import { Marked, Words } from "../../../report/components/words.js";
import { count, decimal, plural } from "../../../report/format.js";
import type { ListedCandidate, SourceCandidate, SourcePage } from "../../../store/browse.js";
import { useAnswer } from "../api.js";
import { Answered } from "../components/states.js";
import { queryText, setQuery } from "../router.js";
import { keeps } from "./keeps.js";

interface SourceProps {
  run: string;
  grow: number;
  id: string;
  /** τ in [0, 1]; undefined where nothing is scored. */
  threshold: number | undefined;
}

export function Source({ run, grow, id, threshold }: SourceProps) {
  const answer = useAnswer<SourcePage>(`/api/candidates/source${queryText({ run, grow, source: id })}`);
  const place = useRef<HTMLElement>(null);
  // Whoever opens a source from far down the page goes on reading, and pressing Tab, in it. A page that has just been loaded
  // stays where it is.
  useEffect(() => {
    const own = place.current!;
    const { activeElement } = document;
    if (activeElement === document.body || own.contains(activeElement)) return;
    own.focus({ preventScroll: true });
    own.scrollIntoView();
  }, [id]);
  return (
    <section class="source" aria-label={`Source ${id}`} data-testid="source" tabIndex={-1} ref={place}>
      <Answered answer={answer} show={(page) => <Shown page={page} threshold={threshold} />} />
    </section>
  );
}

function Shown({ page, threshold }: { page: SourcePage; threshold: number | undefined }) {
  const { sourceId, source, reference, candidates, total, previous, next } = page;
  const isKept = (candidate: ListedCandidate) => threshold !== undefined && keeps(candidate, threshold);
  const kept = candidates.filter(isKept).length;
  return (
    <>
      <p class="field-row">
        <strong>Source {sourceId}</strong>
        <Go to={previous} testId="previous-source">
          ← Previous
        </Go>
        <Go to={next} testId="next-source">
          Next →
        </Go>
        <button type="button" class="small" onClick={() => setQuery({ source: undefined }, true)}>
          Close
        </button>
      </p>
      <dl class="given">
        <dt>Source</dt>
        <dd data-testid="source-text">
          <Words text={source} />
        </dd>
        <dt>Reference</dt>
        <dd data-testid="reference">
          {reference ? (
            <>
              <Words text={reference.text} /> <Reward value={reference.reward} />
            </>
          ) : (
            <span class="faint">none among the candidates</span>
          )}
        </dd>
      </dl>
      <p class="note">
        {plural(total, "candidate")}
        {total > candidates.length && `, the best ${count(candidates.length)} shown`}
        {threshold !== undefined && `; the threshold keeps ${count(kept)}`}. Underlined: words that the
        reference does not have there; ‸: words of it are missing.
      </p>
      <ol class="candidates" data-testid="candidates">
        {candidates.map((candidate) => (
          <li
            key={candidate.sampleId}
            class={threshold === undefined ? "" : isKept(candidate) ? "kept" : "dropped"}
            data-testid="candidate"
          >
            <Reward value={candidate.reward} />
            <span class="verdict">
              {threshold === undefined ? "" : isKept(candidate) ? "✓ kept" : "dropped"}
            </span>
            <span class="text">
              {reference ? (
                <Marked text={candidate.text} reference={reference.text} />
              ) : (
                <Words text={candidate.text} />
              )}
              <Facts candidate={candidate} />
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

function Facts({
  candidate: { sampleId, tokens, logProbability, finished },
}: {
  candidate: SourceCandidate;
}) {
  return (
    <small class="faint">
      {" "}
      sample {sampleId}, {plural(tokens, "token")}, log-probability {decimal(logProbability, 1)}
      {finished ? "" : ", cut at the length limit"}
    </small>
  );
}

function Go({ to, testId, children }: { to: number | null; testId: string; children: string }) {
  return (
    <button
      type="button"
      class="small"
      disabled={to === null}
      data-testid={testId}
      onClick={() => to !== null && setQuery({ source: to })}
    >
      {children}
    </button>
  );
}
