/** A training's state on disk: back as it was written, or not at all. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readState, writeState } from "../../src/tensor/training-state.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-state-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const buffers = { weights: Float32Array.of(1, -2.5, 3), m: new Float32Array(4000).fill(0.25) };

test("what is read is what was written", async () => {
  const path = join(folder, "whole");
  await writeState(path, buffers, { step: 3, extra: { text: "ä" } });
  expect(await readState(path)).toEqual({ buffers, facts: { step: 3, extra: { text: "ä" } } });
});

test("a state cut anywhere is known to be damaged", async () => {
  const path = join(folder, "cut");
  await writeState(path, buffers, { step: 3 });
  const whole = readFileSync(path);
  // Nothing, within the magic number, within the header, after it, within and at the end of the last buffer.
  for (const length of [0, 3, 9, 30, whole.length - 4 * 4000, whole.length - 4000, whole.length - 1]) {
    writeFileSync(path, whole.subarray(0, length));
    expect([length, await readState(path)]).toEqual([length, undefined]);
  }
});

test.skipIf(process.platform === "win32")(
  "a write that the system cuts short is an error, for states and for metrics",
  () => {
    // A limit on a file's size cuts a write as a full disk does: a part is written without an error, the next write fails.
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const [state, metrics] = [join(folder, "limited"), join(folder, "limited.jsonl")];
    const script = `
      import { writeState } from "./src/tensor/training-state.js";
      import { MetricsLog } from "./src/store/metrics.js";
      const told = (error) => console.log(error.code ?? error.message);
      await writeState(${JSON.stringify(state)}, { m: new Float32Array(4000) }, {}).catch(told);
      try { MetricsLog.open(${JSON.stringify(metrics)}, 0).append({ text: "x".repeat(16000) }); } catch (error) { told(error); }`;
    const node = `"${process.execPath}" --import tsx --input-type=module -e '${script}'`;
    const { stdout, stderr } = spawnSync("bash", ["-c", `ulimit -f 8; ${node}`], {
      cwd: root,
      encoding: "utf8",
    });
    expect(stdout, stderr).toBe("EFBIG\nEFBIG\n");
    // The limit is within what was to be written last, so that a part of it is there.
    expect([statSync(state).size, statSync(metrics).size]).toEqual([8192, 8192]);
  },
);
