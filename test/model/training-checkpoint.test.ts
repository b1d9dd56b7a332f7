/** Checkpoints of training: what COMET 2.2.7 had PyTorch Lightning 2.6.6 write, and pickles written by hand. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { PickledStranger } from "../../src/model/pickle.js";
import { openTorchFile, openTrainingCheckpoint } from "../../src/model/torch-file.js";

const LIGHTNING = fileURLToPath(new URL("../fixtures/comet/qe/checkpoints/model.ckpt", import.meta.url));

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-checkpoint-"));
  file = join(folder, "model.ckpt");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Part = string | number[];

function bytesOf(parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))),
  );
}

const text = (value: string): Part => `X${String.fromCharCode(value.length)}\0\0\0${value}`;

/** A file in PyTorch's older layout around the pickle of a dictionary with `entries`, written in opcodes. */
function checkpoint(...entries: Part[]): Buffer {
  const magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  const protocol = [0x80, 2];
  return bytesOf([
    ...[protocol, [0x8a, magic.length], magic, "."],
    ...[protocol, "M\xe9\x03."],
    ...[protocol, "}."],
    ...[protocol, "}(", ...entries, "u."],
    ...[protocol, "]."],
  ]);
}

async function opened(bytes: Buffer) {
  writeFileSync(file, bytes);
  const reader = await openTrainingCheckpoint(file);
  await reader.close();
  return reader;
}

async function refusal(bytes: Buffer): Promise<string> {
  const error: unknown = await opened(bytes).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

const WEIGHTS: Part[] = [text("state_dict"), "}"];

describe("a checkpoint that Lightning wrote while it trained", () => {
  it("gives its weights, and the rest as data", async () => {
    const reader = await openTrainingCheckpoint(LIGHTNING);
    expect(reader.shapes.get("encoder.model.embeddings.word_embeddings.weight")).toEqual([162, 12]);
    expect(await reader.read("layerwise_attention.gamma")).toHaveLength(1);
    expect([...reader.others.keys()]).toEqual(
      expect.arrayContaining(["callbacks", "optimizer_states", "hyper_parameters", "loops"]),
    );
    const settings = reader.others.get("hyper_parameters");
    expect(settings instanceof Map && settings.get("class_identifier")).toBe(
      "referenceless_regression_metric",
    );
    await reader.close();
  });

  it("is refused as a file of weights alone", async () => {
    await expect(openTorchFile(LIGHTNING)).rejects.toThrow(UserError);
  });
});

describe("what a checkpoint holds beside its weights is not run", () => {
  it("not a call, whatever it calls", async () => {
    const marker = join(folder, "made");
    const command = `touch ${marker}`;
    const call = [text("evil"), "cposix\nsystem\n", text(command), [0x85], "R"];
    const { others } = await opened(checkpoint(...WEIGHTS, ...call));
    expect(others.get("evil")).toEqual(new PickledStranger("posix system"));
    expect(existsSync(marker)).toBe(false);
  });

  it("not an object that is made, filled and given attributes", async () => {
    const made = [text("object"), "cargparse\nNamespace\n", ")", [0x81], "}", text("a"), "K\x01sb"];
    const dictionary = [text("list"), "cmine\nList\n", ")R", "(K\x01K\x02e", "K\x03a", "K\x04K\x05s"];
    const key = [text("callbacks"), "}", "cpytorch_lightning\nEarlyStopping\n", "}s"];
    const { others } = await opened(checkpoint(...WEIGHTS, ...made, ...dictionary, ...key));
    expect(others.get("object")).toEqual(new PickledStranger("argparse Namespace"));
    expect(others.get("list")).toEqual(new PickledStranger("mine List"));
    const callbacks = others.get("callbacks");
    expect(callbacks instanceof Map && [...callbacks.keys()]).toEqual([
      new PickledStranger("pytorch_lightning EarlyStopping"),
    ]);
  });
});

describe("a checkpoint is refused", () => {
  it.each([
    [
      "with a stranger among its weights",
      [text("state_dict"), "}", text("w"), "cmine\nTensor\n)Rs"],
      'holds "w"',
    ],
    [
      "with a stranger for its weights",
      [text("state_dict"), "cmine\nWeights\n)R"],
      "no dictionary of tensors",
    ],
    ["without weights", [text("weights"), "}"], "has no dictionary with the entry state_dict"],
    [
      "that calls a text",
      [...WEIGHTS, text("a"), text("b"), ")R"],
      "calls something that is not a known name",
    ],
    ["that sets attributes of a number", [...WEIGHTS, text("a"), "K\x01}b"], "sets attributes of something"],
    ["with an unknown opcode", [...WEIGHTS, text("a"), [0x82, 1]], "has the opcode 0x82"],
    [
      "with more objects than any model",
      [...WEIGHTS, text("a"), "ca\nb\n".repeat(500_001)],
      "more than 500000 containers",
    ],
  ])("%s", async (_name, entries, expected) => {
    const message = await refusal(checkpoint(...entries));
    expect(message).toContain(expected);
    expect(message).toMatch(/^[^\n]+\.$/);
  });

  it("whose weights are of a type that is not read", async () => {
    const storage = ["(", text("storage"), "ctorch\nDoubleStorage\n", text("0"), text("cpu"), "K\x01t", "Q"];
    const tensor = ["ctorch._utils\n_rebuild_tensor_v2\n(", ...storage, "K\0K\x01", [0x85], "K\x01", [0x85]];
    const rest = [[0x89], "}tR"];
    expect(await refusal(checkpoint(text("state_dict"), "}", text("w"), ...tensor, ...rest, "s"))).toContain(
      'holds "w" as torch.DoubleStorage, which is not read',
    );
  });
});
