/** Files that a run reads from outside its folder, known by their content: another content is another run. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { z } from "zod";

export const InputFile = z.strictObject({
  /** The configuration key that names it; what depends on the key depends on the file. */
  key: z.string().min(1),
  /** As the configuration has it, so that a run that is moved with its data is the same run. */
  path: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().nonnegative(),
  /** Milliseconds since 1970: when the system last saw the file change, and when it was hashed. */
  time: z.strictObject({ changed: z.number(), hashed: z.number() }),
});
export type InputFile = z.infer<typeof InputFile>;

/** Where an input lies. */
export interface InputPlace {
  readonly key: string;
  readonly path: string;
  /** The path from anywhere. */
  readonly file: string;
}

/** Within this time of a change a file may change again without the clock of the file system showing it. */
const CLOCK_TICK = 2000;

/**
 * Every input that is there or once was, with the hash of its content. A file of the size and time of change that `known` has is not
 * read again: unlike the time of modification, programs cannot set that time. One that is gone stays as it was known: the
 * run holds what was made of it.
 */
export async function inputFiles(
  places: readonly InputPlace[],
  known: readonly InputFile[] = [],
): Promise<InputFile[]> {
  const found: InputFile[] = [];
  for (const { key, path, file } of places) {
    const facts = await stat(file).catch(() => undefined);
    const before = known.find((input) => input.key === key && input.path === path);
    if (!facts?.isFile()) {
      if (before) found.push(before);
      continue;
    }
    const untouched =
      before !== undefined &&
      before.bytes === facts.size &&
      before.time.changed === facts.ctimeMs &&
      before.time.hashed - before.time.changed > CLOCK_TICK;
    if (untouched) found.push(before);
    else
      found.push({
        key,
        path,
        sha256: await sha256(file),
        bytes: facts.size,
        time: { changed: facts.ctimeMs, hashed: Date.now() },
      });
  }
  return found;
}

/** The files of `now` whose content is another than `was` has; one that `was` does not know is none. */
export function changedInputs(was: readonly InputFile[], now: readonly InputFile[]): InputFile[] {
  return now.filter(({ key, path, sha256 }) =>
    was.some((input) => input.key === key && input.path === path && input.sha256 !== sha256),
  );
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
