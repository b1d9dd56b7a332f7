/** Expected values: Hugging Face's safetensors, version in the fixture, made by test/fixtures/safetensors/make.py. */

import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import {
  readSafetensors,
  type StoredTensor,
  safetensorsChunks,
  writeSafetensors,
} from "../../src/model/safetensors.js";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/safetensors/${name}`, import.meta.url));

type Described = Record<string, { dtype: string; shape: number[]; data: (number | string)[] }>;
const expected: { float32: Described; mixed: Described } = JSON.parse(
  readFileSync(fixture("expected.json"), "utf8"),
);

const folder = mkdtempSync(join(tmpdir(), "coppice-safetensors-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file with this header and these bytes of data. */
function file(name: string, header: string | object, data = 0): string {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([length, text, Buffer.alloc(data)]));
  return path;
}

const entry = (dtype: string, shape: number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

async function refusal(path: string): Promise<string> {
  const error: unknown = await readSafetensors(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error(`expected a UserError, got ${error}`);
  expect(error.message).toContain(path);
  return error.message;
}

describe("reading", () => {
  for (const name of ["float32", "mixed"] as const) {
    it(`${name}.safetensors gives the values that Python reads`, async () => {
      const { tensors } = await readSafetensors(fixture(`${name}.safetensors`));
      expect([...tensors.keys()].sort()).toEqual(Object.keys(expected[name]).sort());
      for (const [tensor, { dtype, shape, data }] of Object.entries(expected[name])) {
        const read = tensors.get(tensor)!;
        expect(read.shape, tensor).toEqual(shape);
        if (dtype === "torch.int64") expect([...read.data].map(String), tensor).toEqual(data);
        else {
          expect(read.data).toBeInstanceOf(Float32Array);
          // toEqual tells 0 from -0 and holds NaN equal to itself.
          const special: Record<string, number> = { inf: Infinity, "-inf": -Infinity, nan: Number.NaN };
          expect([...read.data], tensor).toEqual(data.map((x) => (typeof x === "string" ? special[x] : x)));
        }
      }
    });
  }

  it("gives the metadata, or none", async () => {
    expect((await readSafetensors(fixture("float32.safetensors"))).metadata).toEqual({ format: "pt" });
    expect((await readSafetensors(fixture("mixed.safetensors"))).metadata).toEqual({});
  });

  it("holds all 32-bit tensors in one buffer", async () => {
    const { tensors } = await readSafetensors(fixture("float32.safetensors"));
    expect(new Set([...tensors.values()].map(({ data }) => data.buffer)).size).toBe(1);
  });

  it("takes tensors that are not aligned, which the format allows", async () => {
    const path = file("unaligned", { half: entry("F16", [1], 0, 2), single: entry("F32", [2], 2, 10) });
    const numbers = Buffer.alloc(10);
    numbers.writeUInt16LE(0x3e00, 0); // 1.5
    numbers.writeFloatLE(-7, 2);
    numbers.writeFloatLE(0.125, 6);
    appendFileSync(path, numbers);
    const { tensors } = await readSafetensors(path);
    expect([...tensors.get("half")!.data]).toEqual([1.5]);
    expect([...tensors.get("single")!.data]).toEqual([-7, 0.125]);
  });

  it("takes a header of any length within the limit", async () => {
    const note = '\\"{'.repeat(3_000_000);
    const { metadata } = await readSafetensors(file("long", { __metadata__: { note } }));
    expect(metadata.note === note).toBe(true);
  });
});

describe("a file that is damaged or of another kind is refused with its name", () => {
  it("when it does not exist, is a folder, is empty or is shorter than its header", async () => {
    expect(await refusal(join(folder, "none"))).toContain("ENOENT");
    expect(await refusal(folder)).toContain("EISDIR");
    const short = join(folder, "short");
    for (const bytes of [0, 7]) {
      writeFileSync(short, Buffer.alloc(bytes));
      expect(await refusal(short)).toContain(`has ${bytes} bytes`);
    }
    writeFileSync(short, readFileSync(fixture("float32.safetensors")).subarray(0, 100));
    expect(await refusal(short)).toContain("ends after 100");
  });

  it("when it is cut anywhere in its data, naming the first tensor that is not whole", async () => {
    const whole = readFileSync(fixture("float32.safetensors"));
    const cut = join(folder, "cut");
    writeFileSync(cut, whole.subarray(0, whole.length - 1));
    expect(await refusal(cut)).toContain('tensor "\u{1f333}" ends at byte 116 of the data, but only 115');
    writeFileSync(cut, whole.subarray(0, whole.length - 20));
    expect(await refusal(cut)).toContain('tensor "decoder.weight" ends at byte 104 of the data, but only 96');
    for (let length = 0; length < whole.length; length += 13) {
      writeFileSync(cut, whole.subarray(0, length));
      await refusal(cut);
    }
  });

  it("when its header is absurdly long, not UTF-8, not JSON or not an object", async () => {
    const path = join(folder, "text");
    writeFileSync(path, "This is a text file and no weights.");
    expect(await refusal(path)).toContain("above 100000000");
    writeFileSync(path, Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0x22, 0xff]));
    expect(await refusal(path)).toContain("JSON in UTF-8");
    for (const header of ["", "{", "[]", "null", '"x"']) {
      expect(await refusal(file("header", header))).toContain("header that is not");
    }
  });

  it("when a name is repeated, in the header or within a tensor, however it is spelt", async () => {
    const tensor = JSON.stringify(entry("F32", [1], 0, 4));
    expect(await refusal(file("twice", `{"w":${tensor},"b":${tensor},"w":${tensor}}`, 4))).toContain(
      'named "w"',
    );
    expect(await refusal(file("escaped", `{"w":${tensor},"\\u0077":${tensor}}`, 4))).toContain('named "w"');
    const inner = '{"w":{"dtype":"F32","shape":[1],"dtype":"F32","data_offsets":[0,4]}}';
    expect(await refusal(file("inner", inner, 4))).toContain('named "dtype"');
  });

  it("when a tensor's type is not one of the four", async () => {
    expect(await refusal(fixture("bool.safetensors"))).toContain('tensor "flags" has type "BOOL"');
    expect(await refusal(file("type", { w: entry("toString", [1], 0, 4) }, 4))).toContain('type "toString"');
  });

  it("when a shape or an offset is no whole number or does not fit the other", async () => {
    const cases: [object, string][] = [
      [{ w: 5 }, "JSON object"],
      [{ w: { dtype: "F32", data_offsets: [0, 4] } }, "has shape undefined"],
      [{ w: { dtype: "F32", shape: [-1], data_offsets: [0, 4] } }, "has shape [-1]"],
      [{ w: { dtype: "F32", shape: [0.5], data_offsets: [0, 2] } }, "has shape [0.5]"],
      [{ w: { dtype: "F32", shape: [1], data_offsets: [0] } }, "data_offsets [0]"],
      [{ w: { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] } }, "data_offsets [0,4,8]"],
      [{ w: entry("F32", [2], 0, 4) }, "takes bytes 0 to 4, but F32 of shape [2] has 8"],
      [{ w: entry("F32", [1], 4, 0) }, "takes bytes 4 to 0"],
      [{ w: entry("F32", [2 ** 40, 2 ** 40], 0, 4) }, "takes bytes 0 to 4"],
      [{ __metadata__: { step: 3 } }, "not a text"],
      [{ __metadata__: [] }, "not a JSON object"],
    ];
    for (const [header, message] of cases) expect(await refusal(file("fit", header, 4))).toContain(message);
  });

  it("when tensors overlap, leave a gap or leave bytes at the end", async () => {
    const gap = file("gap", { a: entry("F32", [1], 0, 4), b: entry("F32", [1], 8, 12) }, 12);
    expect(await refusal(gap)).toContain('tensor "b" leaves a gap');
    const overlap = file("overlap", { b: entry("F32", [2], 4, 12), a: entry("F32", [2], 0, 8) }, 12);
    expect(await refusal(overlap)).toContain('tensor "b" overlaps');
    const same = file("same", { a: entry("F32", [1], 0, 4), b: entry("F32", [1], 0, 4) }, 4);
    expect(await refusal(same)).toContain('tensor "b" overlaps');
    const rest = file("rest", { a: entry("F32", [1], 0, 4) }, 6);
    expect(await refusal(rest)).toContain("2 bytes after its last tensor");
  });
});

describe("writing", () => {
  it("gives the bytes that Python gives, whatever the order of the tensors", async () => {
    const path = fixture("float32.safetensors");
    const { tensors } = await readSafetensors(path);
    for (const order of [[...tensors], [...tensors].reverse()]) {
      const written = Buffer.concat(safetensorsChunks(new Map(order)));
      expect(written.equals(readFileSync(path))).toBe(true);
    }
  });

  it("keeps every bit, the shape, the metadata and names that look like numbers", async () => {
    const random = new Uint32Array(1000).map((_, i) => Math.imul(i + 1, 2654435761));
    const tensors = new Map<string, StoredTensor>([
      ["10", { shape: [10, 0, 3], data: new Float32Array(0) }],
      ["bits", { shape: [2, 250], data: new Float32Array(random.buffer).subarray(500) }],
      ["2", { shape: [], data: Float32Array.of(2) }],
      ["step", { shape: [1], data: BigInt64Array.of(123456789012345678n) }],
    ]);
    const path = join(folder, "kept.safetensors");
    await writeSafetensors(path, tensors, { format: "pt", note: '"ä"' });
    const read = await readSafetensors(path);
    expect(read.metadata).toEqual({ format: "pt", note: '"ä"' });
    expect([...read.tensors.keys()]).toEqual(["step", "10", "2", "bits"]);
    for (const [name, { shape, data }] of tensors) {
      const back = read.tensors.get(name)!;
      expect(back.shape).toEqual(shape);
      const bytes = (a: ArrayBufferView) => Buffer.from(a.buffer, a.byteOffset, a.byteLength);
      expect(bytes(back.data).equals(bytes(data)), name).toBe(true);
    }
  });

  it("leaves nothing behind where it cannot write", async () => {
    const missing = join(folder, "missing", "w.safetensors");
    await expect(writeSafetensors(missing, new Map())).rejects.toThrow(UserError);
    // A folder stands where the file should go: the renaming fails after all bytes are written.
    const taken = join(folder, "taken");
    mkdirSync(join(taken, "w"), { recursive: true });
    await expect(writeSafetensors(join(taken, "w"), new Map())).rejects.toThrow(/cannot be written/);
    expect(readdirSync(taken)).toEqual(["w"]);
  });

  it("refuses a shape that does not hold the numbers", () => {
    const wrong = new Map([["w", { shape: [2, 2], data: new Float32Array(3) }]]);
    expect(() => safetensorsChunks(wrong)).toThrow("Tensor w of shape [2,2] has 3 numbers, not 4");
  });
});
