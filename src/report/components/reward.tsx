/** @jsxRuntime automatic @jsxImportSource preact */

/** A reward as a bar with its number on the 0 to 100 scale; the number alone says it too. */

import { rewardPoints } from "../format.js";

/** Size of the bar, in CSS pixels. */
const WIDTH = 48;
const HEIGHT = 8;

/** `value` in [0, 1]; what lies outside fills the bar or leaves it empty. Null where there is no reward yet. */
export function Reward({ value }: { value: number | null }) {
  if (value === null)
    return (
      <span class="reward faint" title="not scored yet">
        –
      </span>
    );
  const share = Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
  return (
    <span class="reward">
      <svg class="reward-bar" width={WIDTH} height={HEIGHT} aria-hidden="true">
        <rect class="track" width={WIDTH} height={HEIGHT} rx="2" />
        <rect width={Number((WIDTH * share).toFixed(1))} height={HEIGHT} rx="2" fill={rewardColour(share)} />
      </svg>
      <span>{rewardPoints(value)}</span>
    </span>
  );
}

/** From vermillion to blue, which every kind of colour vision tells apart. `share` in [0, 1]. */
function rewardColour(share: number): string {
  return `color-mix(in oklab, var(--chart-blue) ${Math.round(100 * share)}%, var(--chart-vermillion))`;
}
