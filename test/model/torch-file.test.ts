import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { type PickleMeaning, readPickle } from "../../src/model/pickle.js";
import { readTorchFile } from "../../src/model/torch-file.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/torch/", import.meta.url));

interface Expected {
  readonly [name: string]: { shape: number[]; values: number[] };
}

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-torch-"));
  file = join(folder, "pytorch_model.bin");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function failure(bytes: Uint8Array): Promise<string> {
  writeFileSync(file, bytes);
  const error: unknown = await readTorchFile(file).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).not.toContain("\n");
  return message.replace(`${file}: `, "");
}

describe.each(["zip", "older"])("the %s layout of PyTorch 2.15", (layout) => {
  it("gives the same numbers, whatever their type and strides", async () => {
    const tensors = await readTorchFile(`${FIXTURES}${layout}.bin`);
    const expected = JSON.parse(readFileSync(`${FIXTURES}tensors.json`, "utf8")) as Expected;
    const found = [...tensors].map(([name, { shape, data }]) => [
      name,
      { shape, values: Array.from(data, Number) },
    ]);
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it("gives names that are tied one array", async () => {
    const tensors = await readTorchFile(`${FIXTURES}${layout}.bin`);
    expect(tensors.get("tied")!.data).toBe(tensors.get("float")!.data);
  });

  it("is refused when it is cut short", async () => {
    const bytes = readFileSync(`${FIXTURES}${layout}.bin`);
    for (const share of [0.1, 0.5, 0.99]) await failure(bytes.subarray(0, Math.floor(bytes.length * share)));
  });
});

describe("a pickle that does more than hold tensors is refused", () => {
  /** As torch.load would read it: the first of the pickles in the older layout. */
  const pickled = (...parts: (string | number[])[]) =>
    Buffer.concat([
      Buffer.from([0x80, 2]),
      ...parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))),
    ]);

  it.each([
    ["os.system", pickled("cos\nsystem\n", "X\x04\0\0\0true", [0x85], "R."), '"os.system"'],
    ["posix.system", pickled("cposix\nsystem\n", "X\x04\0\0\0true", [0x85], "R."), '"posix.system"'],
    ["eval", pickled("cbuiltins\neval\n", "X\x011", [0x85], "R."), '"builtins.eval"'],
    ["a name by STACK_GLOBAL", pickled([0x8c, 2], "os", [0x8c, 6], "system", [0x93], "."), '"os.system"'],
    ["torch.load itself", pickled("ctorch\nload\n."), '"torch.load"'],
    ["an instance of a class", pickled("(ios\nsystem\n."), "opcode 0x69"],
    ["an extension code", pickled([0x82, 1], "."), "opcode 0x82"],
    ["NEWOBJ", pickled("ccollections\nOrderedDict\n)", [0x81], "."), "opcode 0x81"],
    ["a text called as a function", pickled("X\x01\0\0\0a)R."), "calls something that is not a known name"],
    [
      "wrong arguments",
      pickled("ctorch._utils\n_rebuild_tensor_v2\n)R."),
      "with arguments that it does not take",
    ],
    ["a huge text", pickled("X\xff\xff\xff\xff", "ab."), "is cut short"],
    ["a huge frame", pickled([0x95], "\xff\xff\xff\xff\xff\xff\xff\x7f."), ""],
    ["a protocol to come", Buffer.from([0x80, 9, 0x2e]), "later protocol"],
    ["no STOP", pickled("N"), "is cut short"],
    ["a number alone", pickled("K\x01."), "not a file of PyTorch's"],
  ])("%s", async (_name, bytes, what) => {
    expect(await failure(bytes)).toContain(what);
  });

  it("an empty file", async () => {
    expect(await failure(new Uint8Array())).toContain("is not a file of PyTorch's torch.save");
  });

  it("nesting without end", async () => {
    const deep = pickled("]".repeat(1_000_000), ".");
    expect(await failure(deep)).toContain("more than 500000 containers");
    // Lists within lists 400,000 deep: read without a call for each level.
    const nested = pickled("]".repeat(400_000), "a".repeat(399_999), ".");
    expect(await failure(nested)).toContain("not a file of PyTorch's");
  });

  it("a bomb of references takes no more memory than its bytes", () => {
    // Each list holds the one before ten times: 10^60 entries if anything copied them.
    let text = "]q\0";
    for (let i = 1; i < 60; i++)
      text += `](${`h${String.fromCharCode(i - 1)}`.repeat(10)}eq${String.fromCharCode(i)}`;
    const bytes = pickled(text, "0".repeat(59), ".");
    const nothing: PickleMeaning = { names: new Set(), make: () => undefined, persistent: () => undefined };
    // What is left on the stack is the first list.
    expect(readPickle(bytes, 0, nothing).value).toEqual([]);
  });
});

test("a tensor that claims more than its storage holds is refused", async () => {
  const bytes = readFileSync(`${FIXTURES}older.bin`);
  // The shape (2, 3) of the first tensor: BININT1 2, BININT1 3, TUPLE2.
  const at = bytes.indexOf(Buffer.from([0x4b, 2, 0x4b, 3, 0x86]));
  expect(at).toBeGreaterThan(0);
  const larger = Buffer.from(bytes);
  larger[at + 3] = 200;
  expect(await failure(larger)).toContain(
    "torch._utils._rebuild_tensor_v2 with arguments that it does not take",
  );
});
