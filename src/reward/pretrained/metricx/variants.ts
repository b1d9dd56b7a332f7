/** The published versions of MetricX, and how each has its input put together (metricx23/predict.py, metricx24/predict.py). */

import { resolve, sep } from "node:path";
import { UserError } from "../../../errors.js";
import type { RewardInput } from "../../reward.js";

export interface Variant {
  readonly needsReference: boolean;
  readonly needsSource: boolean;
  /** Tokens of an input at most, the end-of-sentence token that is dropped afterwards among them. */
  readonly maxLength: number;
  text(input: RewardInput): string;
}

export const VARIANTS = {
  "metricx-23": {
    needsReference: true,
    needsSource: false,
    maxLength: 1024,
    text: ({ candidate, reference }) => `candidate: ${candidate} reference: ${reference}`,
  },
  "metricx-23-qe": {
    needsReference: false,
    needsSource: true,
    maxLength: 1024,
    text: ({ source, candidate }) => `candidate: ${candidate} source: ${source}`,
  },
  "metricx-24": {
    needsReference: true,
    needsSource: true,
    maxLength: 1536,
    text: ({ source, candidate, reference }) =>
      `source: ${source} candidate: ${candidate} reference: ${reference}`,
  },
  "metricx-24-qe": {
    needsReference: false,
    needsSource: true,
    maxLength: 1536,
    text: ({ source, candidate }) => `source: ${source} candidate: ${candidate}`,
  },
} as const satisfies Record<string, Variant>;

export type VariantName = keyof typeof VARIANTS;

export const variantNames = Object.keys(VARIANTS) as VariantName[];

/**
 * The variant that a checkpoint is used as. Names as they are published say it: `metricx-23-qe-large-v2p0`, also as the cache
 * of Hugging Face has it (`models--google--metricx-…/snapshots/…`). One of 24 does with and without references, and is
 * used without unless `asked` is `metricx-24`.
 * @throws UserError where no name says it, `asked` is none of MetricX's, or both disagree.
 */
export function variantOf(folder: string, asked: string | undefined): VariantName {
  const wanted = variantNames.find((name) => name === asked);
  if (asked !== undefined && wanted === undefined)
    throw new UserError(`the variant "${asked}" is none of MetricX's: ${variantNames.join(", ")}.`, {
      file: folder,
    });
  const [found] = resolve(folder)
    .split(sep)
    .reverse()
    .flatMap((part) =>
      [/(?:^|--|_)(metricx-(?:23-qe|23|24))(?=$|-|_)/i.exec(part)?.[1]?.toLowerCase() ?? []].flat(),
    );
  const published = found === "metricx-24" ? "metricx-24-qe" : variantNames.find((name) => name === found);
  if (wanted === undefined && published === undefined)
    throw new UserError(
      `the folder's name does not say which MetricX this is. Name it as it was published (metricx-23-qe-large-v2p0), or give variant (--variant): ${variantNames.join(", ")}.`,
      { file: folder },
    );
  const both = (name: string) => name.startsWith("metricx-24");
  if (wanted && published && wanted !== published && !(both(wanted) && both(published)))
    throw new UserError(
      `the folder's name says ${published}, but the variant asked for is ${wanted}. Leave the variant out, or rename the folder if its name is wrong.`,
      { file: folder },
    );
  return wanted ?? published!;
}
