/** A table as the report has it: ready text in cells, notes below. */

import type { TableView } from "../../protocol.js";
import { Table } from "./table.js";

export function ReportTable({ table: { title, columns, rows, notes } }: { table: TableView }) {
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <Table
        caption={title}
        columns={columns.map(({ header, align }, at) => ({
          key: header,
          header,
          align,
          cell: ({ cells }: TableView["rows"][number]) => cells[at],
        }))}
        rows={rows}
        keyOf={({ cells }) => cells.join(" ")}
        classOf={({ mark }) => mark}
      />
      {notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
    </section>
  );
}
