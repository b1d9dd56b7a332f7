/** Workers with a run folder each, and a store between them. */

import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { resolveConfig } from "../../src/rest/config.js";
import { BC } from "../../src/rest/names.js";
import { withFinished, withRun } from "../../src/rest/run.js";
import { growShard } from "../../src/rest/shard.js";
import { candidateIdentity } from "../../src/rest/share.js";
import { evaluatePolicy } from "../../src/rest/steps/evaluate.js";
import { type ShardResult, sampleCandidates, sampleShard } from "../../src/rest/steps/grow.js";
import { imitate } from "../../src/rest/steps/imitate.js";
import { prepare } from "../../src/rest/steps/prepare.js";
import type { Shard } from "../../src/rest/steps/shared-parts.js";
import { shortest, tinyRun, writeConfig } from "./tiny-run.js";

/** 250 sources to train on: three files. */
const SOURCES_A_PART = 100;
const NAMES = ["part-000000-000099.parquet", "part-000100-000199.parquet", "part-000200-000249.parquet"];

const dirs: string[] = [];
let start: string;
let whole: Buffer;
/** What three shares have left in a store, and in their own folders. */
let made: string;
const workers: string[] = [];
const results: ShardResult[] = [];
beforeAll(async () => {
  start = await begun();
  const one = copyOfStart("one");
  await gather(one, null);
  whole = candidates(one);
  made = newStore();
  for (const number of [3, 1, 2]) {
    workers[number] = copyOfStart("worker");
    results.push(await work(workers[number], made, share(number, 3)));
  }
}, 120_000);
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

/** A run whose first Grow step is due. */
async function begun(over: Parameters<typeof tinyRun>[0] = {}): Promise<string> {
  const dir = tinyRun({ ...shortest, ...over });
  dirs.push(dir);
  await withRun({ dir }, async (run) => {
    await prepare(run);
    await imitate(run);
    await evaluatePolicy(run, BC);
  });
  return dir;
}

let copies = 0;
function copyOfStart(name: string): string {
  const dir = `${start}-${name}-${copies++}`;
  dirs.push(dir);
  cpSync(start, dir, { recursive: true });
  return dir;
}

function newStore(): string {
  const dir = `${start}-store-${copies++}`;
  dirs.push(dir);
  return dir;
}

/** A store of its own with those of the made parts. */
function storeWith(...parts: number[]): string {
  const store = newStore();
  mkdirSync(join(store, "grow-1"), { recursive: true });
  for (const part of parts)
    copyFileSync(join(made, "grow-1", NAMES[part]!), join(store, "grow-1", NAMES[part]!));
  return store;
}

const candidates = (dir: string) => readFileSync(join(dir, "grow-1/candidates.parquet"));
const inFolder = (dir: string) =>
  existsSync(join(dir, "grow-1")) ? readdirSync(join(dir, "grow-1")).sort() : [];

const work = (dir: string, store: string, shard: Shard) =>
  withFinished({ dir }, (run) => sampleShard(run, BC, 1, shard, { store, sourcesAPart: SOURCES_A_PART }));

/** Puts the Grow step together; what it said. */
async function gather(dir: string, store: string | null): Promise<string[]> {
  const said: string[] = [];
  writeConfig(dir, { ...shortest, grow: { store } });
  const progress = () => ({ update: () => {}, finish: () => {} });
  const reporter = { note: (sentence: string) => said.push(sentence), progress };
  await withRun({ dir, reporter }, (run) => sampleCandidates(run, BC, 1, SOURCES_A_PART));
  return said;
}

const share = (number: number, of: number): Shard => ({ number, of });

