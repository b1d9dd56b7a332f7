/** @jsxRuntime automatic @jsxImportSource preact */

/** A table as the report has it: ready text in cells, the first of a row its name, notes below. */

import { visible } from "../escape.js";
import type { Table as ReadyTable } from "../tables.js";
import { Table } from "./table.js";
import { Words } from "./words.js";

/** Characters of a row's name up to which it stays on one line. */
const SHORT = 24;

export function ReportTable({ table: { title, columns, rows, notes } }: { table: ReadyTable }) {
  return (
    <>
      <Table
        caption={visible(title)}
        columns={columns.map(({ header, align }, at) => ({
          key: header,
          header: visible(header),
          align,
          cell: ({ cells }: ReadyTable["rows"][number]) => <Cell text={cells[at] ?? ""} name={at === 0} />,
        }))}
        rows={rows}
        keyOf={({ cells }) => cells.join(" ")}
        classOf={({ mark }) => mark}
        named
      />
      {notes.map((note) => (
        <p key={note} class="note">
          {visible(note)}
        </p>
      ))}
    </>
  );
}

function Cell({ text, name }: { text: string; name: boolean }) {
  if (!name || Array.from(text).length > SHORT) return <Words text={text} />;
  return (
    <span class="short">
      <Words text={text} />
    </span>
  );
}
