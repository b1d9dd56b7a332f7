/** The policies that a run has trained, by name. */
import { UserError } from "../errors.js";
import type { Manifest } from "../store/manifest.js";
import { parsePolicyName } from "./names.js";

/** In the order in which they were trained, controls among them. */
export function policiesOf(manifest: Manifest): string[] {
  return manifest.steps.map(({ name }) => name).filter((name) => parsePolicyName(name) !== undefined);
}

/** `asked`, or the last policy of the main line. Throws a UserError where the run does not have it. */
export function onePolicy(manifest: Manifest, asked: string | undefined): string {
  const trained = policiesOf(manifest);
  const name = asked ?? trained.findLast((one) => !parsePolicyName(one)?.control);
  if (name !== undefined && trained.includes(name)) return name;
  throw new UserError(
    asked === undefined
      ? `this run has no policy yet. Train one with: coppice run ${manifest.folder}`
      : `the run has no policy ${asked}. It has ${trained.join(", ") || "none yet"}.`,
    { file: manifest.folder },
  );
}