describe("workers that share a store", () => {
  test("leave there what comes to the bytes of one process, wherever it is put together", async () => {
    expect(results.map(({ parts, allParts, missing }) => [parts, allParts, missing])).toEqual([
      [1, 3, 2],
      [1, 3, 1],
      [1, 3, 0],
    ]);
    expect(inFolder(made)).toEqual(NAMES);
    const home = copyOfStart("home");
    expect(await gather(home, made)).toContain("Grow 1: the store has 3 of 3 files.");
    expect(candidates(home).equals(whole)).toBe(true);
    expect(inFolder(home)).toEqual(["candidates.parquet"]);
    expect(inFolder(made)).toEqual(NAMES);
  });

  test("do not sample what is there, on whatever machine they begin again", async () => {
    const store = storeWith(0, 2);
    const before = inFolder(store).map((name) => statSync(join(store, "grow-1", name)).mtimeMs);
    const again = copyOfStart("again");
    expect(await work(again, store, share(1, 2))).toMatchObject({ parts: 2, missing: 1 });
    expect(inFolder(again)).toEqual([]);
    expect(inFolder(store).map((name) => statSync(join(store, "grow-1", name)).mtimeMs)).toEqual(before);
  });

  test("send what they had sampled when they were killed before it was sent", async () => {
    const store = newStore();
    const own = join(workers[2]!, "grow-1", NAMES[1]!);
    const { mtimeMs } = statSync(own);
    await work(workers[2]!, store, share(2, 3));
    expect(inFolder(store)).toEqual([NAMES[1]]);
    expect(statSync(own).mtimeMs).toBe(mtimeMs);
    const sent = (dir: string) => readFileSync(join(dir, "grow-1", NAMES[1]!));
    expect(sent(store).equals(sent(made))).toBe(true);
  });

  test("may be the same twice, or of different counts: the same bytes come of it", async () => {
    const store = newStore();
    const both = [1, 2].map(() => work(copyOfStart("twin"), store, share(1, 2)));
    await Promise.all([...both, work(copyOfStart("other"), store, share(2, 3))]);
    expect(inFolder(store)).toEqual(NAMES);
    const home = copyOfStart("home");
    await gather(home, store);
    expect(candidates(home).equals(whole)).toBe(true);
  });

  test("are named where they have not come, and what they lack is sampled where it is put together", async () => {
    const store = storeWith(0);
    const home = copyOfStart("home");
    expect(await gather(home, store)).toContain(
      "Grow 1: the store has 1 of 3 files; missing there: 2 files of share 2/3, 3/3. " +
        "What neither has is sampled here, unless it comes meanwhile.",
    );
    expect(candidates(home).equals(whole)).toBe(true);
    // For those that are late.
    expect(inFolder(store)).toEqual(NAMES);
  });
});

