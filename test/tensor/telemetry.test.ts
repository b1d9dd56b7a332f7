/** What ONNX Runtime leaves outside our own files: nothing. */

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("a program that uses the library leaves no record of its use in the user's cache", async () => {
  const home = mkdtempSync(join(tmpdir(), "coppice-home-"));
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  const script = `
    import { Thread } from "./src/index.js";
    import * as toy from "./test/policy/toy-policy.js";
    const thread = new Thread();
    const policy = await toy.policy(thread);
    console.log((await policy.translate([{ sourceId: 0, text: "1 2" }], { maxTokens: 3 })).length);
    await policy.release();
    await thread.close();`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script],
    { cwd: root, env: { ...env, HOME: home, XDG_CACHE_HOME: join(home, "cache") } },
  );
  expect(stdout).toBe("1\n");
  expect(readdirSync(home)).toEqual([]);
  rmSync(home, { recursive: true });
});
