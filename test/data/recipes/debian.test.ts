/** A package made here, handed out by a server on this machine: Debian's mirrors are not asked. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  arMembers,
  decompressed,
  fetchPinned,
  type PinnedFile,
  unpackDebs,
} from "../../../src/data/recipes/debian.js";
import { buildCorpus } from "../../../src/data/recipes/get.js";
import { recipeNamed } from "../../../src/data/recipes/recipes.js";

/** deb(5): a header of 60 characters before each member, an odd one filled up. */
function ar(members: Record<string, Buffer>): Buffer {
  const parts = Object.entries(members).flatMap(([name, content]) => {
    const fields: [string, number][] = [
      [name, 16],
      ["0", 12],
      ["0", 6],
      ["0", 6],
      ["100644", 8],
      [String(content.length), 10],
    ];
    const header = `${fields.map(([text, width]) => text.padEnd(width)).join("")}\`\n`;
    return [Buffer.from(header), content, Buffer.alloc(content.length % 2, "\n")];
  });
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}

let home: string;
let deb: Buffer;
let file: PinnedFile;
let server: Server;
let mirror: string;
let answer: () => [status: number, content: Buffer];
let asked: string[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "coppice-debian-"));
  mkdirSync(join(home, "tree/usr/share/garden"), { recursive: true });
  writeFileSync(join(home, "tree/usr/share/garden/text"), "Der Baum ist alt. :: The tree is old.\n");
  writeFileSync(join(home, "tree/usr/share/garden/program"), "never unpacked");
  execFileSync("tar", ["-cf", "../data.tar", "."], { cwd: join(home, "tree") });
  deb = ar({
    "debian-binary": Buffer.from("2.0\n"),
    odd: Buffer.from("odd"),
    "data.tar": readFileSync(join(home, "data.tar")),
  });
  file = {
    ...{ path: "pool/main/g/garden_1%2bdeb1_all.deb", name: "garden=1+deb1", bytes: deb.length },
    sha256: createHash("sha256").update(deb).digest("hex"),
  };
  asked = [];
  answer = () => [200, deb];
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const [status, content] = answer();
    response.writeHead(status).end(content);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  mirror = `http://127.0.0.1:${address.port}/debian/`;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(home, { recursive: true });
});

const options = () => ({ cache: join(home, "cache"), mirror, note: () => {} });

describe("a pinned file", () => {
  test("is fetched, checked and kept; then no mirror is asked", async () => {
    const place = await fetchPinned(file, options());
    expect(readFileSync(place)).toEqual(deb);
    expect(place).toBe(join(home, "cache", "downloads", "garden_1+deb1_all.deb"));
    answer = () => [500, Buffer.alloc(0)];
    expect(await fetchPinned(file, options())).toBe(place);
    expect(asked).toEqual(["/debian/pool/main/g/garden_1%2bdeb1_all.deb"]);
  });

  test("with another content is refused and not kept", async () => {
    const other = Buffer.from(deb);
    other[other.length - 700] = 65;
    answer = () => [200, other];
    await expect(fetchPinned(file, options())).rejects.toThrow(
      /^garden=1\+deb1 could not be fetched from a Debian mirror \(127\.0\.0\.1:\d+: another content than the pinned one, not used\); connect/,
    );
    expect(readdirSync(home)).not.toContain("cache");
  });

  test("that a mirror lacks, and a mirror that is not there, are sentences", async () => {
    answer = () => [404, Buffer.alloc(0)];
    await expect(fetchPinned(file, options())).rejects.toThrow(/: 404 Not Found\); connect to the network/);
    await expect(fetchPinned(file, { ...options(), mirror: "http://127.0.0.1:9" })).rejects.toThrow(
      /get it elsewhere with apt-get download garden=1\+deb1 and give its folder with --from\.$/,
    );
  });

  test("is found in the user's folder under any name, by its content", async () => {
    writeFileSync(join(home, "a.deb"), Buffer.alloc(deb.length));
    writeFileSync(join(home, "z.deb"), deb);
    expect(await fetchPinned(file, { ...options(), from: home })).toBe(join(home, "z.deb"));
    expect(asked).toEqual([]);
    rmSync(join(home, "z.deb"));
    await expect(fetchPinned(file, { ...options(), from: home })).rejects.toThrow(
      /: garden=1\+deb1 is not here as it was pinned \(\d+ bytes, SHA-256 [0-9a-f]{64}\)/,
    );
    await expect(fetchPinned(file, { ...options(), from: join(home, "no") })).rejects.toThrow(
      /no: there is no such file/,
    );
  });
});

