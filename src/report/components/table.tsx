/** @jsxRuntime automatic @jsxImportSource preact */

/** A table that can be sorted by its columns and scrolls by itself on a narrow screen. */

import type { ComponentChildren } from "preact";

export interface Column<Row> {
  /** Names the column in `sort`, and in the address. */
  key: string;
  header: string;
  align?: "left" | "right";
  /** What a cell shows; text stays text. */
  cell: (row: Row) => ComponentChildren;
  /** Whether a reader may sort by it; then `onSort` is called. */
  sortable?: boolean;
}

export interface Sort {
  key: string;
  descending: boolean;
}

interface TableProps<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  /** A class for a row, such as `best` or `control`. */
  classOf?: (row: Row) => string | undefined;
  /** Whether the first cell of a row is its name, which a reader hears with every other. */
  named?: boolean;
  testId?: string;
}

export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  sort,
  onSort,
  classOf,
  named = false,
  testId,
}: TableProps<Row>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="scroll" tabIndex={0} aria-label={caption}>
      <table data-testid={testId}>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Header key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} class={classOf?.(row)}>
              {columns.map(({ key, align = "left", cell }, at) =>
                named && at === 0 ? (
                  <th key={key} scope="row" class={align}>
                    {cell(row)}
                  </th>
                ) : (
                  <td key={key} class={align}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Header<Row>({
  column: { key, header, align = "left", sortable },
  sort,
  onSort,
}: {
  column: Column<Row>;
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
}) {
  const active = sort?.key === key ? sort : undefined;
  if (!sortable || !onSort)
    return (
      <th scope="col" class={align}>
        {header}
      </th>
    );
  return (
    <th
      scope="col"
      class={align}
      aria-sort={active ? (active.descending ? "descending" : "ascending") : "none"}
    >
      <button
        type="button"
        class="plain"
        onClick={() => onSort({ key, descending: active ? !active.descending : true })}
      >
        {header}
        <span aria-hidden="true">{active ? (active.descending ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}
