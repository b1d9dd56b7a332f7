/** Learning rate as a function of the step, and of nothing else, so that a restart needs only the step. */

interface WarmUp {
  /** Learning rate at the end of the warm-up, the highest there is. */
  readonly peak: number;
  /** Steps over which the rate rises in a straight line from 0. 0: none. */
  readonly warmup: number;
}

/**
 * How the learning rate moves after the warm-up. `steps` is the length of training, warm-up included; from there on
 * the rate of `linear` and `cosine` is 0.
 */
export type Schedule =
  | (WarmUp & { readonly kind: "constant" })
  | (WarmUp & { readonly kind: "linear"; readonly steps: number })
  | (WarmUp & { readonly kind: "cosine"; readonly steps: number })
  | (WarmUp & { readonly kind: "inverse-square-root" });

/** Stands in for the warm-up in `inverse-square-root` where there is none: Transformers' default time scale. */
const TIME_SCALE_WITHOUT_WARMUP = 10_000;

/**
 * The learning rate at `step` (0 or more). Equal to Transformers' `get_*_schedule` up to `steps`, where the first
 * update has step 0 and so, with a warm-up, a rate of 0: pass updates done + 1 if the first is to change something.
 */
export function learningRateAt(schedule: Schedule, step: number): number {
  const { peak, warmup } = schedule;
  if (step < warmup) return (peak * step) / warmup;
  switch (schedule.kind) {
    case "constant":
      return peak;
    case "linear":
      return peak * (1 - progress(schedule, step));
    case "cosine":
      return peak * 0.5 * (1 + Math.cos(Math.PI * progress(schedule, step)));
    case "inverse-square-root": {
      // peak · √(warmup / step): continuous at the end of the warm-up.
      const scale = warmup || TIME_SCALE_WITHOUT_WARMUP;
      return peak / Math.sqrt((step - warmup + scale) / scale);
    }
  }
}

/** The share of the way from the end of the warm-up to the last step, in [0, 1]. */
function progress({ warmup, steps }: WarmUp & { readonly steps: number }, step: number): number {
  return Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
}