describe.skipIf(process.platform === "win32")("a package", () => {
  test("is unpacked to the members that are read", async () => {
    writeFileSync(join(home, "garden.deb"), deb);
    const folder = await unpackDebs(
      [join(home, "garden.deb")],
      ["usr/share/garden/text"],
      join(home, "cache"),
    );
    expect(readdirSync(join(folder, "usr/share/garden"))).toEqual(["text"]);
    expect(readdirSync(folder)).toEqual(["usr"]);
  });

  test("without data, or without a program to unpack it, is a sentence and leaves nothing", async () => {
    writeFileSync(join(home, "empty.deb"), ar({ "debian-binary": Buffer.from("2.0\n") }));
    await expect(unpackDebs([join(home, "empty.deb")], [], join(home, "cache"))).rejects.toThrow(
      /empty\.deb: there is no data\.tar in this file/,
    );
    writeFileSync(join(home, "garden.deb"), deb);
    vi.stubEnv("PATH", "/nowhere");
    await expect(unpackDebs([join(home, "garden.deb")], [], join(home, "cache"))).rejects.toThrow(
      /garden\.deb: tar and xz is needed to unpack this; install it/,
    );
    writeFileSync(join(home, "index.xz"), "x");
    await expect(decompressed(join(home, "index.xz"), join(home, "cache"))).rejects.toThrow(
      /index\.xz: xz is needed/,
    );
    expect(readdirSync(join(home, "cache"))).toEqual([]);
  });
});

test("an archive that is none, is cut short or has a broken header is a sentence", () => {
  expect([...arMembers(deb, "a.deb").keys()]).toEqual(["debian-binary", "odd", "data.tar"]);
  const broken = Buffer.from(deb);
  broken.write("x", 8 + 48);
  // Back to the same header, for ever.
  const negative = Buffer.from(deb);
  negative.write("-60", 8 + 48);
  for (const content of [Buffer.from("PK"), deb.subarray(0, deb.length - 20), broken, negative])
    expect(() => arMembers(content, "a.deb")).toThrow(
      "a.deb: this is not a Debian package, or it is cut short; fetch it again.",
    );
});

test("descriptions are read out of apt's own lists, joined by their hash", async () => {
  const md5 = "0123456789abcdef0123456789abcdef";
  const stanza = (language: string, short: string, text: string) =>
    `Package: garden\nDescription-md5: ${md5}\nDescription-${language}: ${short}\n ${text}\n\n`;
  const lists = join(home, "lists");
  mkdirSync(lists);
  const name = "mirror_debian_dists_bookworm_main_i18n_Translation-";
  // The last stanza has no blank line behind it.
  writeFileSync(join(lists, `${name}de`), stanza("de", "Ein Garten", "Mit Bäumen. Und Beeten.").trimEnd());
  writeFileSync(join(lists, `${name}en`), stanza("en", "garden", "With trees. And beds."));
  const out = join(home, "out");
  const languages = ["de", "en"] as const;
  await buildCorpus(recipeNamed("debian-descriptions"), out, { ...options(), languages, from: lists });
  expect(readFileSync(join(out, "pairs.tsv"), "utf8")).toBe(
    "Ein Garten\tgarden\nMit Bäumen.\tWith trees.\nUnd Beeten.\tAnd beds.\n",
  );
  rmSync(join(lists, `${name}de`));
  await expect(
    buildCorpus(recipeNamed("debian-descriptions"), out, { ...options(), languages, from: lists }),
  ).rejects.toThrow(/lists: there is no Translation-de here/);
});
