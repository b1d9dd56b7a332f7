/** A chart from its vega-lite specification, with its figures in words for those who cannot see it, and three ways to save it. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { DrawnChart } from "../charts.js";
import { Save } from "./save.js";

export interface ChartProps {
  /** Fit for a file name: `reward-by-step`. */
  name: string;
  /** What it shows, in words with its figures. */
  description: string;
  /** A vega-lite specification. Colours may be variables of the style sheet: `var(--chart-blue, #0072B2)`. */
  spec: object;
  /** The figures for the CSV file; those of the specification where absent. */
  rows?: readonly Readonly<Record<string, unknown>>[];
}

export function Chart({ name, description, spec, rows }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<DrawnChart>();
  const [failed, setFailed] = useState(false);
  // Most callers make the specification anew at each drawing of the page.
  const text = JSON.stringify(spec);
  useEffect(() => {
    let current: DrawnChart | undefined;
    let gone = false;
    import("../charts.js")
      .then(({ draw }) => draw(place.current!, JSON.parse(text) as object))
      .then((made) => {
        current = made;
        if (gone) made.remove();
        else {
          setDrawn(made);
          setFailed(false);
        }
      })
      .catch(() => {
        if (!gone) setFailed(true);
      });
    return () => {
      gone = true;
      current?.remove();
    };
  }, [text]);
  return (
    <figure class="chart" data-testid={`chart-${name}`}>
      <div ref={place} class="drawing" role="img" aria-label={description} />
      {failed && <p class="note">This chart could not be drawn; its figures are in the CSV file.</p>}
      <Save name={name} rows={rows ?? rowsOf(spec)} {...(drawn ? { svg: () => drawn.svg() } : {})} />
    </figure>
  );
}

/** The data rows that stand in a specification, each once: lines, points and intervals are drawn from the same ones. */
function rowsOf(spec: object): Record<string, unknown>[] {
  return [...new Map(valuesOf(spec).map((row) => [JSON.stringify(row), row])).values()];
}

/** Those of every layer; layers that only place words have none. */
function valuesOf(spec: unknown): Record<string, unknown>[] {
  if (Array.isArray(spec)) return spec.flatMap(valuesOf);
  if (typeof spec !== "object" || spec === null) return [];
  return Object.entries(spec).flatMap(([key, value]) => {
    if (key !== "values" || !Array.isArray(value)) return valuesOf(value);
    return value.filter((row) => typeof row === "object" && row !== null && Object.keys(row).length > 0);
  });
}
