/**
 * Damaged files of others: each is read, or refused in one sentence; none crashes, hangs or fills the memory.
 *
 *     COPPICE_MUTATIONS=10000 npx vitest run test/foreign-readers.test.ts
 *
 * tries 10,000 of each; without it fewer, as told in foreign-readers.ts. What is tried is the same each time.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readPairs } from "../src/data/read.js";
import { UserError } from "../src/errors.js";
import type { ForeignReader } from "./foreign-reader.js";
import { foreignReaders } from "./foreign-readers.js";
import { mutations, textMutations } from "./mutations.js";
import { closeParquetReader, parquetDeaths } from "./parquet-many.js";

const ASKED = Number(process.env.COPPICE_MUTATIONS ?? 0);
/** Numbers and buffers for one file: so many times its size, beside what a reader has at hand for any file. */
const [MOST_TIMES, MOST_BYTES] = [100, 64 << 20];
/** Kilobytes that the process grows by for one file, whatever for: garbage of the files before it is among them. */
const MOST_PEAK = 1_000_000;
/** Processor seconds for one file of some kilobytes, on any machine. */
const MOST_SECONDS = 20;

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "coppice-readers-"));
});
afterAll(() => {
  if (ASKED) console.log(`DuckDB has ended its process ${parquetDeaths()} times`);
  closeParquetReader();
  rmSync(home, { recursive: true });
});

function* damaged({ seeds, text }: ForeignReader, count: number): Generator<Uint8Array> {
  const ways = text ? [mutations, wordByWord] : [mutations];
  const each = Math.ceil(count / (seeds.length * ways.length));
  for (const seed of seeds) for (const way of ways) yield* way(seed, each, 31);
}

function wordByWord(bytes: Uint8Array, count: number, seed: number): Generator<Uint8Array> {
  return textMutations(Buffer.from(bytes).toString("utf8"), count, seed);
}

/** What is wrong with how a reader took a file; undefined where nothing is. */
async function trouble(
  reader: ForeignReader,
  { path, folder, size }: { path: string; folder: string; size: number },
): Promise<string | undefined> {
  const [cpu, memory] = [process.cpuUsage(), process.memoryUsage().arrayBuffers];
  const peak = process.resourceUsage().maxRSS;
  let refusal: unknown;
  try {
    await reader.read(path, folder);
  } catch (error) {
    refusal = error;
  }
  const { user, system } = process.cpuUsage(cpu);
  const grown = process.memoryUsage().arrayBuffers - memory;
  if ((user + system) / 1e6 > MOST_SECONDS) return `took ${(user + system) / 1e6} seconds of processor time`;
  if (grown > MOST_TIMES * size + MOST_BYTES) return `took ${grown} bytes`;
  const higher = process.resourceUsage().maxRSS - peak;
  if (higher > MOST_PEAK) return `took ${higher} kilobytes for a while`;
  if (refusal === undefined) return undefined;
  if (!(refusal instanceof UserError))
    return `threw ${refusal instanceof Error ? refusal.stack : String(refusal)}`;
  // A control character would act on the terminal that shows the sentence.
  return /^[^\p{Cc}\p{Zl}\p{Zp}]{10,2000}$/u.test(refusal.message)
    ? undefined
    : `said ${JSON.stringify(refusal.message)}`;
}

test.each(foreignReaders)("damaged $name", { timeout: 3_600_000 }, async (reader) => {
  const folder = join(home, String(foreignReaders.indexOf(reader)), "folder");
  mkdirSync(folder, { recursive: true });
  reader.prepare?.(folder);
  const path = join(folder, reader.file);
  for (const seed of reader.seeds) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, seed);
    await reader.read(path, folder);
  }
  const troubles = [];
  let at = 0;
  for (const bytes of damaged(reader, ASKED || reader.gate)) {
    writeFileSync(path, bytes);
    const found = await trouble(reader, { path, folder, size: bytes.length });
    if (found !== undefined) troubles.push(`copy ${at} ${found.replaceAll(folder, "…")}`);
    at++;
    if (troubles.length === 5) break;
  }
  expect(troubles).toEqual([]);
});

test("a Parquet file that makes DuckDB crash is a damaged file", { timeout: 60_000 }, async () => {
  const path = join(home, "crash.parquet");
  const plain = foreignReaders.find(({ name }) => name === "Parquet")!.seeds.at(-1)!;
  // The 2,706th of these ends DuckDB 1.5.6's process by a segmentation fault.
  let worst: Uint8Array = plain;
  for (const bytes of mutations(plain, 2706, 9)) worst = bytes;
  writeFileSync(path, worst);
  await expect(readPairs(path)).rejects.toThrow(UserError);
  await expect(readPairs(path)).rejects.toThrow(/the Parquet file is damaged or cut off \(/);
});
