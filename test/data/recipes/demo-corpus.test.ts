import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { fetchDemoCorpus } from "../../../src/data/recipes/demo-corpus.js";
import { catalogues } from "../../../src/data/recipes/packages.js";

test("every package is pinned to a version and a sha512", () => {
  for (const language of ["de", "zh"] as const) {
    for (const { name, version, integrity } of catalogues.flatMap((each) => each.packages(language))) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(Buffer.from(integrity.replace("sha512-", ""), "base64"), name).toHaveLength(64);
    }
  }
});

const network = process.env.COPPICE_NETWORK === "1";
if (!network) console.warn("SKIPPED: the real download of the demo corpus (set COPPICE_NETWORK=1)");

describe.skipIf(!network)("the real packages", () => {
  let cache: string;
  afterAll(() => rm(cache, { recursive: true }));

  test("give ten thousand distinct pairs, from the cache alone the second time", async () => {
    cache = await mkdtemp(join(tmpdir(), "coppice-demo-"));
    const first = await fetchDemoCorpus(cache, { languages: ["de", "en"] });
    // 10,523 were counted by another program from the same packages, before cleaning and with fewer of VS Code's.
    expect(first.pairs.length).toBeGreaterThan(10_000);
    expect(new Set(first.pairs.map((pair) => JSON.stringify(pair))).size).toBe(first.pairs.length);
    expect(first.pairs).toContainEqual({ source: "Dialogfeld schließen", target: "Close Dialog" });
    expect(first.pairs).toContainEqual({ source: "Zum Suchen eingeben", target: "Type to search" });
    expect(await readFile(first.attribution, "utf8")).toContain("Mozilla Public License");

    vi.stubEnv("PATH", "/nowhere");
    const again = await fetchDemoCorpus(cache, { languages: ["de", "en"] });
    expect(again).toEqual(first);
    const short = await fetchDemoCorpus(cache, { languages: ["de", "en"], maxWords: 6 });
    expect(short.pairs.every(({ target }) => target.split(" ").length <= 8)).toBe(true);
    expect(short.pairs.length).toBeGreaterThan(2000);

    // A damaged result is built again out of the downloads; tar is needed, npm is not.
    vi.unstubAllEnvs();
    vi.stubEnv("npm_config_registry", "http://127.0.0.1:9");
    await writeFile(first.file, "half\ta file\n");
    expect(await fetchDemoCorpus(cache, { languages: ["de", "en"] })).toEqual(first);
    vi.unstubAllEnvs();
  });
});
