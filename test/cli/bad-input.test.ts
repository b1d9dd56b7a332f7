/** Everything a user can get wrong: one sentence that says what, where and what to do; exit code 2; nothing lost. */

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuiltPackage, buildPackage } from "../built.js";
import { tinyRun, writeConfig } from "../rest/tiny-run.js";

let built: BuiltPackage;
const dirs: string[] = [];
beforeAll(async () => {
  built = await buildPackage();
});
afterAll(() => {
  built.remove();
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

function newRun(over: Parameters<typeof tinyRun>[0] = {}, pairs?: string | Uint8Array): string {
  const dir = tinyRun(over);
  dirs.push(dir);
  if (pairs !== undefined) writeFileSync(join(dir, "pairs.tsv"), pairs);
  return dir;
}

/** What the command says on standard error, held to be one line with exit code 2. */
async function refusal(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await built.coppice([...args, "--quiet"]);
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^[^\n]+\n$/);
  return stderr.trimEnd();
}

describe("pairs", () => {
  test.each<[string, string | Uint8Array, string | RegExp]>([
    ["an empty file", "", ": the file is empty, expected lines of source<TAB>target."],
    [
      "a line without a tab",
      "1 2\t2 1\n1 2 3\n",
      ":2: the line has no tab, expected source<TAB>target (two plain text files are given as train.de,train.en).",
    ],
    [
      "invalid UTF-8",
      Buffer.concat([Buffer.from("1 2\t2 1\n1 2\t"), Buffer.from([0xe4]), Buffer.from("\n")]),
      ":2: byte 5 of the line (0xe4) is not valid UTF-8; convert the file to UTF-8.",
    ],
    [
      "a line of 100,000 characters",
      `1 2\t${"x".repeat(100_000 - 4)}\n`,
      ":1: the line has 100,000 characters or more, expected one sentence; split it or remove it.",
    ],
    [
      "one pair only",
      "1 2\t2 1\n",
      /^the corpus has 1 pair, too few to leave 30 for test beside the other parts; give more pairs or ask for smaller parts\.$/,
    ],
  ])("%s", async (_, pairs, sentence) => {
    const dir = newRun({}, pairs);
    const said = await refusal(["run", dir]);
    if (typeof sentence === "string") expect(said).toBe(`${join(dir, "pairs.tsv")}${sentence}`);
    else expect(said).toMatch(sentence);
    // The folder is as it was.
    expect(readdirSync(dir).sort()).toEqual(["coppice.yaml", "pairs.tsv"]);
  });

  test("a mended file is taken by the same command", async () => {
    const dir = newRun({ bc: { steps: 10 } }, "1 2 3\n");
    await refusal(["run", dir]);
    writeFileSync(join(dir, "pairs.tsv"), readFileSync(join(newRun(), "pairs.tsv")));
    expect((await built.coppice(["grow", dir, "--quiet"])).code).toBe(0);
  });
});

describe("configuration", () => {
  test("an unknown key, with its line and the nearest known one", async () => {
    const dir = newRun();
    const file = join(dir, "coppice.yaml");
    const text = readFileSync(file, "utf8").replace(/^( +)samples:/m, "$1sampels:");
    writeFileSync(file, text);
    const line = text.split("\n").findIndex((one) => one.includes("sampels")) + 1;
    expect(await refusal(["run", dir])).toMatch(
      new RegExp(`^${file}:${line}: .*sampels.*Did you mean grow\\.samples\\?$`),
    );
    expect(readdirSync(dir).sort()).toEqual(["coppice.yaml", "pairs.tsv"]);
  });

  test("none at all", async () => {
    const dir = newRun();
    rmSync(join(dir, "coppice.yaml"));
    expect(await refusal(["run", dir])).toBe(
      `${join(dir, "coppice.yaml")}: there is no configuration here. Make one with \`coppice init DIR --pairs FILE\`.`,
    );
  });

  test("a threshold above every reward names the highest one, and a lower one goes on from there", async () => {
    const over = { reward: { kind: "module", path: "half.mjs" } };
    const dir = newRun({ ...over, improve: { thresholds: { kind: "absolute", values: [0.4, 0.9] } } });
    writeFileSync(join(dir, "half.mjs"), "export default (batch) => batch.map(() => 0.5);");
    expect(await refusal(["run", dir])).toMatch(/coppice\.yaml: .*0\.9.*highest.*0\.5/);
    writeConfig(dir, { ...over, improve: { thresholds: { kind: "absolute", values: [0.4, 0.45] } } });
    const { code, stderr } = await built.coppice(["run", dir]);
    expect(code).toBe(0);
    expect(stderr).toContain("Reused as they are: prepare, G0I0, evaluate-G0I0, grow-1, score-1.");
  });
});

describe("reward", () => {
  test("NaN from a module stops the run before anything is stored, and names reward and input", async () => {
    const dir = newRun({ reward: { kind: "module", path: "nan.mjs" } });
    writeFileSync(
      join(dir, "nan.mjs"),
      "export default (batch) => batch.map((_, i) => (i === 3 ? Number.NaN : 1));",
    );
    expect(await refusal(["run", dir])).toMatch(
      /^reward "nan" returned NaN for source "[\d ]+", candidate .*; a reward must be a number from 0 to 1, so mend the reward for this input$/,
    );
    expect(existsSync(join(dir, "evaluation"))).toBe(false);
    // What is mended goes on from the policy.
    writeFileSync(
      join(dir, "nan.mjs"),
      "export default (batch) => batch.map(({ candidate }) => (candidate.length % 5) / 5);",
    );
    const { code, stderr } = await built.coppice(["run", dir]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^nan\.mjs is not the file it was: its content has changed\.\nReused as they are: prepare, G0I0\.\nReusing prepare, G0I0: /,
    );
  });
});

describe("what the configuration names and is not there", () => {
  test.each<[string, Parameters<typeof tinyRun>[0], RegExp]>([
    [
      "a reward module",
      { reward: { kind: "module", path: "nosuch.mjs" } },
      /reward module "nosuch\.mjs".* is not there/,
    ],
    [
      "a store that is a file",
      { grow: { store: "pairs.tsv" } },
      /coppice\.yaml: grow\.store cannot be used: .*pairs\.tsv: a part of this path is a file/,
    ],
    ["pairs", { data: { train: ["nosuch.tsv"] } }, /nosuch\.tsv: there is no such file; check the path\.$/],
  ])("%s: told before anything is done or written", async (_, over, sentence) => {
    const dir = newRun(over);
    const before = readdirSync(dir).sort();
    expect(await refusal(["run", dir])).toMatch(sentence);
    expect(readdirSync(dir).sort()).toEqual(before);
  });
});

test.each([
  ["a model to start from", "model: {from: nosuch}", "nosuch/config.json", /: there is no such file/],
  [
    "pairs to validate on",
    "data: {train: [pairs.tsv], validation: 'pairs.tsv,nosuch.en'}",
    "nosuch.en",
    /: there is no such file/,
  ],
])("%s: that it is missing is told before anything is done or written", async (_, keys, file, sentence) => {
  const dir = newRun();
  const data = keys.startsWith("data") ? "" : "data: {train: [pairs.tsv]}\n";
  writeFileSync(join(dir, "coppice.yaml"), `${data}${keys}\nreward: {kind: places}\n`);
  const said = await refusal(["run", dir]);
  expect(said).toMatch(sentence);
  expect(said.startsWith(join(dir, file))).toBe(true);
  expect(readdirSync(dir).sort()).toEqual(["coppice.yaml", "pairs.tsv"]);
});

describe("a run folder that was damaged", () => {
  let dir: string;
  beforeAll(async () => {
    dir = newRun();
    expect((await built.coppice(["grow", dir, "--quiet"])).code).toBe(0);
  });

  test("candidates of another run", async () => {
    const other = newRun({ bc: { steps: 12 } });
    await built.coppice(["grow", other, "--quiet"]);
    const file = join(dir, "grow-1/candidates.parquet");
    const own = readFileSync(file);
    writeFileSync(file, readFileSync(join(other, "grow-1/candidates.parquet")));
    expect(await refusal(["score", dir])).toMatch(
      new RegExp(
        `^${file}: these candidates belong to run [0-9a-f]+, but this folder is run [0-9a-f]+\\. Move the file`,
      ),
    );
    writeFileSync(file, own);
    expect((await built.coppice(["score", dir, "--quiet"])).code).toBe(0);
  });

  test("truncated safetensors", async () => {
    const file = join(dir, "policies/G0I0/model.safetensors");
    const own = readFileSync(file);
    truncateSync(file, own.length - 100);
    const sentence =
      `${file}: this file of the finished step G0I0 has ${own.length - 100} bytes instead of ${own.length}. ` +
      "Put it back from a copy, or start a new run folder.";
    expect(await refusal(["run", dir])).toBe(sentence);
    expect(await refusal(["translate", dir])).toBe(sentence);
    writeFileSync(file, own);
  });

  test("a truncated model folder to start from", async () => {
    const from = join(dir, "policies/G0I0");
    const copy = join(newRun(), "model");
    mkdirSync(copy);
    for (const name of readdirSync(from)) writeFileSync(join(copy, name), readFileSync(join(from, name)));
    const file = join(copy, "model.safetensors");
    truncateSync(file, readFileSync(file).length - 100);
    const start = newRun();
    const keys = `data: {train: [pairs.tsv], validationSize: 20, testSize: 30}\nreward: {kind: places}\nmodel: {from: ${copy}}\n`;
    writeFileSync(join(start, "coppice.yaml"), keys);
    expect(await refusal(["run", start])).toContain(file);
    expect(readdirSync(start).sort()).toEqual(["coppice.yaml", "pairs.tsv"]);
  });

  test("a reward module that is not there costs nothing that was done", async () => {
    const own = readFileSync(join(dir, "coppice.yaml"));
    const before = readFileSync(join(dir, "manifest.json"), "utf8");
    writeConfig(dir, { reward: { kind: "module", path: "nosuch.mjs" } });
    expect(await refusal(["run", dir])).toMatch(/reward module "nosuch\.mjs".* is not there/);
    expect(readFileSync(join(dir, "manifest.json"), "utf8")).toBe(before);
    writeFileSync(join(dir, "coppice.yaml"), own);
  });

  test("a manifest that is not one", async () => {
    const file = join(dir, "manifest.json");
    const own = readFileSync(file);
    writeFileSync(file, own.subarray(0, 100));
    for (const command of ["run", "status", "evaluate"])
      expect(await refusal([command, dir])).toMatch(
        new RegExp(`^${file}: this is not JSON, so what is finished`),
      );
    writeFileSync(file, own);
  });
});

/** Mounts a small memory disk, which only root may; undefined where that is not allowed. */
function memoryDisk(
  kilobytes: number,
): { path: string; remount(options: string): void; unmount(): void } | undefined {
  const path = join(newRun(), "disk");
  mkdirSync(path);
  const call = (tool: string, ...args: string[]) => execFileSync(tool, [...args, path], { stdio: "ignore" });
  try {
    call("mount", "-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs");
  } catch {
    return undefined;
  }
  return {
    path,
    remount: (options) => call("mount", "-o", `remount,${options}`),
    unmount: () => call("umount"),
  };
}

describe("a disk", () => {
  test("that is full loses nothing: with more room the same command goes on", async (context) => {
    const disk = memoryDisk(260);
    if (!disk) {
      console.warn("SKIPPED: a full disk needs the right to mount a memory disk");
      return context.skip();
    }
    try {
      const dir = tinyRun({}, 300, disk.path);
      expect(await refusal(["run", dir])).toMatch(
        /: the disk is full, .*Free some space and run the same command again\.$/,
      );
      disk.remount("size=20000k");
      expect((await built.coppice(["run", dir, "--quiet"])).code).toBe(0);
    } finally {
      disk.unmount();
    }
  });

  test("that may not be written to is named before any work", async (context) => {
    const disk = memoryDisk(2000);
    if (!disk && process.getuid?.() === 0) {
      console.warn(
        "SKIPPED: root may write anywhere but to a disk mounted read-only, which is not allowed here",
      );
      return context.skip();
    }
    const dir = tinyRun({}, 300, disk?.path);
    if (disk) disk.remount("ro");
    else chmodSync(dir, 0o500);
    try {
      expect(await refusal(["run", dir])).toMatch(/run\.lock: .*read-only.*choose another folder\.$/);
    } finally {
      if (disk) disk.unmount();
      else {
        chmodSync(dir, 0o700);
        rmSync(dir, { recursive: true });
      }
    }
  });
});
