/** How much each hidden state of the encoder counts (LayerwiseAttention of COMET), from the checkpoint's scalars. */

/** Weights of a softmax over `scores`; they sum to 1. */
export function softmaxOf(scores: readonly number[]): number[] {
  const highest = Math.max(...scores);
  const raised = scores.map((score) => Math.exp(score - highest));
  const sum = raised.reduce((total, value) => total + value, 0);
  return raised.map((value) => value / sum);
}

/**
 * Sparsemax (Martins and Astudillo 2016): the point of the simplex nearest to `scores`, max(0, score − τ) with τ such that all
 * sum to 1. τ = (Σ of the k largest − 1)/k, for the largest k whose k-th largest score exceeds it.
 */
export function sparsemaxOf(scores: readonly number[]): number[] {
  const sorted = [...scores].sort((a, b) => b - a);
  let [sum, threshold] = [0, 0];
  sorted.forEach((score, i) => {
    sum += score;
    if (1 + (i + 1) * score > sum) threshold = (sum - 1) / (i + 1);
  });
  return scores.map((score) => Math.max(0, score - threshold));
}
