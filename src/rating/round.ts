/** A round of ratings as it lies in `RUN/ratings/rounds/ID.json`: every text that is shown, and who wrote it. */

import { lstatSync, realpathSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { writeJsonAtomic } from "../store/atomic.js";
import { runFolder } from "../store/run-folder.js";

const Output = z.strictObject({
  text: z.string(),
  /** The policies that wrote it; `human` or `damaged:KIND` in a check. */
  writers: z.array(z.string().min(1)).min(1),
  /** In [0, 1]; null where the reward was not asked. */
  reward: z.number().nullable(),
});

const Item = z.strictObject({
  /** `repeat` shows an earlier item again; `check` shows damaged translations beside the human one. */
  kind: z.enum(["item", "repeat", "check"]),
  /** Place of the source in the evaluated part, from 0: an item and its repeat have the same. */
  sourceId: z.int().nonnegative(),
  source: z.string(),
  reference: z.string(),
  outputs: z.array(Output).min(1),
});

const Round = z.strictObject({
  format: z.literal(1),
  /** Follows from all of the content but the time. */
  id: z.string().regex(/^[0-9a-f]{12}$/),
  /** ISO 8601. */
  createdAt: z.string(),
  seed: z.int().nonnegative(),
  policies: z.array(z.string()).min(1),
  /** In the order in which they are shown. */
  items: z.array(Item).min(1),
});

export type Output = z.infer<typeof Output>;
export type Item = z.infer<typeof Item>;
export type Round = z.infer<typeof Round>;

/** Where the ratings of a run lie. Throws a UserError where a link leads one of them elsewhere. */
export function ratingsFolder(dir: string): { rounds: string; log: string; imported: string } {
  const { root, inside } = runFolder(dir);
  const own = (path: string) => {
    const full = inside(path);
    const real = realPath(full);
    // A run folder may come from somebody else: ratings must not be written into another file of this machine.
    if (real !== undefined && real !== join(realPath(root) ?? root, path))
      throw new UserError(
        "this leads out of the run folder by a link. Put the ratings themselves in its place.",
        {
          file: full,
        },
      );
    return full;
  };
  own("ratings");
  return {
    rounds: own("ratings/rounds"),
    log: own("ratings/ratings.jsonl"),
    imported: own("ratings/imported.jsonl"),
  };
}

/** Without links; undefined where nothing is there, save for a link that leads nowhere: its own path would be written through. */
function realPath(path: string): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    return realpathSync(path);
  } catch {
    return "";
  }
}

/** Stores a planned round, or finds the same one where it is stored already. */
export async function storeRound(dir: string, plan: Omit<Round, "createdAt">): Promise<Round> {
  const known = (await readRounds(dir)).find(({ id }) => id === plan.id);
  if (known) return known;
  const round: Round = { ...plan, createdAt: new Date().toISOString() };
  await writeJsonAtomic(join(ratingsFolder(dir).rounds, `${round.id}.json`), round);
  return round;
}

/** All rounds of a run, the oldest first. Throws a UserError naming a file that is no round. */
export async function readRounds(dir: string): Promise<Round[]> {
  const { rounds: folder } = ratingsFolder(dir);
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  });
  const files = names.filter((name) => /^[0-9a-f]{12}\.json$/.test(name)).map((name) => join(folder, name));
  const rounds = await Promise.all(files.map(readRound));
  return rounds.sort((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0));
}

async function readRound(file: string): Promise<Round> {
  const text = await readFile(file, "utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below: `undefined` is no round.
  }
  const parsed = Round.safeParse(value);
  if (parsed.success) return parsed.data;
  const key = parsed.error.issues[0]?.path.join(".") || "the whole file";
  throw new UserError(
    `this is not a round of ratings as Coppice writes it (${key}). Put the file back from a copy, or move it away.`,
    { file },
  );
}
