/** A list of evaluated sources to search and walk through, and one of them by every policy. */

import { useEffect, useState } from "preact/hooks";
import { Translations } from "../../../report/components/translations.js";
import { Words } from "../../../report/components/words.js";
import { plural, signed } from "../../../report/format.js";
import type { SourceOrder, SourcesView, SourceView } from "../../views.js";
import { useAnswer } from "../api.js";
import { linkTo, queryText, setQuery } from "../router.js";
import { Answered, Empty } from "./states.js";

interface Props {
  run: string | undefined;
  query: URLSearchParams;
}

const ORDERS: Readonly<Record<SourceOrder, string>> = {
  corpus: "as in the corpus",
  gain: "reward rose most first",
  loss: "reward fell most first",
};

/** Milliseconds without a key before a search is asked. */
const PAUSE = 250;

export function EvaluatedSources({ run, query }: Props) {
  const search = query.get("search") ?? "";
  const order = query.get("order") ?? "corpus";
  const from = query.get("from") ?? "0";
  const answer = useAnswer<SourcesView>(`/api/policies/sources${queryText({ run, search, order, from })}`);
  const first = answer.state === "failed" ? undefined : answer.data?.rows[0]?.id;
  const chosen = query.get("source") ?? (first === undefined ? undefined : String(first));
  return (
    <>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <SearchField search={search} />
        <label>
          <span>Order</span>
          <select
            value={order}
            data-testid="source-order"
            onChange={({ currentTarget }) =>
              setQuery({ order: currentTarget.value, from: undefined, source: undefined })
            }
          >
            {Object.entries(ORDERS).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
      </form>
      <div class="beside">
        <Answered answer={answer} show={(view) => <SourceList view={view} chosen={chosen} query={query} />} />
        {chosen !== undefined && <OneSource run={run} id={chosen} />}
      </div>
    </>
  );
}

function SearchField({ search }: { search: string }) {
  const [text, setText] = useState(search);
  useEffect(() => {
    if (text === search) return;
    const timer = setTimeout(() => setQuery({ search: text, from: undefined, source: undefined }), PAUSE);
    return () => clearTimeout(timer);
  }, [text, search]);
  return (
    <label>
      <span>Search</span>
      <input
        type="search"
        value={text}
        maxLength={200}
        placeholder="words of the source or reference"
        data-testid="source-search"
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
    </label>
  );
}

function SourceList({
  view: { rows, total, from, first, last },
  chosen,
  query,
}: {
  view: SourcesView;
  chosen: string | undefined;
  query: URLSearchParams;
}) {
  if (total === 0)
    return (
      <Empty title="No source has these words.">
        <p>Search for fewer, or clear the field.</p>
      </Empty>
    );
  const change = last === first ? "" : `, and change of reward from ${first} to ${last}`;
  return (
    <nav class="sources" aria-label="Evaluated sources">
      <p class="note">
        {plural(total, "source")}
        {change}
      </p>
      <ol data-testid="sources">
        {rows.map((row) => (
          <li key={row.id}>
            <a
              href={linkTo("policies", { ...Object.fromEntries(query), source: row.id })}
              aria-current={String(row.id) === chosen ? "true" : undefined}
            >
              <Words text={row.source} />
              {last !== first && <span class="change">{signed((row.last - row.first) * 100)}</span>}
            </a>
          </li>
        ))}
      </ol>
      <Pager from={from} shown={rows.length} total={total} />
    </nav>
  );
}

function Pager({ from, shown, total }: { from: number; shown: number; total: number }) {
  if (from === 0 && shown === total) return null;
  const to = (place: number) => setQuery({ from: place, source: undefined }, true);
  return (
    <p class="pager">
      <button type="button" class="small" disabled={from === 0} onClick={() => to(Math.max(0, from - shown))}>
        Back
      </button>
      <span>
        {from + 1} to {from + shown} of {total}
      </span>
      <button type="button" class="small" disabled={from + shown >= total} onClick={() => to(from + shown)}>
        On
      </button>
    </p>
  );
}

function OneSource({ run, id }: { run: string | undefined; id: string }) {
  const answer = useAnswer<SourceView>(`/api/policies/source${queryText({ run, id })}`);
  return (
    <Answered
      answer={answer}
      show={({ source, reference, translations }) => (
        <section aria-label="One source by every policy" data-testid="one-source">
          <Translations
            source={source}
            reference={reference}
            translations={translations.map(({ policy, ...rest }) => ({ policies: [policy], ...rest }))}
            testId="translations"
          />
          {translations.some(({ control }) => control) && (
            <p class="note">† In italics: trained on as many candidates chosen at random.</p>
          )}
        </section>
      )}
    />
  );
}
