import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder } from "../src/make-folder.js";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "coppice-folder-"));
});
afterAll(() => rmSync(home, { recursive: true }));

test("a folder is made with those above it, and again without harm", () => {
  const path = join(home, "a/b/c");
  makeFolder(path);
  makeFolder(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

test("a file in the way is the system's error", () => {
  writeFileSync(join(home, "file"), "");
  expect(() => makeFolder(join(home, "file"))).toThrow(/EEXIST/);
  expect(() => makeFolder(join(home, "file/x"))).toThrow(/ENOTDIR/);
});

test.skipIf(!existsSync("/proc/self"))("where the system takes no folder, a sentence says so, soon", () => {
  expect(() => makeFolder("/proc/x/y")).toThrow(
    /^\/proc: no folder can be made in this one; choose another place\.$/,
  );
});
