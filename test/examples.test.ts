/** Every program in examples/, run as a user would: against the built package, with nothing but Node. */

import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuiltPackage, buildPackage } from "./built.js";

const examples = fileURLToPath(new URL("../examples/", import.meta.url));
const run = promisify(execFile);
let built: BuiltPackage;

beforeAll(async () => {
  built = await buildPackage();
});
afterAll(() => built.remove());

/** What each prints, by law or by hand; the rest must end well. */
const expectations: Record<string, RegExp> = {
  // BLEU and chrF: sacreBLEU 2.6.0 on these lines. Reward: (0.4 + 0.9 + 0.1) / 3, and the best of all three.
  "score-with-bleu.mjs":
    /^BLEU 27\.3 \(nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:2\.6\.0\)\nchrF 54\.5 \(.*\)\nbest of 1: reward 0\.47, [\s\S]*best of 3: reward 0\.90, /,
  // BC: (1 + ½)/2 for Hund, ½ for the others; above 0.2 Katze and Haus have the right word only; above 0.6 all have.
  "rest-of-your-own.mjs":
    /^G0I0: mean reward 0\.58, Hund → dog or cat\nG1I1: mean reward 0\.92, Hund → dog or cat\nG1I2: mean reward 1\.00, Hund → dog\n$/,
  "run-toy.mjs": /\nG0I0: mean reward [\d.]+, BLEU [\d.]+\nG1I1: .*\nG1I2: /,
  "sample-and-rerank.mjs": /^3 1 4 → .*best of 8\)\n2 7 1 8 → |^2 7 1 8 → .*best of 8\)\n3 1 4 → /,
};

// run-toy before the one that uses what it leaves.
const programs = readdirSync(examples).filter((name) => name.endsWith(".mjs"));

test.each(programs.sort())("examples/%s runs", async (name) => {
  const { stdout, stderr } = await run(process.execPath, [join("examples", name), "runs/example"], {
    cwd: built.dir,
  });
  expect(stderr).toBe("");
  expect(stdout).toMatch(expectations[name] ?? /^$/);
});
