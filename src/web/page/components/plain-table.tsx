/** A table of the report, whose cells are text already. */

import { visible } from "../../../report/escape.js";
import type { Table as ReportTable } from "../../../report/tables.js";
import { Table } from "./table.js";

export function PlainTable({ table, testId }: { table: ReportTable; testId?: string }) {
  const rows = table.rows.map((row, at) => ({ ...row, at }));
  return (
    <>
      <Table
        caption={table.title}
        {...(testId === undefined ? {} : { testId })}
        rows={rows}
        keyOf={({ at }) => at}
        classOf={({ mark }) => mark}
        columns={table.columns.map(({ header, align }, column) => ({
          key: header,
          header,
          align,
          cell: ({ cells }: (typeof rows)[number]) => visible(cells[column] ?? ""),
        }))}
      />
      {table.notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
    </>
  );
}
