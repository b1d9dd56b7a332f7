import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.js";
import { loadPairEncoder } from "../../../src/reward/pretrained/bleurt/pair-encoder.js";
import { geluOf } from "../../../src/reward/pretrained/bleurt/saved-graph.js";
import type { PretrainedOptions } from "../../../src/reward/pretrained/family.js";
import { familyOf, openPretrained } from "../../../src/reward/pretrained/open.js";
import { Thread } from "../../../src/tensor/thread.js";
import { mutations } from "../../mutations.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures/bleurt/", import.meta.url));

interface Expected {
  readonly reference: string;
  readonly candidate: string;
  readonly ids: number[];
  readonly segments: number[];
  /** Raw scores in the two layouts. */
  readonly published: number;
  readonly port: number;
}
const expected = JSON.parse(readFileSync(join(FIXTURES, "scores.json"), "utf8")) as Expected[];
const inputs = expected.map(({ reference, candidate }) => ({ source: "", reference, candidate }));

type Layout = "published" | "port";
const LAYOUTS: readonly Layout[] = ["published", "port"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-bleurt-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

let thread: Thread;
beforeAll(() => {
  thread = new Thread();
});
afterAll(() => thread.close());

/** A copy of a fixture, whole. */
function unpack(layout: Layout): string {
  cpSync(join(FIXTURES, layout), folder, { recursive: true });
  if (layout === "published")
    writeFileSync(
      join(folder, "saved_model.pb"),
      gunzipSync(readFileSync(join(folder, "saved_model.pb.gz"))),
    );
  return folder;
}

/** Changes keys of a JSON file in the copy; undefined takes a key away. */
function change(file: string, keys: Record<string, unknown>): void {
  const path = join(folder, file);
  const json = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...json, ...keys }));
}

async function failure(options: PretrainedOptions = {}): Promise<string> {
  const error: unknown = await openPretrained(thread, folder, options).then(
    (scorer) => scorer.close(),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).not.toContain("\n");
  return message.replaceAll(folder, "FOLDER");
}

describe.each(LAYOUTS)("BLEURT's %s layout", (layout) => {
  it("scores as BLEURT's own code and Transformers do, in batches and alone", async () => {
    const scorer = await openPretrained(thread, unpack(layout));
    try {
      expect(scorer).toMatchObject({
        variant: "bleurt",
        needsReference: true,
        needsSource: false,
        licence: "Apache-2.0",
      });
      const scores = await scorer.score(inputs);
      // The two kinds of GELU differ by more than this.
      scores.forEach(({ raw, reward }, i) => {
        expect(Math.abs(raw - expected[i]![layout])).toBeLessThan(2e-5);
        expect(reward).toBe(Math.min(1, Math.max(0, raw)));
      });
      for (const [i, input] of inputs.entries()) {
        const [alone] = await scorer.score([input]);
        expect(Math.abs(alone!.raw - expected[i]![layout])).toBeLessThan(2e-5);
      }
      expect(await scorer.score([])).toEqual([]);
    } finally {
      await scorer.close();
    }
  });
});

describe("a pair", () => {
  it("has the ids and segments that BLEURT's own code gives it", async () => {
    const encoder = await loadPairEncoder(join(FIXTURES, "port", "spm.model"), 40);
    for (const { reference, candidate, ids, segments } of expected) {
      const encoded = encoder.encode(reference, candidate);
      expect(encoded.ids).toEqual(ids);
      expect(encoded.first).toBe(segments.filter((segment) => segment === 0).length);
    }
  });
});
