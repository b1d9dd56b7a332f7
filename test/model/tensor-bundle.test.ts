import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { crc32c, maskedCrc32c } from "../../src/model/crc32c.js";
import { SnappyError, uncompress } from "../../src/model/snappy.js";
import { tableEntries } from "../../src/model/sorted-table.js";
import { openTensorBundle, parseBundleIndex } from "../../src/model/tensor-bundle.js";
import { mutations } from "../mutations.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/tensor-bundle/", import.meta.url));
const DATA = ".data-00000-of-00001";
const MAGIC = Buffer.from("57fb808b247547db", "hex");

const fixture = (name: string) => readFileSync(join(FIXTURES, name));
const varint = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];

/** A table of the blocks as they are, each with a right checksum. */
function table(blocks: readonly Uint8Array[], kind = 0): Buffer {
  const parts: Uint8Array[] = [];
  let at = 0;
  const put = (block: Uint8Array, packed: number) => {
    const checked = Buffer.from([...block, packed]);
    const trailer = Buffer.alloc(4);
    trailer.writeUInt32LE(maskedCrc32c(checked));
    parts.push(checked, trailer);
    const handle = [...varint(at), ...varint(block.length)];
    at += block.length + 5;
    return handle;
  };
  const index = blocks.flatMap((block, i) => {
    const handle = put(block, kind);
    return [0, 1, handle.length, i, ...handle];
  });
  const ends = [0, 0, 0, 0, 1, 0, 0, 0];
  const footer = Buffer.alloc(48);
  footer.set([...put(Uint8Array.of(...ends), 0), ...put(Uint8Array.of(...index, ...ends), 0)]);
  MAGIC.copy(footer, 40);
  return Buffer.concat([...parts, footer]);
}

/** The first block of a table: what is followed by its kind and its checksum. */
function firstBlock(index: Buffer): Buffer {
  for (let size = 1; size < index.length - 5; size++)
    if (maskedCrc32c(index.subarray(0, size + 1)) === index.readUInt32LE(size + 1))
      return index.subarray(0, size);
  throw new Error("no block ends with its checksum");
}

describe("checksums", () => {
  it("are those that RFC 3720 prints, wherever the bytes lie in memory", () => {
    const rising = Uint8Array.from({ length: 32 }, (_, i) => i);
    const cases: readonly [Uint8Array, number][] = [
      [new Uint8Array(32), 0x8a9136aa],
      [new Uint8Array(32).fill(0xff), 0x62a8ab43],
      [rising, 0x46dd794e],
      [rising.toReversed(), 0x113fdb5c],
      [Buffer.from("123456789"), 0xe3069283],
    ];
    for (const [bytes, expected] of cases) {
      for (let shift = 0; shift < 4; shift++) {
        const moved = new Uint8Array(bytes.length + shift);
        moved.set(bytes, shift);
        expect(crc32c(moved.subarray(shift))).toBe(expected);
      }
    }
  });
});

