import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { changedInputs, inputFiles } from "../../src/store/input-files.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-inputs-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const place = (path: string) => ({ key: "data.train", path, file: join(folder, path) });
const digest = (text: string) => createHash("sha256").update(text).digest("hex");

test("a file is known by the hash of its content; one that is missing is left out", async () => {
  writeFileSync(join(folder, "a.tsv"), "a\tb\n");
  const found = await inputFiles([place("a.tsv"), place("missing.tsv")]);
  expect(found.map(({ path, sha256, bytes }) => [path, sha256, bytes])).toEqual([
    ["a.tsv", digest("a\tb\n"), 4],
  ]);
});

test("other content of the same size and time of modification is another file", async () => {
  const { file } = place("b.tsv");
  writeFileSync(file, "a\tb\n");
  const { atime, mtime } = statSync(file);
  const before = await inputFiles([place("b.tsv")]);
  writeFileSync(file, "a\tc\n");
  utimesSync(file, atime, mtime);
  const after = await inputFiles([place("b.tsv")], before);
  expect(changedInputs(before, after).map(({ path }) => path)).toEqual(["b.tsv"]);
});

test("a file of known size and time of change is not read again, unless it was hashed just after that change", async () => {
  writeFileSync(join(folder, "c.tsv"), "a\tb\n");
  const [now] = await inputFiles([place("c.tsv")]);
  const other = digest("other");
  const known = (hashed: number) => [{ ...now!, sha256: other, time: { ...now!.time, hashed } }];
  const later = await inputFiles([place("c.tsv")], known(now!.time.changed + 60_000));
  expect(later[0]!.sha256).toBe(other);
  const atOnce = await inputFiles([place("c.tsv")], known(now!.time.changed + 10));
  expect(atOnce[0]!.sha256).toBe(digest("a\tb\n"));
});

test("touching a file, or taking it away, changes nothing", async () => {
  const { file } = place("d.tsv");
  writeFileSync(file, "a\tb\n");
  const before = await inputFiles([place("d.tsv")]);
  utimesSync(file, new Date(), new Date(0));
  expect(changedInputs(before, await inputFiles([place("d.tsv")], before))).toEqual([]);
  rmSync(file);
  expect(await inputFiles([place("d.tsv")], before)).toEqual(before);
});
