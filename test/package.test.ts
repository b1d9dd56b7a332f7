/** What npm packs, installed into an empty folder beside its production dependencies alone. */

import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackage } from "./built.js";
import { tinyRun } from "./rest/tiny-run.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const run = promisify(execFile);

let home: string;
const installed = () => join(home, "node_modules/coppice");

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "coppice-installed-"));
  const built = await buildPackage();
  for (const name of ["README.md", "LICENSE", "docs"])
    cpSync(join(root, name), join(built.dir, name), { recursive: true });
  await run("npm", ["pack", "--ignore-scripts", "--offline", "--pack-destination", home], { cwd: built.dir });
  built.remove();
  const [tarball = ""] = readdirSync(home);
  await run("tar", ["-xzf", tarball], { cwd: home });
  rmSync(join(home, tarball));
  // As npm would put them, without asking a registry for what lies here already.
  const lock: { packages: Record<string, { dev?: boolean }> } = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  );
  const needed = Object.keys(lock.packages).filter(
    (path) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !lock.packages[path]?.dev,
  );
  // What a user who writes TypeScript for Node has.
  for (const path of new Set([...needed, "node_modules/@types/node"])) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    symlinkSync(join(root, path), join(home, path));
  }
  cpSync(join(home, "package"), installed(), { recursive: true });
  rmSync(join(home, "package"), { recursive: true });
});
afterAll(() => rmSync(home, { recursive: true }));

test("it holds no source map, since it holds no sources", () => {
  const files = readdirSync(installed(), { recursive: true, encoding: "utf8" });
  expect(files).toContain(join("dist", "index.d.ts"));
  expect(files.filter((name) => /\.map$|\.ts$/.test(name) && !name.endsWith(".d.ts"))).toEqual([]);
});

test("its command runs from start to report", async () => {
  const dir = tinyRun({}, 300, home);
  const { bin } = JSON.parse(readFileSync(join(installed(), "package.json"), "utf8"));
  const { stdout } = await run(process.execPath, [
    join(installed(), bin.coppice),
    "run",
    dir,
    "--json",
    "--quiet",
  ]);
  expect(JSON.parse(stdout).policies.length).toBe(4);
  expect(readFileSync(join(dir, "report.html"), "utf8")).toContain("G1I2-random");
});

test("its types hold for a strict user who checks those of libraries too", async () => {
  writeFileSync(
    join(home, "use.ts"),
    `import { type Policy, type Reward, rest, runAll, Thread } from "coppice";
     const reward: Reward = { name: "short", needsReference: false, score: async (batch) => batch.map(({ candidate }) => 1 / (1 + candidate.length)) };
     export const use = async (policy: Policy): Promise<number> => {
       const { policies } = await runAll({ dir: "runs/mine" });
       for await (const found of policy.sample([], { n: 1, temperature: 1, maxTokens: 5, seed: 1, grow: 1 })) console.log(found, reward, rest);
       await new Thread().close();
       return policies[0]?.reward.value ?? 0;
     };\n`,
  );
  const options = {
    module: "nodenext",
    target: "es2022",
    lib: ["es2023"],
    types: ["node"],
    strict: true,
    noEmit: true,
  };
  writeFileSync(
    join(home, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: { ...options, skipLibCheck: false, exactOptionalPropertyTypes: true },
      files: ["use.ts"],
    }),
  );
  writeFileSync(join(home, "package.json"), '{"type": "module"}');
  const { stdout } = await run(join(root, "node_modules/.bin/tsc"), ["-p", home], { cwd: home }).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe("");
});
