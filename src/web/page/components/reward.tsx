/** A reward as a bar with its number on the 0 to 100 scale; the number alone says it too. */

import { rewardPoints } from "../../../report/format.js";

export function Reward({ value }: { value: number | null }) {
  if (value === null)
    return (
      <span class="reward faint" title="not scored yet">
        –
      </span>
    );
  return (
    <span class="reward">
      <svg class="reward-bar" width="48" height="8" aria-hidden="true">
        <rect class="track" width="48" height="8" rx="2" />
        <rect width={48 * value} height="8" rx="2" style={{ fill: rewardColour(value) }} />
      </svg>
      <span>{rewardPoints(value)}</span>
    </span>
  );
}

/** From vermillion to blue, which every kind of colour vision tells apart. `value` in [0, 1]. */
export function rewardColour(value: number): string {
  return `color-mix(in oklab, var(--chart-blue) ${Math.round(100 * value)}%, var(--chart-vermillion))`;
}
