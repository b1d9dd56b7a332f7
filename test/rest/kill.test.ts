/** kill -9 at any moment, then the same command again: the same bytes as without the kill. */

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hashUnit } from "../../src/data/hash.js";
import { type BuiltPackage, buildPackage, ended } from "../built.js";
import { tinyRun } from "./tiny-run.js";

/** Kills in all, of one run after the other. */
const KILLS = 14;
const SEED = 20260;

let built: BuiltPackage;
const dirs: string[] = [];
beforeAll(async () => {
  built = await buildPackage();
  // Kills the process at its nth rename, before or after it: the moments at which something starts to count.
  writeFileSync(
    join(built.dir, "kill-at-rename.mjs"),
    `import files from "node:fs/promises";
     import { syncBuiltinESMExports } from "node:module";
     const [nth, when] = process.env.KILL_AT.split(" ");
     const rename = files.rename;
     let count = 0;
     files.rename = async (...paths) => {
       const now = ++count === Number(nth);
       if (now && when === "before") process.kill(process.pid, "SIGKILL");
       await rename(...paths);
       if (now && when === "after") process.kill(process.pid, "SIGKILL");
     };
     syncBuiltinESMExports();`,
  );
});
afterAll(async () => {
  built.remove();
  for (const dir of dirs) await rm(dir, { recursive: true });
});

/** A reward to be learned, and more than 1,000 sources left over, so that a Grow step has three parts. */
function newRun(): string {
  const dir = tinyRun(
    {
      reward: { kind: "learned", steps: 20, warmupSteps: 5, samplesPerSource: 2 },
      improve: { thresholds: { kind: "quantile", values: [0.3, 0.6] } },
    },
    1600,
  );
  dirs.push(dir);
  return dir;
}

test("a run that is killed many times leaves what one that is left alone leaves", {
  timeout: 300_000,
}, async () => {
  const alone = newRun();
  const first = await built.coppice(["run", alone, "--quiet"]);
  expect([first.code, first.stderr]).toEqual([0, ""]);
  const expected = contents(alone);
  // What matters most is there to be compared.
  for (const file of [
    "policies/G1I2/model.safetensors",
    "grow-1/candidates.parquet",
    "metrics.jsonl",
    "summary.json",
  ])
    expect(expected.has(file), file).toBe(true);

  for (let kills = 0, attempt = 0; kills < KILLS; ) {
    const dir = newRun();
    const story: string[] = [];
    for (let finished = false; !finished; attempt++) {
      const { code, signal, stderr, moment } = await killedSometime(dir, kills < KILLS ? attempt : undefined);
      story.push(moment);
      if (signal === "SIGKILL") {
        kills++;
        continue;
      }
      expect({ code, stderr, story }).toEqual({ code: 0, stderr: "", story });
      finished = true;
    }
    const found = contents(dir);
    expect([...found.keys()], story.join(", ")).toEqual([...expected.keys()]);
    for (const [file, bytes] of expected)
      expect(found.get(file)!.equals(bytes), `${file} after ${story.join(", ")}`).toBe(true);
  }
});

/** Goes on with the run and kills it, if it has not ended before; not at all without an `attempt`. */
async function killedSometime(dir: string, attempt: number | undefined) {
  const args = ["run", dir, "--quiet"];
  if (attempt === undefined) return { ...(await built.coppice(args)), moment: "left alone" };
  const chance = hashUnit(SEED, attempt, "moment");
  // By turns at a moment of the clock, which finds long work, and at a rename, which finds the turning points.
  if (attempt % 2 === 0) {
    const child = built.start(args);
    const milliseconds = Math.round(300 + 2200 * chance);
    const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
    const end = await ended(child);
    clearTimeout(timer);
    return { ...end, moment: `a kill at ${milliseconds} ms` };
  }
  const at = `${1 + Math.floor(chance * 6)} ${hashUnit(SEED, attempt, "side") < 0.5 ? "before" : "after"}`;
  const end = await built.coppice(args, {
    node: ["--import", join(built.dir, "kill-at-rename.mjs")],
    env: { KILL_AT: at },
  });
  return { ...end, moment: `a kill at rename ${at}` };
}

/** All files of a run by path, without what tells the time. */
function contents(dir: string): Map<string, Buffer> {
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile())
    .sort();
  return new Map(
    files.map((path) => {
      const name = relative(dir, path);
      // The report shows the seconds of the summary.
      if (name === "report.html") return [name, Buffer.alloc(0)];
      const bytes = readFileSync(path);
      if (name === "metrics.jsonl") {
        const lines = bytes.toString().trimEnd().split("\n");
        return [name, Buffer.from(lines.map((line) => timeless(JSON.parse(line))).join("\n"))];
      }
      const json = name === "manifest.json" || name === "summary.json";
      return [name, json ? Buffer.from(timeless(JSON.parse(bytes.toString()))) : bytes];
    }),
  );
}

function timeless(value: unknown): string {
  const clock = new Set(["time", "seconds", "finishedAt"]);
  return JSON.stringify(value, (key, item) => (clock.has(key) ? undefined : item));
}
