/** 10,000 damaged files of PyTorch: each is read, or refused in one sentence, in memory of the file's size. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import type { TensorReader } from "../../src/model/safetensors.js";
import { openTorchFile, openTrainingCheckpoint, readTorchFile } from "../../src/model/torch-file.js";
import { mutations } from "../mutations.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/torch/", import.meta.url));
/** Files under way at once: most of the time goes into opening them. */
const AT_ONCE = 16;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-damage-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bytes of the memory that arrays look into; what several share counts once. */
function memoryOf(arrays: readonly { readonly buffer: ArrayBufferLike }[]): number {
  const buffers = new Set(arrays.map(({ buffer }) => buffer));
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

async function whole(file: string): Promise<number> {
  return memoryOf([...(await readTorchFile(file)).values()].map(({ data }) => data));
}

/** Reads a tensor at a time and returns the most memory that one takes. */
async function oneByOne(open: Promise<TensorReader>): Promise<number> {
  const reader = await open;
  try {
    let most = 0;
    for (const name of reader.shapes.keys()) most = Math.max(most, memoryOf([await reader.read(name)]));
    return most;
  } finally {
    await reader.close();
  }
}

it.each([
  ["zip.bin", 3000, 9, whole],
  ["older.bin", 3000, 9, whole],
  ["zip.bin", 1000, 10, (file: string) => oneByOne(openTorchFile(file))],
  ["training.ckpt", 3000, 11, (file: string) => oneByOne(openTrainingCheckpoint(file))],
])(
  "%s, %i times",
  async (name, count, seed, read) => {
    const bytes = readFileSync(join(FIXTURES, name));
    const damaged = mutations(bytes, count, seed);
    let [refused, done] = [0, 0];
    const work = async (_: unknown, worker: number) => {
      const file = join(folder, `${seed}-${worker}`);
      for (const copy of damaged) {
        await writeFile(file, copy);
        done++;
        try {
          // Half-precision numbers are widened to twice their size.
          expect(await read(file)).toBeLessThanOrEqual(2 * copy.length);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message).toMatch(/^[^\n]+\.$/);
          refused++;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(done).toBe(count);
    expect(refused).toBeGreaterThan(count / 5);
    expect(refused).toBeLessThan(count);
  },
  600_000,
);
