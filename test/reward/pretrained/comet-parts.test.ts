import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.js";
import { featureWidth, writeFeatures } from "../../../src/reward/pretrained/comet/features.js";
import { softmaxOf, sparsemaxOf } from "../../../src/reward/pretrained/comet/mixture.js";
import { ownHparams, readHparams, settingsOf } from "../../../src/reward/pretrained/comet/settings.js";
import { rewardOf } from "../../../src/reward/pretrained/comet/variants.js";
import { mutations } from "../../mutations.js";

describe("the mixture of layers", () => {
  it("by a softmax", () => {
    const [first, second] = softmaxOf([Math.log(3), 0]);
    expect(first).toBeCloseTo(0.75, 12);
    expect(second).toBeCloseTo(0.25, 12);
  });

  it("by a sparsemax, worked by hand", () => {
    // Two are kept: τ = (0.5 + 0.3 − 1)/2 = −0.1.
    expect(sparsemaxOf([0.5, -1, 0.3]).map((weight) => Number(weight.toFixed(12)))).toEqual([0.6, 0, 0.4]);
    // One is kept: 1 + 2·0.5 is not above 2.5.
    expect(sparsemaxOf([2, 0.5])).toEqual([1, 0]);
    expect(sparsemaxOf([0.7, 0.7, 0.7, 0.7])).toEqual(
      [0.25, 0.25, 0.25, 0.25].map((weight) => expect.closeTo(weight, 12)),
    );
  });
});

it("puts the estimator's input together", () => {
  const [mt, src, ref] = [Float32Array.of(1, -2), Float32Array.of(3, 4), Float32Array.of(-1, 0.5)];
  const features = (kind: "unified" | "referenceless" | "regression") => {
    const into = new Float32Array(featureWidth(kind, 2));
    writeFeatures(kind, [mt, src, ref], into);
    return [...into];
  };
  expect(features("unified")).toEqual([1, -2]);
  expect(features("referenceless")).toEqual([1, -2, 3, 4, 3, -8, 2, 6]);
  expect(features("regression")).toEqual([1, -2, -1, 0.5, -1, -1, 2, 2.5, 3, -8, 2, 6]);
});

describe("a raw score as a reward", () => {
  it("is cut on the unit scale", () => {
    expect([-0.2, 0, 0.73, 1.04].map((raw) => rewardOf(raw, "unit"))).toEqual([0, 0, 0.73, 1]);
  });

  it("is close to the normal distribution's share on the standardised one", () => {
    // Values of the distribution from a table.
    for (const [raw, share] of [
      [-2, 0.0228],
      [-0.5, 0.3085],
      [0, 0.5],
      [1, 0.8413],
      [2.5, 0.9938],
    ] as const)
      expect(Math.abs(rewardOf(raw, "z") - share)).toBeLessThan(0.01);
  });
});

describe("settings", () => {
  const file = { class_identifier: "referenceless_regression_metric", pool: "avg", hidden_sizes: [4] };

  it("are those of the checkpoint where it has its own, and COMET's defaults where it leaves a key out", () => {
    const own = ownHparams(
      new Map<string, string | boolean | number[] | Map<string, string>>([
        ["pool", "cls"],
        ["layer_norm", false],
        ["hidden_sizes", [8, 2]],
        ["nested", new Map()],
      ]),
    );
    expect(own).toEqual({ pool: "cls", layer_norm: false, hidden_sizes: [8, 2] });
    expect(settingsOf(file, "hparams.yaml", { values: own!, file: "model.ckpt" })).toMatchObject({
      kind: "referenceless",
      pool: "cls",
      layerNorm: false,
      hidden: [8, 2],
      layer: "mix",
      transformation: "softmax",
    });
    expect(settingsOf(file, "hparams.yaml", undefined)).toMatchObject({ layerNorm: true, hidden: [4] });
    expect(ownHparams("not a dictionary")).toBeUndefined();
  });

  it("name the file that is wrong", () => {
    const values = { pool: "max" };
    expect(() => settingsOf(file, "hparams.yaml", { values, file: "model.ckpt" })).toThrow(
      /^model\.ckpt: pool: /,
    );
    expect(() =>
      settingsOf(
        { class_identifier: "unified_metric", input_segments: ["src", "mt"] },
        "hparams.yaml",
        undefined,
      ),
    ).toThrow("input_segments is [src, mt], but must be one of [mt, src], [mt, ref], [mt, src, ref].");
  });
});

it("refuses a damaged hparams.yaml in one sentence, or reads it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "coppice-hparams-"));
  const file = join(folder, "hparams.yaml");
  const bytes = readFileSync(
    fileURLToPath(new URL("../../fixtures/comet/unite/hparams.yaml", import.meta.url)),
  );
  let refused = 0;
  for (const damaged of mutations(bytes, 500, 3)) {
    writeFileSync(file, damaged);
    try {
      settingsOf((await readHparams(file))!, file, undefined);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      expect(error.message).toMatch(/^[^\n]+\.$/);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(50);
  rmSync(folder, { recursive: true, force: true });
});
