/** @jsxRuntime automatic @jsxImportSource preact */

/** Charts as they were drawn, in columns beside each other. */

import type { Drawing } from "../render-markup.js";

/** Drawings by the name of their chart; charts without figures are not among them. */
export type Drawings = ReadonlyMap<string, Drawing>;

/** `columns`: the names of charts, top to bottom; a column whose charts have no figures is left out. */
export function Figures({ drawings, columns }: { drawings: Drawings; columns: readonly string[][] }) {
  const filled = columns.map((names) => names.filter((name) => drawings.has(name)));
  if (filled.flat().length === 0) return null;
  return (
    <div class="charts">
      {filled
        .filter((names) => names.length > 0)
        .map((names) => (
          <div key={names.join(" ")}>
            {names.map((name) => (
              <figure key={name} id={name}>
                {drawings.get(name)}
              </figure>
            ))}
          </div>
        ))}
    </div>
  );
}
