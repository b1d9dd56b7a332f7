import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkpointFiles, openCheckpoint } from "../../src/model/checkpoint.js";

const fixture = fileURLToPath(new URL("../fixtures/metricx/", import.meta.url));

interface Sum {
  shape: number[];
  sum: number;
  weighted: number;
}
const sums = JSON.parse(readFileSync(join(fixture, "sums.json"), "utf8")) as Record<
  string,
  Record<string, Sum>
>;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "checkpoint-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const forms = [
  ["sharded-safetensors", "model", "safetensors"],
  ["sharded-torch", "pytorch_model", "bin"],
] as const;

describe.each(forms)("%s", (name, stem, ending) => {
  const index = `${stem}.${ending}.index.json`;
  beforeEach(() => cpSync(join(fixture, name), folder, { recursive: true }));
  const edit = (change: (map: Record<string, string>) => void) => {
    const json = JSON.parse(readFileSync(join(folder, index), "utf8"));
    change(json.weight_map);
    writeFileSync(join(folder, index), JSON.stringify(json));
  };

  test("every tensor of every shard is read, widened exactly", async () => {
    const checkpoint = await openCheckpoint(folder);
    // Copies of the embedding are one tensor here and several names there.
    const names = Object.keys(sums[name]!).filter((each) => checkpoint.shapes.has(each));
    expect(names.length).toBe(checkpoint.shapes.size);
    expect(names.length).toBeGreaterThan(20);
    for (const each of names) {
      const { shape, sum, weighted } = sums[name]![each]!;
      expect(checkpoint.shapes.get(each)).toEqual(shape);
      const data = await checkpoint.read(each, shape);
      // Sums of a few hundred 16-bit numbers have no rounding in 64 bits to speak of.
      expect(data.reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 9);
      expect(data.reduce((a, b, i) => a + b * i, 0)).toBeCloseTo(weighted, 7);
    }
    await checkpoint.close();
  });

  test("one row is the row of the whole", async () => {
    const checkpoint = await openCheckpoint(folder);
    const whole = await checkpoint.read("shared.weight", [120, 8]);
    expect(await checkpoint.read("shared.weight", [120, 8], 7)).toEqual(whole.slice(56, 64));
    await checkpoint.close();
  });

  test("the files are the index and its shards", async () => {
    const files = await checkpointFiles(folder);
    const shards = [1, 2, 3].map((i) => `${stem}-0000${i}-of-00003.${ending}`);
    expect(files.map((file) => file.slice(folder.length + 1)).sort()).toEqual([...shards, index].sort());
  });

  test("a shard that is missing is named", async () => {
    rmSync(join(folder, `${stem}-00002-of-00003.${ending}`));
    await expect(openCheckpoint(folder)).rejects.toThrow(
      `${stem}-00002-of-00003.${ending}: there is no such file, but ${index} names it`,
    );
  });

  test("a shard of another model is named", async () => {
    copyFileSync(
      join(folder, `${stem}-00001-of-00003.${ending}`),
      join(folder, `${stem}-00003-of-00003.${ending}`),
    );
    await expect(openCheckpoint(folder)).rejects.toThrow(/00003-of-00003.*is not where .* has it/);
  });

  test("a tensor that the index promises and no shard has is named", async () => {
    edit((map) => {
      map["more.weight"] = `${stem}-00001-of-00003.${ending}`;
    });
    await expect(openCheckpoint(folder)).rejects.toThrow('has no tensor "more.weight"');
  });

  test("an index that leaves the folder is refused", async () => {
    edit((map) => {
      map["shared.weight"] = `../${stem}-00001-of-00003.${ending}`;
    });
    await expect(openCheckpoint(folder)).rejects.toThrow("which is not in this folder");
  });

  test("an index that is cut short, or lists nothing, is refused", async () => {
    writeFileSync(join(folder, index), '{"weight_map": {"sha');
    await expect(openCheckpoint(folder)).rejects.toThrow("is not JSON");
    writeFileSync(join(folder, index), '{"weights": {}}');
    await expect(openCheckpoint(folder)).rejects.toThrow("has no weight_map");
  });

  test("a tensor of another shape, or none, is named", async () => {
    const checkpoint = await openCheckpoint(folder);
    await expect(checkpoint.read("shared.weight", [120, 9])).rejects.toThrow(
      'tensor "shared.weight" has shape [120,8], but [120,9] was expected',
    );
    await expect(checkpoint.read("head.weight", [1])).rejects.toThrow(
      'tensor "head.weight" of shape [1] is missing',
    );
    await checkpoint.close();
  });
});

test("a folder without weights says what was expected, and what is there instead", async () => {
  await expect(openCheckpoint(folder)).rejects.toThrow("model.safetensors: there is no such file");
  writeFileSync(join(folder, "tf_model.h5"), "");
  await expect(openCheckpoint(folder)).rejects.toThrow("only tf_model.h5");
  await expect(openCheckpoint(join(folder, "none"))).rejects.toThrow("cannot be read");
});