describe("Snappy's blocks", () => {
  it("have literals and copies of every length, also into what is being written", () => {
    // The literal "ab", 4 copied from 2 back, 3 from 6 back, and a literal whose length has a byte of its own.
    const block = [12, 1 << 2, 97, 98, 1, 2, (2 << 2) | 2, 6, 0, 60 << 2, 2, 120, 121, 122];
    expect(Buffer.from(uncompress(Uint8Array.from(block))).toString()).toBe("ababababaxyz");
  });

  it.each([
    ["cut short", [5, 0b00010000, 97]],
    ["of a length that it cannot have", [0xff, 0xff, 0xff, 0xff, 0x0f, 0]],
    ["without an end to its length", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["that copy from before their start", [4, 0b00000001, 1]],
    ["that hold less than they name", [4, 0, 97]],
    ["that hold more than they name", [1, 0b00000100, 97, 98]],
  ])("are refused %s", (_, block) => {
    expect(() => uncompress(Uint8Array.from(block))).toThrow(SnappyError);
  });
});

describe("a tensor bundle", () => {
  let folder: string;
  let prefix: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "coppice-bundle-"));
    prefix = join(folder, "variables");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function failure(index: Uint8Array, data: Uint8Array): Promise<string> {
    writeFileSync(`${prefix}.index`, index);
    writeFileSync(`${prefix}${DATA}`, data);
    const error: unknown = await readAll(prefix).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message).not.toContain("\n");
    return message.replaceAll(prefix, "");
  }

  async function readAll(from: string) {
    const reader = await openTensorBundle(from);
    try {
      const found: Record<string, { shape: readonly number[]; values: number[] }> = {};
      for (const [name, shape] of reader.shapes)
        found[name] = { shape, values: Array.from(await reader.read(name), Number) };
      return found;
    } finally {
      await reader.close();
    }
  }

  it.each(["types", "snappy"])("of TensorFlow 2.21 gives the same numbers (%s)", async (name) => {
    const json = JSON.parse(fixture("types.json").toString()) as Record<
      string,
      { shape: number[]; values: string[] }
    >;
    const expected = Object.entries(json).map(([tensor, { shape, values }]) => [
      tensor,
      { shape, values: values.map((value) => (value === "inf" ? Infinity : Number(value))) },
    ]);
    expect(await readAll(join(FIXTURES, name))).toEqual(Object.fromEntries(expected));
  });

  it("gives a row alone", async () => {
    const reader = await openTensorBundle(join(FIXTURES, "types"));
    expect(Array.from(await reader.read("whole", 1), Number)).toEqual([3, -(2 ** 33)]);
    await reader.close();
  });

  it("with tensors of text is refused", async () => {
    const message = await failure(fixture("strings.index"), fixture(`strings${DATA}`));
    expect(message).toBe(
      '.index: has tensor "text" of TensorFlow\'s type 7, not float, half, bfloat16 or int64: this is not the index of a TensorFlow checkpoint that is read here. Copy the folder again.',
    );
  });

  it("that is cut short, changed or missing is told so in one sentence", async () => {
    const [index, data] = [fixture("types.index"), fixture(`types${DATA}`)];
    expect(await failure(index, data.subarray(0, 100))).toMatch(
      /^\.data-00000-of-00001: tensor ".+" ends at byte \d+, but only 100 are there: the file is cut short\. Copy it again\.$/,
    );
    const changed = Buffer.from(data);
    changed[0]! ^= 1;
    expect(await failure(index, changed)).toMatch(
      /^\.data-00000-of-00001: tensor ".+" has a wrong checksum: the file is damaged\. Copy it again\.$/,
    );
    expect(await failure(index.subarray(0, 40), data)).toMatch(
      /^\.index: has 40 bytes, fewer than any table/,
    );
    expect(await failure(index.subarray(1), data)).toMatch(/^\.index: has a block beyond its end/);
    const flipped = Buffer.from(index);
    flipped[20]! ^= 1;
    expect(await failure(flipped, data)).toMatch(/^\.index: has a block whose checksum is wrong/);
    expect(await failure(Buffer.concat([index, index.subarray(0, 8)]), data)).toMatch(
      /^\.index: does not end as a table does/,
    );
    rmSync(`${prefix}${DATA}`);
    cpSync(join(FIXTURES, "types.index"), `${prefix}.index`);
    await expect(openTensorBundle(prefix)).rejects.toThrow(/data-00000-of-00001: cannot be opened \(ENOENT/);
  });

  it("of several files, of other bytes order, or in slices is refused", () => {
    const entry = (key: string, value: number[]) => [
      0,
      key.length,
      value.length,
      ...Buffer.from(key),
      ...value,
    ];
    const ends = [0, 0, 0, 0, 1, 0, 0, 0];
    const parsed = (...entries: number[][]) =>
      parseBundleIndex(table([Uint8Array.of(...entries.flat(), ...ends)]), "x");
    const header = entry("", [0x08, 1]);
    expect(() => parsed(entry("", [0x08, 2]))).toThrow("has its numbers in 2 files, not in one");
    expect(() => parsed(entry("", [0x08, 1, 0x10, 1]))).toThrow("big-endian");
    expect(() => parsed(header, entry("a", [0x08, 1, 0x28, 4]))).toThrow('describes tensor "a" in part');
    expect(() => parsed(header, entry("a", [0x08, 1, 0x3a, 0]))).toThrow('has tensor "a" in slices');
    expect(() => parsed(header, entry("a", [0x08, 1, 0x28, 5]))).toThrow(
      'gives tensor "a" 5 bytes, but float of shape [] has 4',
    );
    expect(() => parsed(header, header)).toThrow("has keys that are not in order");
    expect(() => parsed()).toThrow("has no header");
  });

  it("reads on, or refuses in one sentence, whatever is changed in its index", () => {
    const real = fixture("types.index");
    const block = firstBlock(real);
    expect([...tableEntries(table([block]))]).toEqual([...tableEntries(real)]);
    const packed = [...tableEntries(fixture("snappy.index"))];
    expect(packed.map(({ key }) => Buffer.from(key).toString())).toEqual(
      [...tableEntries(real)].map(({ key }) => Buffer.from(key).toString()),
    );
    let refused = 0;
    let read = 0;
    const attempt = (bytes: Uint8Array) => {
      try {
        parseBundleIndex(bytes, "index");
        read++;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.message).not.toContain("\n");
        refused++;
      }
    };
    // Checksums find almost everything, so most are made right again and what lies behind them is tried.
    for (const damaged of mutations(real, 1000, 1)) attempt(damaged);
    for (const damaged of mutations(block, 6000, 2)) attempt(table([damaged]));
    const compressed = fixture("snappy.index");
    const first = compressed.subarray(0, compressed.indexOf(1, 0) + 1);
    for (const damaged of mutations(compressed, 1000, 3)) attempt(damaged);
    for (const damaged of mutations(first, 2000, 4)) attempt(table([damaged], 1));
    expect(refused + read).toBe(10_000);
    expect(read).toBeGreaterThan(100);
  });

  it("with damaged numbers is never read as if it were whole", async () => {
    const data = fixture(`types${DATA}`);
    cpSync(join(FIXTURES, "types.index"), `${prefix}.index`);
    const expected = await readAll(join(FIXTURES, "types"));
    let refused = 0;
    for (const damaged of mutations(data, 300, 5)) {
      writeFileSync(`${prefix}${DATA}`, damaged);
      try {
        expect(await readAll(prefix)).toEqual(expected);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(250);
  });
});
