import { expect, test } from "vitest";
import { bleurt } from "../../../src/reward/pretrained/bleurt/bleurt.js";
import { comet } from "../../../src/reward/pretrained/comet/comet.js";
import type { PretrainedFamily, PretrainedScorer } from "../../../src/reward/pretrained/family.js";
import { GOLDEN, refuseOtherScale } from "../../../src/reward/pretrained/golden.js";
import { checkKnown } from "../../../src/reward/pretrained/verify.js";

/** A checkpoint that gives each candidate the score that `raws` says. */
function scorer(
  variant: string,
  raws: Readonly<Record<string, number>>,
  scale?: "unit" | "z",
): PretrainedScorer {
  return {
    name: variant,
    variant,
    ...(scale && { scale }),
    needsReference: true,
    needsSource: true,
    licence: "none",
    score: async (batch) => batch.map(({ candidate }) => ({ raw: raws[candidate]!, reward: 0 })),
    close: async () => undefined,
  };
}

test.each<[string, PretrainedFamily, string, Record<string, number>, number]>([
  [
    "BLEURT",
    bleurt,
    "bleurt-20-d12",
    { "a bird chirps by the window": 0.96044, "this looks like a random sentence": 0.80801 },
    0.002,
  ],
  [
    "COMET",
    comet,
    "wmt22-comet-da",
    { "Can I receive my food in 10 to 15 minutes?": 0.8417, "Can you send it for 10 to 15 minutes?": 0.7745 },
    0.0006,
  ],
])(
  "%s's published scores are compared with, one by one",
  async (_, family, variant, published, tolerance) => {
    const equal = async (raws: Record<string, number>, of = variant) =>
      (await checkKnown(family, scorer(of, raws))).map((check) => check.equal);
    expect(await equal(published)).toEqual([true, true]);
    const [first, second] = Object.keys(published) as [string, string];
    expect(await equal({ ...published, [second]: published[second]! + 1.2 * tolerance })).toEqual([
      true,
      false,
    ]);
    expect(await equal({ ...published, [first]: Number.NaN })).toEqual([false, true]);
    expect(await equal(published, "another")).toEqual([]);
  },
);

test("scores on another scale than the variant's are refused where they show it", () => {
  const refuse = (scale: "unit" | "z" | undefined, golden: readonly number[]) => () =>
    refuseOtherScale(scorer("some-model", {}, scale), golden, "folder");
  expect(GOLDEN).toHaveLength(4);
  expect(refuse("unit", [0.9, 0.4, 0.8, -0.1])).not.toThrow();
  expect(refuse("unit", [0.9, -1.3, 0.8, -2])).toThrow(
    'folder: the candidate "The train is ten minutes long." has the raw score -1.30, but some-model scores about 0 to 1.',
  );
  expect(refuse("unit", [87, 12, 80, 1])).toThrow("87.00");
  expect(refuse("unit", [0.9, 0.4, 0.8, Number.NaN])).toThrow("NaN");
  expect(refuse("z", [0.9, -1.3, 0.8, -2])).not.toThrow();
  expect(refuse(undefined, [0.9, 20, 0.8, 3])).not.toThrow();
});
