/** @jsxRuntime automatic @jsxImportSource preact */

/** The few figures that a reader wants first. */

import { visible } from "../escape.js";

export interface Tile {
  label: string;
  value: string;
  /** In small letters below. */
  note: string;
}

export function Tiles({ tiles }: { tiles: readonly Tile[] }) {
  return (
    <dl class="tiles">
      {tiles.map(({ label, value, note }) => (
        <div key={label}>
          <dt>{visible(label)}</dt>
          <dd>
            {visible(value)}
            <small>{visible(note)}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}