describe("parts in a store that are not this run's", () => {
  async function refused(store: string): Promise<string> {
    const before = inFolder(store).map((name) =>
      readFileSync(join(store, "grow-1", name)).toString("base64"),
    );
    const dir = copyOfStart("refused");
    const failures = await Promise.all(
      [work(dir, store, share(1, 1)), gather(copyOfStart("home"), store)].map((one) =>
        one.then(
          () => "nothing",
          (error: Error) => `${error.name}: ${error.message.replace(/-home-\d+|-refused-\d+/, "")}`,
        ),
      ),
    );
    expect(failures[0]).toBe(failures[1]);
    expect(inFolder(dir)).toEqual([]);
    expect(
      inFolder(store).map((name) => readFileSync(join(store, "grow-1", name)).toString("base64")),
    ).toEqual(before);
    return failures[0]!;
  }

  test("of another configuration", async () => {
    const store = newStore();
    const other = await begun({ grow: { samples: 3 } });
    await work(other, store, share(1, 3));
    expect(await refused(store)).toMatch(
      /^UserError: \S+part-000000-000099\.parquet: these candidates belong to run \w{16}, but \S+ is run \w{16}\. Give this run a grow\.store of its own, or remove what lies there\.$/,
    );
  });

  test("of the same configuration with other data, and so another policy", async () => {
    const store = newStore();
    const other = tinyRun(shortest);
    dirs.push(other);
    const pairs = join(other, "pairs.tsv");
    writeFileSync(pairs, readFileSync(pairs, "utf8").split("\n").reverse().join("\n").trimStart());
    await withRun({ dir: other }, async (run) => {
      await prepare(run);
      await imitate(run);
      await evaluatePolicy(run, BC);
    });
    await work(other, store, share(1, 3));
    expect(await refused(store)).toContain(
      "were sampled from another policy, other data or other keys of grow",
    );
    // Nor where the store was cleared, and the part lies in a folder that the run was copied over.
    const over = copyOfStart("over");
    cpSync(join(other, "grow-1", NAMES[0]!), join(over, "grow-1", NAMES[0]!));
    const cleared = newStore();
    const said = /grow-1\/part-000000-000099\.parquet: .* than the run has now\. Delete the file and run/;
    await expect(work(over, cleared, share(1, 3))).rejects.toThrow(said);
    await expect(gather(over, made)).rejects.toThrow(said);
    expect(inFolder(cleared)).toEqual([]);
  });

  test("of no run that put them there", async () => {
    const alone = copyOfStart("alone");
    await withFinished({ dir: alone }, (run) =>
      sampleShard(run, BC, 1, share(1, 3), { sourcesAPart: SOURCES_A_PART }),
    );
    const store = storeWith(0);
    copyFileSync(join(alone, "grow-1", NAMES[0]!), join(store, "grow-1", NAMES[0]!));
    expect(await refused(store)).toContain("were sampled from another policy");
  });

  test("are left to whoever takes them: a worker looks at its own", async () => {
    const store = storeWith(0, 1);
    writeFileSync(join(store, "grow-1", NAMES[1]!), "PAR1");
    expect(await work(copyOfStart("other"), store, share(1, 3))).toMatchObject({ parts: 1, missing: 1 });
    await expect(gather(copyOfStart("home"), store)).rejects.toThrow(
      "this is not a whole Parquet file. Remove it",
    );
  });

  test("cut short", async () => {
    const store = storeWith(0);
    writeFileSync(join(store, "grow-1", NAMES[0]!), "PAR1");
    expect(await refused(store)).toContain("this is not a whole Parquet file. Remove it");
  });
});

test("a store that cannot be asked is known before a policy is trained", async () => {
  const dir = tinyRun({ ...shortest, grow: { store: "s3://bucket/x" } });
  dirs.push(dir);
  vi.stubEnv("COPPICE_HTTPFS", join(dir, "httpfs.duckdb_extension"));
  await expect(withRun({ dir }, prepare)).rejects.toThrow("COPPICE_HTTPFS does not name an extension");
  vi.unstubAllEnvs();
  expect(readdirSync(dir).sort()).toEqual(["coppice.yaml", "pairs.tsv"]);
});

test("a store is no part of what a run is known by", () => {
  const known = (grow: object) => candidateIdentity(resolveConfig({ data: { train: ["pairs.tsv"] }, grow }));
  expect(known({ store: "s3://bucket/x" })).toEqual(known({}));
  expect(known({})).not.toHaveProperty("grow.store");
});

test("a store that is named after the first policy was trained undoes nothing, and shares take it as it is", async () => {
  const dir = copyOfStart("late");
  const store = newStore();
  writeConfig(dir, { ...shortest, grow: { store } });
  expect(await growShard({ dir }, share(1, 1))).toMatchObject({ grow: 1, policy: BC, parts: 1, missing: 0 });
  expect(inFolder(store)).toEqual(["part-000000-000249.parquet"]);
  await withRun({ dir }, async (run) => {
    expect(run.manifest.isDone(BC)).toBe(true);
  });
  await expect(
    (async () => {
      writeConfig(dir, { ...shortest, grow: { store, samples: 5 } });
      await growShard({ dir }, share(1, 1));
    })(),
  ).rejects.toThrow("it was changed since the last step");
});
