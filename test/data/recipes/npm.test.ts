import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fetchPackage, unpackPackage } from "../../../src/data/recipes/npm.js";
import type { PinnedPackage } from "../../../src/data/recipes/packages.js";

// A package made here and a stand-in for npm that hands it out: the real npm is used by demo-corpus.test.ts.
describe.skipIf(process.platform === "win32")("a pinned package", () => {
  let folder: string;
  let downloads: string;
  let pinned: PinnedPackage;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "coppice-npm-"));
    downloads = join(folder, "cache", "downloads");
    await mkdir(join(folder, "package", "locales"), { recursive: true });
    await writeFile(join(folder, "package", "locales", "de.json"), '{"ok": "Gut"}');
    await writeFile(join(folder, "package", "LICENSE"), "Free.");
    await writeFile(join(folder, "package", "index.js"), "throw new Error('never run')");
    execFileSync("tar", ["-czf", "tiny.tgz", "package"], { cwd: folder });
    const content = await readFile(join(folder, "tiny.tgz"));
    pinned = {
      name: "@scope/tiny",
      version: "1.2.3",
      integrity: `sha512-${createHash("sha512").update(content).digest("base64")}`,
      licence: "MIT",
      copyright: "nobody",
      members: ["package/locales", "package/LICENSE"],
    };
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  async function npmDoes(script: string): Promise<void> {
    const bin = join(folder, "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "npm"), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, "npm"), 0o755);
    vi.stubEnv("PATH", `${bin}:${process.env.PATH}`);
  }
  const givesTarball = () => `cp "${join(folder, "tiny.tgz")}" scope-tiny-1.2.3.tgz`;

  test("is fetched by name and version, checked and kept", async () => {
    await npmDoes(`echo "$@" > "${join(folder, "asked")}"; ${givesTarball()}`);
    const tarball = await fetchPackage(pinned, downloads);
    expect(await readdir(downloads)).toEqual(["scope-tiny-1.2.3.tgz"]);
    expect(await readFile(tarball)).toEqual(await readFile(join(folder, "tiny.tgz")));
    expect(await readFile(join(folder, "asked"), "utf8")).toMatch(
      /^pack @scope\/tiny@1\.2\.3 .*--ignore-scripts/,
    );
  });

  test("that is there needs no npm", async () => {
    await npmDoes(givesTarball());
    await fetchPackage(pinned, downloads);
    await npmDoes("exit 1");
    await expect(fetchPackage(pinned, downloads)).resolves.toBe(join(downloads, "scope-tiny-1.2.3.tgz"));
  });

  test("that was cut off is fetched again", async () => {
    await npmDoes(givesTarball());
    await mkdir(downloads, { recursive: true });
    await writeFile(join(downloads, "scope-tiny-1.2.3.tgz"), "half");
    const tarball = await fetchPackage(pinned, downloads);
    expect((await readFile(tarball)).length).toBeGreaterThan(100);
  });

  test("with another content is refused and not kept", async () => {
    await npmDoes("echo other > scope-tiny-1.2.3.tgz");
    await expect(fetchPackage(pinned, downloads)).rejects.toThrow(
      /^npm gave a @scope\/tiny@1\.2\.3 with sha512-.+, expected sha512-.+; it was not used\. Check which registry/,
    );
    expect(await readdir(downloads)).toEqual([]);
  });

  test("without network is a sentence", async () => {
    await npmDoes('echo "npm error code ENOTFOUND" >&2; exit 1');
    await expect(fetchPackage(pinned, downloads)).rejects.toThrow(
      "npm could not reach its registry for @scope/tiny@1.2.3; connect to the network",
    );
  });

  test("that the registry lacks is a sentence", async () => {
    await npmDoes('echo "npm error code E404" >&2; exit 1');
    await expect(fetchPackage(pinned, downloads)).rejects.toThrow(
      "your npm registry has no @scope/tiny@1.2.3",
    );
  });

  test("that npm can't give for another reason names npm's reason", async () => {
    await npmDoes('printf "npm error code EWHAT\\nnpm error the moon is full\\n" >&2; exit 1');
    await expect(fetchPackage(pinned, downloads)).rejects.toThrow("failed: npm error the moon is full.");
  });

  test("without npm is a sentence", async () => {
    vi.stubEnv("PATH", join(folder, "nothing"));
    await expect(fetchPackage(pinned, downloads)).rejects.toThrow("the command npm was not found");
  });

  test("is unpacked to the members that are read, and no code", async () => {
    const unpacked = await unpackPackage(pinned, join(folder, "tiny.tgz"), join(folder, "cache"));
    expect((await readdir(join(unpacked, "package"), { recursive: true })).sort()).toEqual([
      "LICENSE",
      "locales",
      "locales/de.json",
    ]);
  });
});
