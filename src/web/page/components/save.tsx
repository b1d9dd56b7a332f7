/** Three buttons below a chart: the picture as it stands, the same in pixels, the figures. */

import { toCsv } from "../csv.js";
import { save, standalone, toPng } from "../save.js";

interface SaveProps {
  /** Of the files, without their ending. */
  name: string;
  /** The picture as a file of its own; absent while there is none. */
  svg?: () => string | Promise<string>;
  rows: readonly Readonly<Record<string, unknown>>[];
}

export function Save({ name, svg, rows }: SaveProps) {
  const saveSvg = async () =>
    svg && save(`${name}.svg`, new Blob([standalone(await svg())], { type: "image/svg+xml" }));
  const savePng = async () => svg && save(`${name}.png`, await toPng(standalone(await svg())));
  const saveCsv = () => save(`${name}.csv`, new Blob([toCsv(rows)], { type: "text/csv" }));
  return (
    <figcaption class="save">
      <span aria-hidden="true">Save as</span>
      <button
        type="button"
        class="small"
        disabled={!svg}
        onClick={saveSvg}
        aria-label={`Save ${name} as SVG`}
      >
        SVG
      </button>
      <button
        type="button"
        class="small"
        disabled={!svg}
        onClick={savePng}
        aria-label={`Save ${name} as PNG`}
      >
        PNG
      </button>
      <button type="button" class="small" onClick={saveCsv} aria-label={`Save ${name} as CSV`}>
        CSV
      </button>
    </figcaption>
  );
}
