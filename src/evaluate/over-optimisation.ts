/**
 * Reward against the distance from the starting policy, in the forms of Gao et al. (2022, "Scaling laws for reward model
 * overoptimization"): with d = √KL, the gain of best-of-n is d(α − βd), that of reinforcement learning d(α − β ln d).
 */

/** A policy's place: d = √KL from the start, and its figure minus the start's. */
export interface GainPoint {
  distance: number;
  gain: number;
}

/** `best-of-n`: d(α − βd); `rl`: d(α − β ln d). Both are 0 at d = 0. */
export type GainForm = "best-of-n" | "rl";

export interface GainCurve {
  form: GainForm;
  alpha: number;
  beta: number;
  /** Where the curve is highest. */
  peak: GainPoint;
  /** The largest d of the points; a peak beyond it is extrapolated. */
  furthest: number;
}

/** A curve, or in a few words why the points decide none. */
export type GainFit = { curve: GainCurve } | { undecided: string };

/** Two numbers are fitted: with two points any curve passes through both. */
const FEWEST_POINTS = 3;

/** The form's two terms at d, so that the gain is α·first + β·second. */
const terms: Record<GainForm, (d: number) => [number, number]> = {
  "best-of-n": (d) => [d, -d * d],
  rl: (d) => [d, d === 0 ? 0 : -d * Math.log(d)],
};

/** The curve's gain at distance d. */
export function gainAt({ form, alpha, beta }: Pick<GainCurve, "form" | "alpha" | "beta">, d: number): number {
  const [first, second] = terms[form](d);
  return alpha * first + beta * second;
}

/**
 * Least squares in α and β. Points at d = 0 fit any curve and do not count; nor do those with a figure that is no number.
 * A curve whose β is not above 0 never turns down, and one whose gain does not rise first has no peak: both are undecided.
 *
 *     fitGain([{ distance: 1, gain: 3 }, { distance: 2, gain: 4 }, { distance: 3, gain: 3 }], "best-of-n")
 *     // α 4, β 1: d(4 − d), its peak at d = 2
 */
export function fitGain(points: readonly GainPoint[], form: GainForm): GainFit {
  const used = points.filter(({ distance, gain }) => distance > 0 && Number.isFinite(distance + gain));
  const places = new Set(used.map(({ distance }) => distance));
  if (places.size < FEWEST_POINTS)
    return { undecided: `${places.size} of at least ${FEWEST_POINTS} places away from the start` };
  let [aa, ab, bb, ay, by] = [0, 0, 0, 0, 0];
  for (const { distance, gain } of used) {
    const [a, b] = terms[form](distance);
    aa += a * a;
    ab += a * b;
    bb += b * b;
    ay += a * gain;
    by += b * gain;
  }
  const determinant = aa * bb - ab * ab;
  // Terms that go together cannot be told apart: 1 − r² of the two is no more than rounding.
  if (determinant < 1e-10 * aa * bb) return { undecided: "the places lie too close together" };
  const alpha = (bb * ay - ab * by) / determinant;
  const beta = (aa * by - ab * ay) / determinant;
  if (!(beta > 0)) return { undecided: "the fitted curve does not turn down" };
  const peak = peakOf(form, alpha, beta);
  if (!(peak.distance > 0)) return { undecided: "the fitted curve only falls" };
  return { curve: { form, alpha, beta, peak, furthest: Math.max(...places) } };
}

/**
 * Where the derivative is 0. Best-of-n: α − 2βd, so d* = α/2β and a gain of α²/4β. RL: α − β − β ln d, so
 * d* = e^(α/β − 1) and a gain of βd*.
 */
function peakOf(form: GainForm, alpha: number, beta: number): GainPoint {
  if (form === "best-of-n") return { distance: alpha / (2 * beta), gain: alpha ** 2 / (4 * beta) };
  const distance = Math.exp(alpha / beta - 1);
  return { distance, gain: beta * distance };
}
