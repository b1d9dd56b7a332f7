/** What the estimator sees of the vectors of a translation, its source and its reference. */

import type { CometKind } from "./settings.js";

/** Vectors that the estimator's input is made of, each as wide as the encoder. */
const PARTS: Readonly<Record<CometKind, number>> = { unified: 1, referenceless: 4, regression: 6 };

/** Width of the estimator's input. */
export function featureWidth(kind: CometKind, width: number): number {
  return PARTS[kind] * width;
}

/**
 * Writes one input of the estimator to `into`. `vectors` are those of the input's sequences, in order: of a unified model the
 * one; else mt, src and, of a regression, ref.
 *
 * referenceless: [mt; src; mt⊙src; |mt − src|]; regression: [mt; ref; mt⊙ref; |mt − ref|; mt⊙src; |mt − src|].
 */
export function writeFeatures(kind: CometKind, vectors: readonly Float32Array[], into: Float32Array): void {
  const [mt, src, ref] = vectors;
  let at = 0;
  const put = (part: Float32Array) => {
    into.set(part, at);
    at += part.length;
  };
  const compare = (other: Float32Array) => {
    put(mt!.map((x, i) => x * other[i]!));
    put(mt!.map((x, i) => Math.abs(x - other[i]!)));
  };
  put(mt!);
  if (kind === "unified") return;
  if (kind === "referenceless") {
    put(src!);
    compare(src!);
    return;
  }
  put(ref!);
  compare(ref!);
  compare(src!);
}
