/** The published checkpoints of COMET that are read here: what each is, on which scale it scores, and its licence. */

import { resolve } from "node:path";
import { UserError } from "../../../errors.js";
import { withinUnit } from "../ask.js";
import type { Scale } from "../family.js";
import type { CometKind } from "./settings.js";

export interface Variant {
  /** The class of the published checkpoint; undefined for models of one's own. */
  readonly kind: CometKind | undefined;
  readonly scale: Scale;
  readonly licence: string;
  /** How its layers are mixed, where older copies of its files say it wrongly (settings.ts). */
  readonly mixture?: "softmax";
}

const APACHE = "Apache-2.0";
const NON_COMMERCIAL = "CC-BY-NC-SA-4.0 (not for commercial use; access by request on the Hugging Face Hub)";
const OWN = "as its authors say";

/**
 * Licences: LICENSE.models.md of COMET ("all models released before version 2.0 are licensed under Apache 2.0") and the model
 * cards. Scales: METRICS.md and MODELS.md there.
 */
const VARIANTS = {
  "wmt22-cometkiwi-da": { kind: "unified", scale: "unit", licence: NON_COMMERCIAL, mixture: "softmax" },
  "wmt20-comet-qe-da-v2": { kind: "referenceless", scale: "z", licence: APACHE },
  "wmt20-comet-qe-da": { kind: "referenceless", scale: "z", licence: APACHE },
  "wmt21-comet-qe-da": { kind: "referenceless", scale: "z", licence: APACHE },
  "wmt21-comet-qe-mqm": { kind: "referenceless", scale: "z", licence: APACHE },
  "wmt22-comet-da": { kind: "regression", scale: "unit", licence: APACHE },
  "wmt20-comet-da": { kind: "regression", scale: "z", licence: APACHE },
  "wmt21-comet-da": { kind: "regression", scale: "z", licence: APACHE },
  "wmt21-comet-mqm": { kind: "regression", scale: "z", licence: APACHE },
  "comet-unit": { kind: undefined, scale: "unit", licence: OWN },
  "comet-z": { kind: undefined, scale: "z", licence: OWN },
} as const satisfies Record<string, Variant>;

export type VariantName = keyof typeof VARIANTS;

export const variantNames = Object.keys(VARIANTS) as VariantName[];

/** Those that are named by a published model; the last two are for checkpoints of one's own. */
const published = variantNames.filter((name) => VARIANTS[name].kind !== undefined);

export function variantFacts(name: VariantName): Variant {
  return VARIANTS[name];
}

/**
 * The variant that is asked for or, where none is, the one whose name the folder's path has: `wmt22-cometkiwi-da`, or the Hub's
 * cache with `models--Unbabel--wmt22-cometkiwi-da`.
 *
 * @throws UserError where the variant is none of COMET's, the path says nothing, or both name different models.
 */
export function variantOf(folder: string, given: string | undefined): VariantName {
  const wanted = variantNames.find((name) => name === given);
  if (given !== undefined && !wanted)
    throw new UserError(`"${given}" is no variant of COMET; it must be one of ${variantNames.join(", ")}.`, {
      file: folder,
    });
  const found = nameInPath(folder);
  if (wanted && found && published.includes(wanted) && wanted !== found)
    throw new UserError(
      `the folder's name says ${found}, but the variant asked for is ${wanted}. Leave the variant out, or rename the folder if its name is wrong.`,
      { file: folder },
    );
  const variant = wanted ?? found;
  if (variant) return variant;
  throw new UserError(
    `the folder's name says no COMET model. Give its variant (--variant): ${published.join(", ")}, or for a model of your own comet-unit (scores about 0 to 1) or comet-z (standardised scores).`,
    { file: folder },
  );
}

function nameInPath(folder: string): VariantName | undefined {
  for (const part of resolve(folder).split(/[\\/]/).reverse()) {
    const name = part.split("--").at(-1);
    const found = published.find((variant) => variant === name);
    if (found) return found;
  }
  return undefined;
}

/** Slope at which a logistic curve lies closest to the normal distribution's, within 0.01 everywhere. */
const NORMAL_SLOPE = 1.702;

/**
 * A raw score as a reward in [0, 1]. Scores on the unit scale are cut at its ends. A standardised score becomes, by a logistic
 * curve, the share of translations that a rater would have put below one of that score, were ratings normally distributed; the
 * curve, unlike a cut, keeps all of the order.
 */
export function rewardOf(raw: number, scale: Scale): number {
  return scale === "unit" ? withinUnit(raw) : 1 / (1 + Math.exp(-NORMAL_SLOPE * raw));
}
