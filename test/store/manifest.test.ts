import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { configHash, Manifest } from "../../src/store/manifest.js";

const machine = { cpu: "A", cores: 2, memoryGb: 8, node: "20.0.0", os: "Linux 6" };
const config = { bc: { steps: 10 }, grow: { n: 16 }, improve: { thresholds: [0.7, 0.8] }, seed: 1 };
const options = { coppice: "0.1.0", seed: 1, config, machine };

let folder: string;
const home = mkdtempSync(join(tmpdir(), "coppice-manifest-"));
afterAll(() => rmSync(home, { recursive: true }));
beforeEach(() => {
  folder = mkdtempSync(join(home, "run-"));
});
const write = (path: string, text: string) => {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const reread = async () => {
  const manifest = await Manifest.read(folder);
  if (manifest === undefined) throw new Error("no manifest");
  return manifest;
};

/** bc, then sampling, then scores that join the samples' file. */
async function threeSteps(): Promise<Manifest> {
  const manifest = await Manifest.create(folder, options);
  write("policies/G0I0/model.bin", "m");
  await manifest.finish("bc", { seconds: 2, outputs: ["policies/G0I0"], dependsOn: ["bc"], metricsLines: 3 });
  write("grow-1/candidates.parquet", "unscored");
  await manifest.finish("sample", {
    seconds: 3,
    outputs: ["grow-1/candidates.parquet"],
    dependsOn: ["grow"],
  });
  write("grow-1/candidates.parquet", "scored");
  await manifest.finish("score", {
    seconds: 4,
    outputs: ["grow-1/candidates.parquet"],
    dependsOn: ["reward"],
  });
  return manifest;
}

describe("steps", () => {
  it("a step counts once finished, in order, with the hash of every output", async () => {
    const manifest = await Manifest.create(folder, options);
    write("policies/G0I0/model.bin", "abc");
    write("policies/G0I0/a/b.txt", "");
    expect(manifest.isDone("bc")).toBe(false);
    await manifest.finish("bc", {
      seconds: 2,
      outputs: ["policies/G0I0"],
      result: { loss: 1.5 },
      metricsLines: 7,
    });
    await manifest.finish("sample", { seconds: 1 });
    const again = await reread();
    expect(again.steps.map((step) => step.name)).toEqual(["bc", "sample"]);
    expect(again.step("bc")?.outputs).toEqual([
      // SHA-256 of the empty string and of "abc", from FIPS 180-2's examples.
      {
        path: "policies/G0I0/a/b.txt",
        bytes: 0,
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      },
      {
        path: "policies/G0I0/model.bin",
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      },
    ]);
    expect(again.step("bc")?.result).toEqual({ loss: 1.5 });
    expect(again.metricsLines).toBe(7);
    expect(again.seconds).toBe(3);
  });

  it("finishing a step twice is a bug", async () => {
    const manifest = await Manifest.create(folder, options);
    await manifest.finish("bc", { seconds: 1 });
    await expect(manifest.finish("bc", { seconds: 1 })).rejects.toThrow("finished already");
  });

  it("an output outside the run folder is refused", async () => {
    const manifest = await Manifest.create(folder, options);
    await expect(manifest.finish("bc", { seconds: 1, outputs: ["../x"] })).rejects.toThrow(UserError);
    expect((await reread()).isDone("bc")).toBe(false);
  });

  it("two runs of one configuration differ under the key time only", async () => {
    await threeSteps();
    const first = readFileSync(join(folder, "manifest.json"), "utf8");
    folder = mkdtempSync(join(home, "run-"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await threeSteps();
    const second = readFileSync(join(folder, "manifest.json"), "utf8");
    const untimed = (text: string) =>
      JSON.stringify(JSON.parse(text, (key, value) => (key === "time" ? 0 : value)));
    expect(second).not.toBe(first);
    expect(untimed(second)).toBe(untimed(first));
  });
});

describe("reading", () => {
  it("a folder without a manifest has none", async () => {
    expect(await Manifest.read(folder)).toBeUndefined();
  });

  it("text that is not JSON names the file", async () => {
    write("manifest.json", '{"format": 1,');
    await expect(Manifest.read(folder)).rejects.toThrow(/manifest\.json: this is not JSON/);
  });

  it.each([
    ["seed", -1, "seed"],
    ["steps", [{ name: "bc" }], "steps.0.outputs"],
    ["format", 2, "format"],
  ])("a wrong %s names file and key", async (key, value, place) => {
    await Manifest.create(folder, options);
    const json: unknown = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    write("manifest.json", JSON.stringify({ ...Object(json), [key]: value }));
    await expect(Manifest.read(folder)).rejects.toThrow(UserError);
    await expect(Manifest.read(folder)).rejects.toThrow(`manifest.json: key ${place} `);
  });
});

describe("checking outputs", () => {
  it("outputs that lie as written pass, a file that a later step replaced included", async () => {
    await expect((await threeSteps()).check({ hash: true })).resolves.toBeUndefined();
  });

  it("a file of another size is found without hashing, one of the same size with it", async () => {
    const manifest = await threeSteps();
    write("policies/G0I0/model.bin", "x");
    await manifest.check({ hash: false });
    await expect(manifest.check({ hash: true })).rejects.toThrow(
      /model\.bin: this file of the finished step bc has been changed/,
    );
    write("policies/G0I0/model.bin", "xx");
    await expect(manifest.check({ hash: false })).rejects.toThrow("has 2 bytes instead of 1");
  });

  it("looks into one folder alone where that is asked for", async () => {
    const manifest = await threeSteps();
    write("policies/G0I0/model.bin", "xx");
    await manifest.check({ hash: false, within: "grow-1" });
    await expect(manifest.check({ hash: false, within: "policies" })).rejects.toThrow("has 2 bytes");
  });

  it("a Parquet file that was written again after its step is hashed in any case", async () => {
    const manifest = await threeSteps();
    const file = manifest.steps
      .flatMap(({ outputs }) => outputs)
      .findLast(({ path }) => path.endsWith(".parquet"));
    write(file!.path, "?".repeat(file!.bytes));
    const later = new Date(Date.now() + 60_000);
    utimesSync(join(folder, file!.path), later, later);
    await expect(manifest.check({ hash: false })).rejects.toThrow(
      /\.parquet: this file of .* has been changed/,
    );
  });
});

describe("going on with something else", () => {
  it("the same configuration with its keys in another order is no difference", async () => {
    const manifest = await threeSteps();
    const { bc, ...rest } = config;
    expect(manifest.explainDifference({ seed: 1, config: { ...rest, bc }, machine })).toEqual([]);
    expect(configHash({ ...rest, bc })).toBe(configHash(config));
  });

  it("a changed key is named with both values, and steps before the first that needs it are reused", async () => {
    const manifest = await threeSteps();
    expect(
      manifest.explainDifference({ seed: 1, config: { ...config, grow: { n: 32, topK: 5 } }, machine }),
    ).toEqual([
      "grow.n was 16 and is now 32.",
      "grow.topK was not set and is now 5.",
      "Reused as they are: bc.",
      "To be redone: sample, score.",
    ]);
  });

  it("a key that no finished step needs redoes nothing", async () => {
    const manifest = await threeSteps();
    const later = { seed: 1, config: { ...config, improve: { thresholds: [0.9] } }, machine };
    expect(manifest.firstStale(later)).toBeUndefined();
    expect(manifest.explainDifference(later)).toEqual([
      "improve.thresholds was [0.7,0.8] and is now [0.9].",
      "Reused as they are: bc, sample, score.",
    ]);
  });

  it("another seed redoes everything", async () => {
    const manifest = await threeSteps();
    expect(manifest.firstStale({ seed: 2, config, machine })).toBe("bc");
  });

  it("another CPU is told, and redoes nothing", async () => {
    const manifest = await threeSteps();
    const sentences = manifest.explainDifference({ seed: 1, config, machine: { ...machine, cpu: "B" } });
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toContain("began on A and goes on with B");
  });

  it("adopting a change forgets the stale steps and deletes their files, those of kept steps stay", async () => {
    const manifest = await threeSteps();
    await manifest.adopt({ seed: 1, config: { ...config, grow: { n: 32 } }, machine });
    const again = await reread();
    expect(again.steps.map((step) => step.name)).toEqual(["bc"]);
    expect(again.metricsLines).toBe(3);
    expect(existsSync(join(folder, "grow-1/candidates.parquet"))).toBe(false);
    await again.check({ hash: true });
    expect(again.explainDifference({ seed: 1, config: { ...config, grow: { n: 32 } }, machine })).toEqual([]);
  });

  it("a file that a forgotten step had replaced stays as it lies, for the step to replace again", async () => {
    const manifest = await threeSteps();
    await manifest.adopt({ seed: 1, config: { ...config, reward: "chrf" }, machine });
    const again = await reread();
    expect(again.steps.map((step) => step.name)).toEqual(["bc", "sample"]);
    expect(readFileSync(join(folder, "grow-1/candidates.parquet"), "utf8")).toBe("scored");
    await again.check({ hash: true });
  });
});
