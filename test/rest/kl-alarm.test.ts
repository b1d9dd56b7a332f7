/** Log-probabilities that cannot be stop an evaluation, whoever got them wrong. */

import { cpSync, rmSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { NativePolicy } from "../../src/policy/native.js";
import { BC } from "../../src/rest/names.js";
import { withRun } from "../../src/rest/run.js";
import { measurePolicy } from "../../src/rest/steps/evaluate.js";
import { imitate } from "../../src/rest/steps/imitate.js";
import { loadPrepared, prepare } from "../../src/rest/steps/prepare.js";
import { tinyRun } from "./tiny-run.js";

afterEach(() => {
  vi.restoreAllMocks();
});

test("a policy less likely than BC to draw what it has drawn raises the alarm; true figures do not", async () => {
  const dir = tinyRun();
  try {
    await withRun({ dir }, async (run) => {
      await prepare(run);
      await imitate(run);
      // The same weights under another name: the divergence is 0.
      cpSync(run.folder.policy(BC), run.folder.policy("G1I1"), { recursive: true });
      const { test: pairs } = await loadPrepared(run);
      const { summary } = await measurePolicy(run, "G1I1", pairs);
      expect(Math.abs(summary.klFromBc ?? Number.NaN)).toBeLessThan(1e-3);

      const { divergences } = NativePolicy.prototype;
      vi.spyOn(NativePolicy.prototype, "divergences").mockImplementation(async function (
        this: NativePolicy,
        ...asked
      ) {
        const told = await divergences.apply(this, asked);
        return told.map(({ referenceLogProbs, ...more }) => ({
          ...more,
          referenceLogProbs: referenceLogProbs.map((logProb) => logProb + 0.1),
        }));
      });
      await expect(measurePolicy(run, "G1I1", pairs)).rejects.toThrow(
        /KL divergence of G1I1 from BC comes out as -\d.*which cannot be/,
      );
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
