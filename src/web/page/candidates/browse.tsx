/** All candidates of a Grow step: searched, filtered, sorted, a page at a time. */

import { Reward } from "../../../report/components/reward.js";
import { type Column, Table } from "../../../report/components/table.js";
import { Words } from "../../../report/components/words.js";
import { abridged } from "../../../report/escape.js";
import { percent } from "../../../report/format.js";
import type { ListedCandidate } from "../../../store/browse.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { linkTo, queryText, setQuery } from "../router.js";
import { Filters, filtersOf } from "./filters.js";
import { keeps } from "./keeps.js";
import { usePages } from "./use-pages.js";

/** Characters of a text that the list shows; a source by itself shows all. */
const LISTED = 400;

interface BrowseProps {
  run: string;
  grow: number;
  query: URLSearchParams;
  /** τ in [0, 1]; undefined where nothing is scored. */
  threshold: number | undefined;
}

export function Browse({ run, grow, query, threshold }: BrowseProps) {
  const filters = filtersOf(query);
  const sort = { key: query.get("sort") ?? "reward", descending: query.get("order") !== "asc" };
  const searching = Boolean(filters.search);
  const { rows, state, searched, error, more, again } = usePages(
    `/api/candidates/list${queryText({
      run,
      grow,
      ...filters,
      ...(searching ? {} : { sort: sort.key, order: sort.descending ? "desc" : "asc" }),
    })}`,
  );
  const columns: Column<ListedCandidate>[] = [
    { key: "reward", header: "Reward", sortable: true, cell: ({ reward }) => <Reward value={reward} /> },
    ...(threshold === undefined
      ? []
      : [
          {
            key: "kept",
            header: "At the threshold",
            cell: (row: ListedCandidate) =>
              row.reward === null ? "" : keeps(row, threshold) ? "✓ kept" : "dropped",
          },
        ]),
    {
      key: "text",
      header: "Candidate",
      cell: (row) => (
        <>
          <Words text={abridged(row.text, LISTED)} />
          {row.origin === "human" && <small class="faint"> (human)</small>}
          {!row.finished && <small class="faint"> (cut)</small>}
        </>
      ),
    },
    {
      key: "characters",
      header: "Characters",
      align: "right",
      sortable: true,
      cell: (row) => row.characters,
    },
    {
      key: "source",
      header: "Source",
      sortable: true,
      cell: (row) => (
        <a href={linkTo("candidates", { ...Object.fromEntries(query), grow, source: row.sourceId })}>
          {row.sourceId}: <Words text={abridged(row.source, LISTED)} />
        </a>
      ),
    },
  ];
  return (
    <section aria-label="All candidates">
      <h2>All candidates of Grow {grow}</h2>
      <Filters filters={filters} />
      {searching && <p class="note">Found candidates stand in the order of their sources.</p>}
      {error !== undefined && <ErrorState error={error} again={again} />}
      {rows.length > 0 && (
        <Table
          caption="Candidates"
          testId="candidate-list"
          columns={columns}
          rows={rows}
          keyOf={({ sourceId, sampleId }) => `${sourceId}/${sampleId}`}
          {...(searching
            ? {}
            : {
                sort,
                onSort: ({ key, descending }) => setQuery({ sort: key, order: descending ? "desc" : "asc" }),
              })}
        />
      )}
      {state === "loading" && (
        <Loading what={searching ? `Searching, ${percent(searched)} of the sources so far` : "Loading"} />
      )}
      {state === "end" && rows.length === 0 && (
        <Empty title="No candidate is like that.">
          <p>Take away a filter, or search for something shorter.</p>
        </Empty>
      )}
      {state === "more" && (
        <button type="button" onClick={more} data-testid="more">
          More
        </button>
      )}
    </section>
  );
}
