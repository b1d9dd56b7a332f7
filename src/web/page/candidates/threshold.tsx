/** The histogram of rewards with a threshold that the reader drags, and what it keeps. */

import { useRef } from "preact/hooks";
import { count, percent, rewardPoints, signed } from "../../../report/format.js";
import type { KeptTable } from "../../../store/browse.js";
import type { GrowView } from "../../protocol.js";
import { Save } from "../components/save.js";

/** Thresholds go from 0 to 1 in so many steps; the server's table has one entry each. */
const STEPS = 200;

/** Pixels of the drawing; it is scaled to the page. */
const SIZE = { width: 800, height: 120 };

interface ThresholdProps {
  table: KeptTable;
  /** τ · 200. */
  step: number;
  thresholds: GrowView["thresholds"];
  onStep: (step: number) => void;
  /** The reader has let go. */
  onSettled: (step: number) => void;
}

export function Threshold({ table, step, thresholds, onStep, onSettled }: ThresholdProps) {
  const picture = useRef<SVGSVGElement>(null);
  const { candidates, sources } = table;
  const kept = table.kept[step]!;
  const mean = table.meanReward[step]!;
  const all = table.meanOfAll;
  const move = (to: number) => {
    onStep(to);
    onSettled(to);
  };
  return (
    <section aria-label="Threshold">
      <figure class="chart histogram">
        <Histogram table={table} step={step} thresholds={thresholds} picture={picture} />
        <input
          type="range"
          min={0}
          max={STEPS}
          step={1}
          value={step}
          aria-label="Threshold: candidates with a higher reward are kept"
          aria-valuetext={`${rewardPoints(step / STEPS)}: keeps ${percent(kept / candidates)}`}
          data-testid="threshold"
          onInput={({ currentTarget }) => onStep(currentTarget.valueAsNumber)}
          onChange={({ currentTarget }) => onSettled(currentTarget.valueAsNumber)}
        />
        <Save
          name="rewards"
          svg={() => new XMLSerializer().serializeToString(picture.current!)}
          rows={table.histogram.map((n, k) => ({ above: k / STEPS, upTo: (k + 1) / STEPS, candidates: n }))}
        />
      </figure>
      <dl class="tiles" aria-live="polite">
        <Tile label="Threshold" value={`reward > ${rewardPoints(step / STEPS)}`} testId="threshold-value" />
        <Tile
          label="Kept"
          value={percent(kept / candidates)}
          note={`${count(kept)} of ${count(candidates)} candidates`}
          testId="kept-share"
        />
        <Tile
          label="Coverage"
          value={percent(table.sourcesKept[step]! / sources)}
          note={`${count(table.sourcesKept[step]!)} of ${count(sources)} sources`}
          testId="coverage"
        />
        <Tile
          label="Mean reward of the kept"
          value={rewardPoints(mean)}
          note={
            mean === null || all === null ? "nothing is kept" : `${signed(100 * (mean - all))} against all`
          }
          testId="kept-mean"
        />
      </dl>
      {thresholds.length > 0 && (
        <p class="field-row">
          <span class="faint">The run itself used</span>
          {thresholds.map(({ policy, threshold, value }) => (
            <button
              key={policy}
              type="button"
              class="small"
              title={threshold}
              onClick={() => move(Math.round(STEPS * value))}
            >
              {policy}: {rewardPoints(value)}
            </button>
          ))}
        </p>
      )}
      <p class="note">
        {count(table.human)} of these candidates are human translations, which a threshold filters like
        samples. What was cut at the length limit, or is empty, is never kept.
        {table.unscored > 0 && ` ${count(table.unscored)} have no reward yet.`}
      </p>
    </section>
  );
}

function Tile({
  label,
  value,
  note,
  testId,
}: {
  label: string;
  value: string;
  note?: string;
  testId: string;
}) {
  return (
    <div>
      <dt>{label}</dt>
      <dd data-testid={testId}>
        {value}
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}

function Histogram({
  table: { histogram },
  step,
  thresholds,
  picture,
}: Pick<ThresholdProps, "table" | "step" | "thresholds"> & { picture: { current: SVGSVGElement | null } }) {
  const highest = Math.max(1, ...histogram);
  const bar = SIZE.width / STEPS;
  const at = (share: number) => share * SIZE.width;
  // Colours stand in attributes, with one that holds where there is no style sheet, so that a saved file has them.
  return (
    <svg
      ref={picture}
      xmlns="http://www.w3.org/2000/svg"
      width={SIZE.width}
      height={SIZE.height}
      viewBox={`0 0 ${SIZE.width} ${SIZE.height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Histogram of rewards; the most frequent are near ${rewardPoints(histogram.indexOf(highest) / STEPS)}`}
    >
      {histogram.map((n, k) => (
        <rect
          key={k}
          x={k * bar}
          width={bar * 0.9}
          y={SIZE.height - (SIZE.height * n) / highest}
          height={(SIZE.height * n) / highest}
          fill={k >= step ? "var(--chart-blue, #0072B2)" : "var(--line, #d9dee4)"}
        />
      ))}
      {thresholds.map(({ policy, value }) => (
        <path
          key={policy}
          d={`M${at(value)} 0V${SIZE.height}`}
          stroke="var(--faint, #59626d)"
          stroke-dasharray="3 3"
        />
      ))}
      <path
        d={`M${at(step / STEPS)} 0V${SIZE.height}`}
        stroke="var(--chart-vermillion, #D55E00)"
        stroke-width={3}
      />
    </svg>
  );
}
