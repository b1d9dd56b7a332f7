/** The online methods by name; the worker opens this module and makes the loss of the one it is told. */

import { extname } from "node:path";
import type { Loss, LossRequest } from "../policy/loss.js";
import type { OnlineMethodName } from "../rest/names.js";
import type { OnlineMethod } from "./method.js";
import { ppo } from "./ppo.js";
import { rloo } from "./rloo.js";

const methods = { ppo, rloo } as const satisfies Record<OnlineMethodName, unknown>;

/** The method of that name; its options are those of the configuration's group of the same name. */
export function onlineMethod(name: OnlineMethodName): OnlineMethod<unknown> {
  // Each method knows its own options, and the schema gives each method the group of its name.
  return methods[name] as OnlineMethod<unknown>;
}

/** What the worker is told. */
export function onlineLoss(name: OnlineMethodName, options: unknown): LossRequest {
  const module = new URL(`./methods${extname(import.meta.url)}`, import.meta.url).href;
  return { module, name, options };
}

export default function make(name: OnlineMethodName, options: unknown): Loss {
  return onlineMethod(name).loss(options);
}
