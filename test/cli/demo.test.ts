/** Which pairs and which configuration a demonstration begins with; the messages are given here, nothing is fetched. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startDemo } from "../../src/cli/demo.js";
import { readPairs } from "../../src/data/read.js";
import { type DemoCorpusOptions, fetchDemoCorpus } from "../../src/data/recipes/demo-corpus.js";
import type { DemoLanguages } from "../../src/data/recipes/demo-pairs.js";
import { parseConfig } from "../../src/rest/config.js";

vi.mock("../../src/data/recipes/demo-corpus.js", () => ({ fetchDemoCorpus: vi.fn() }));

const messages = {
  de: { source: "Datei öffnen", target: "Open File" },
  zh: { source: "打开文件", target: "Open File" },
};

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "coppice-demo-"));
  const attribution = join(home, "who.md");
  writeFileSync(attribution, "# Attribution\n");
  vi.mocked(fetchDemoCorpus).mockImplementation(async (_, { languages: [language] }: DemoCorpusOptions) => ({
    pairs: [messages[language]],
    file: "",
    attribution,
    programs: [],
  }));
});
afterEach(() => rmSync(home, { recursive: true }));

async function started(languages?: DemoLanguages) {
  const dir = join(home, languages ?? "default");
  await startDemo({ dir, toy: false, note: () => {}, ...(languages && { languages }) });
  const [pair] = await readPairs(join(dir, "pairs.tsv"));
  const config = parseConfig(readFileSync(join(dir, "coppice.yaml"), "utf8"), "coppice.yaml");
  return { pair: `${pair?.source} → ${pair?.target}`, tokenizer: config.evaluate.bleuTokenizer };
}

test("languages name source and target; a Chinese target is measured in characters, as sacreBLEU does", async () => {
  expect(await started()).toEqual({ pair: "Datei öffnen → Open File", tokenizer: "13a" });
  expect(await started("de-en")).toEqual({ pair: "Datei öffnen → Open File", tokenizer: "13a" });
  expect(await started("zh-en")).toEqual({ pair: "打开文件 → Open File", tokenizer: "13a" });
  expect(await started("en-de")).toEqual({ pair: "Open File → Datei öffnen", tokenizer: "13a" });
  expect(await started("en-zh")).toEqual({ pair: "Open File → 打开文件", tokenizer: "zh" });
});

test("a folder of other languages is another demonstration's", async () => {
  await started("zh-en");
  const dir = join(home, "zh-en");
  const again = (languages: DemoLanguages) => startDemo({ dir, toy: false, languages, note: () => {} });
  await expect(again("de-en")).rejects.toThrow(/holds something else than this demonstration/);
  await expect(again("zh-en")).resolves.toBeUndefined();
});

test("licence and authors of the messages stand beside them, for the card of what comes of them", async () => {
  await started("en-de");
  const read = (name: string) => readFileSync(join(home, "en-de", name), "utf8");
  expect(read("ATTRIBUTION.md")).toBe("# Attribution\n");
  expect(JSON.parse(read("source.json"))).toMatchObject({
    recipe: "npm-messages",
    languages: "en-de",
    licence: "MIT, Apache-2.0 and MPL-2.0, by package",
  });
});
