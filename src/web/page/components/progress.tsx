/** What the run does at this moment: a bar, how fast it goes and how long it will take. */

import { count, duration } from "../../../report/format.js";
import type { Live } from "../../protocol.js";

export function Progress({ live: { step, progress, said } }: { live: Live }) {
  const share = progress && progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
  return (
    <section class="now" aria-label="What happens now" data-testid="now">
      <p class="now-label">
        <strong>{progress?.label ?? step ?? "Between two steps"}</strong>
        {progress && (
          <span class="faint">
            {count(progress.done)} of {count(progress.total)} {progress.unit}
          </span>
        )}
      </p>
      {progress && (
        <>
          <progress
            max={1}
            value={share}
            aria-label={progress.label}
            data-testid="progress"
          >{`${Math.floor(100 * share)} %`}</progress>
          <p class="now-facts">
            <span data-testid="share">{Math.floor(100 * share)} %</span>
            {progress.perSecond > 0 && <span data-testid="rate">{speed(progress.perSecond)} a second</span>}
            {progress.secondsLeft !== null && (
              <span data-testid="time-left">{duration(progress.secondsLeft)} left of this step</span>
            )}
            {progress.detail !== "" && <span>{progress.detail}</span>}
          </p>
        </>
      )}
      {said !== null && <p class="note said">{said}</p>}
    </section>
  );
}

const speed = (value: number) => (value < 10 ? value.toFixed(1) : count(value));
