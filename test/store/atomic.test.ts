import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import {
  removeLeftovers,
  writeAside,
  writeFailure,
  writeFileAtomic,
  writeFolderAtomic,
  writeJsonAtomic,
} from "../../src/store/atomic.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const module = new URL("../../src/store/atomic.ts", import.meta.url).href;
/** Runs code in a process of its own, which may kill itself. */
const runAlone = (code: string) =>
  spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", `import * as atomic from "${module}";\n${code}`],
    { encoding: "utf8" },
  );

describe("writing whole", () => {
  it("text, bytes and JSON are at their path, and nothing else is in the folder", async () => {
    await writeFileAtomic(join(folder, "a.txt"), "grün");
    await writeFileAtomic(join(folder, "b.bin"), new Uint8Array([0, 255]));
    await writeJsonAtomic(join(folder, "deep/er/c.json"), { b: 1, a: [2] });
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("grün");
    expect([...readFileSync(join(folder, "b.bin"))]).toEqual([0, 255]);
    expect(readFileSync(join(folder, "deep/er/c.json"), "utf8")).toBe(
      '{\n  "b": 1,\n  "a": [\n    2\n  ]\n}\n',
    );
    expect(readdirSync(folder).sort()).toEqual(["a.txt", "b.bin", "deep"]);
  });

  it("two writes of one file at once leave one of the two, whole", async () => {
    const path = join(folder, "a.txt");
    const [one, two] = ["1".repeat(100_000), "2".repeat(100_000)];
    await Promise.all([writeFileAtomic(path, one), writeFileAtomic(path, two)]);
    expect([one, two]).toContain(readFileSync(path, "utf8"));
    expect(readdirSync(folder)).toEqual(["a.txt"]);
  });

  it("a folder replaces the one before, files of the old one included", async () => {
    const path = join(folder, "G0I0");
    await writeFolderAtomic(path, (aside) => writeFile(join(aside, "old.txt"), "1"));
    await writeFolderAtomic(path, (aside) => writeFile(join(aside, "new.txt"), "2"));
    expect(readdirSync(path)).toEqual(["new.txt"]);
    expect(readdirSync(folder)).toEqual(["G0I0"]);
  });

  it("a failed write leaves the old file and no leftover", async () => {
    const path = join(folder, "a.txt");
    await writeFileAtomic(path, "old");
    const failing = writeAside(path, async (aside) => {
      await writeFile(aside, "half");
      throw new Error("broken");
    });
    await expect(failing).rejects.toThrow("broken");
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["a.txt"]);
  });

  it("a process killed while writing leaves the old file, and its leftovers are cleared", async () => {
    await writeFileAtomic(join(folder, "a.txt"), "old");
    const killed = runAlone(`
      import { writeFileSync } from "node:fs";
      const die = () => process.kill(process.pid, "SIGKILL");
      await atomic.writeFolderAtomic(${JSON.stringify(join(folder, "sub/G0I0"))}, async (aside) => {
        writeFileSync(aside + "/half.txt", "half");
        await atomic.writeAside(${JSON.stringify(join(folder, "a.txt"))}, async (aside) => {
          writeFileSync(aside, "half"); die(); await new Promise(() => setTimeout(() => {}, 9999));
        });
      });`);
    expect(killed.signal).toBe("SIGKILL");
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("old");
    expect(existsSync(join(folder, "sub/G0I0"))).toBe(false);
    writeFileSync(join(folder, "notes.tmp-1"), "the user's own, not hidden");
    expect(await removeLeftovers(folder)).toHaveLength(2);
    expect(readdirSync(folder).sort()).toEqual(["a.txt", "notes.tmp-1", "sub"]);
    expect(readdirSync(join(folder, "sub"))).toEqual([]);
  });

  it("clearing a folder that is not there does nothing", async () => {
    expect(await removeLeftovers(join(folder, "nowhere"))).toEqual([]);
  });
});

describe("what the user can mend", () => {
  it.runIf(existsSync("/dev/full"))("a full disk says that nothing is lost and what to do", async () => {
    // The kernel's own ENOSPC, from the device that is always full.
    const writing = writeAside(join(folder, "a.bin"), () => writeFile("/dev/full", "x"));
    await expect(writing).rejects.toThrow(UserError);
    await expect(writing).rejects.toThrow(/a\.bin: the disk is full.*Free some space/);
  });

  it.runIf(existsSync("/dev/full"))(
    "a full disk names the folder asked for, not the hidden one",
    async () => {
      const writing = writeFolderAtomic(join(folder, "model"), async (aside) => {
        const cause = await writeFile("/dev/full", "x").catch((error: unknown) => error);
        throw new UserError("cannot be written", { file: join(aside, "weights") }, { cause });
      });
      await expect(writing).rejects.toThrow(`${join(folder, "model")}: the disk is full`);
    },
  );

  it("DuckDB's words for a full disk are understood, though it gives no code", () => {
    const error = new Error('IO Error: Could not write file "x": No space left on device');
    expect(writeFailure(error, "x.parquet")).toBeInstanceOf(UserError);
  });

  it("a read-only folder is named", async () => {
    const readOnly = join(folder, "ro");
    mkdirSync(readOnly);
    chmodSync(readOnly, 0o555);
    // Root may write anywhere: there, the kernel's /proc is the folder in which nobody can.
    const path = process.getuid?.() === 0 ? "/sys/coppice/a.txt" : join(readOnly, "a.txt");
    await expect(writeFileAtomic(path, "x")).rejects.toThrow(
      /a\.txt: this could not be written because its folder is read-only/,
    );
    expect(readdirSync(readOnly)).toEqual([]);
  });

  it("a file where a folder is needed is named", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(writeFileAtomic(join(folder, "file/a.txt"), "x")).rejects.toThrow(UserError);
  });

  it("other errors stay what they are", () => {
    const error = new TypeError("a bug");
    expect(writeFailure(error, "x")).toBe(error);
  });
});
