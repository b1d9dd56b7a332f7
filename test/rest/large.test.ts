/** A corpus of the size of the paper's. */

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withRun } from "../../src/rest/run.js";
import { loadPrepared, prepare } from "../../src/rest/steps/prepare.js";
import { tinyRun } from "./tiny-run.js";

test("200,000 pairs are more than a call has room for arguments, and are prepared", async () => {
  const dir = tinyRun();
  try {
    const lines = Array.from({ length: 200_000 }, (_, at) => `${at} a\ta ${at}\n`);
    writeFileSync(join(dir, "pairs.tsv"), lines.join(""));
    await withRun({ dir }, async (run) => {
      await prepare(run);
      const { train, validation, test: tested } = await loadPrepared(run);
      expect([train.length, validation.length, tested.length]).toEqual([199_950, 20, 30]);
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
