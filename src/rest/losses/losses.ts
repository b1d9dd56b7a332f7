/** The losses of an Improve step by name; the worker opens this module and makes the one it is told. */

import { extname } from "node:path";
import type { Loss, LossRequest } from "../../policy/loss.js";
import { bc } from "./bc.js";
import { bvmpo } from "./bvmpo.js";
import { gold } from "./gold.js";
import type { ImproveLoss } from "./loss.js";
import type { LossName } from "./names.js";
import { oac } from "./oac.js";
import { rwr } from "./rwr.js";

const losses = { bc, gold, bvmpo, oac, rwr } as const satisfies Record<LossName, unknown>;

/** The loss of that name; its options are those of the configuration's group of the same name. */
export function improveLoss(name: LossName): ImproveLoss<unknown> {
  // Each loss knows its own options, and the schema gives each loss the group of its name.
  return losses[name] as ImproveLoss<unknown>;
}

/** What the worker is told. */
export function lossRequest(name: LossName, options: unknown): LossRequest {
  const module = new URL(`./losses${extname(import.meta.url)}`, import.meta.url).href;
  return { module, name, options };
}

export default function make(name: LossName, options: unknown): Loss {
  return improveLoss(name).make(options);
}
