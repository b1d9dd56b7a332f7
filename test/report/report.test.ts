import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { renderReport } from "../../src/report/report.js";
import { verdict } from "../../src/report/verdict.js";
import type { RunSummary } from "../../src/store/summary.js";
import { badlyNested, tags, words } from "./markup.js";
import { HOSTILE, hostile, long, onlyBc, rising } from "./samples.js";

const shapes: [string, RunSummary][] = [
  ["a run with a control", rising()],
  ["two Grow steps of four", long()],
  ["BC alone", onlyBc()],
  ["hostile text", hostile()],
  ["nothing evaluated", rising({ policies: [], improves: [], bestOfN: [], examples: [] })],
];

/** All that the page is made of; anything else came from outside. */
const ELEMENTS = new Set(
  `!doctype html head meta title style body main header h1 h2 section p b bdi div dl dt dd small figure svg g path line
  text rect ul li span table caption thead tbody tr th td article mark details summary pre`.split(/\s+/),
);
const FORBIDDEN_ATTRIBUTE = /^(on.*|style|href|src|srcset|action|xlink:href|background|srcdoc|data)$/i;

describe.each(shapes)("%s", (_, summary) => {
  let page = "";
  beforeAll(async () => {
    page = await renderReport(summary);
  });

  test("the page is well formed, of known elements only, without handlers, addresses or inline styles", () => {
    const all = tags(page);
    expect(badlyNested(all)).toEqual([]);
    expect(all.map(({ name }) => name).filter((name) => !ELEMENTS.has(name))).toEqual([]);
    const attributes = all.flatMap((tag) => [...tag.attributes.keys()]);
    expect(attributes.filter((name) => FORBIDDEN_ATTRIBUTE.test(name))).toEqual([]);
  });
  test("nothing is loaded: no address outside the SVG name spaces, none in the style sheet", () => {
    const addresses = Array.from(page.matchAll(/\b(?:https?:)?\/\/[^\s"'<)]+/g), ([address]) => address);
    expect(addresses.filter((address) => !address.startsWith("http://www.w3.org/"))).toEqual([]);
    expect(page).not.toMatch(/@import|url\(/);
  });
  test("the security policy allows this style sheet, by its hash, and nothing else", () => {
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!;
    const hash = createHash("sha256").update(style).digest("base64");
    const policy = tags(page).find(
      ({ attributes }) => attributes.get("http-equiv") === "Content-Security-Policy",
    );
    expect(policy!.attributes.get("content")).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
  });
  test("the same summary gives the same bytes", async () => {
    await renderReport(onlyBc());
    expect(await renderReport(structuredClone(summary))).toBe(page);
  });
  test("the headline and every finding are on the page", () => {
    const text = words(page);
    const { headline, findings } = verdict(summary);
    for (const sentence of [headline, ...findings.map((finding) => finding.text)]) {
      expect(text).toContain(sentence.replace(/\s+/g, " "));
    }
  });
  test("no character that acts on its surroundings is left", () => {
    expect(page).not.toMatch(/[^\P{Cc}\n]|[\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
  });
});

test("hostile text is shown as it is written", async () => {
  const text = words(await renderReport(hostile()));
  expect(HOSTILE).toContain("<script>alert(1)</script></svg>");
  expect(text.match(/<script>alert\(1\)<\/script><\/svg>/g)!.length).toBeGreaterThan(10);
  expect(text).toContain("[U+202E]reversed[U+202C]");
});

test("words that differ from the reference are marked and left-out ones leave a gap", async () => {
  const page = await renderReport(rising());
  expect(page).toContain("because the <mark>data</mark> <mark>carrier</mark> is");
  expect(page).toMatch(/The file could <span class="gap"[^>]*>‸<\/span>be saved/);
});

test("sentences after the sixth are folded away", async () => {
  const [example] = rising().examples;
  const page = await renderReport(rising({ examples: Array.from({ length: 9 }, () => example!) }));
  expect(page).toContain("<details><summary>3 more sentences</summary>");
  expect(page.match(/<article/g)).toHaveLength(9);
});

test("an empty translation and a very long one are shown as such", async () => {
  const page = await renderReport(
    rising({
      examples: [
        {
          source: "a",
          reference: "b",
          translations: { BC: { text: "", reward: 0 }, G1I1: { text: "word ".repeat(30_000), reward: 0.1 } },
        },
      ],
    }),
  );
  expect(page).toContain("(empty)");
  expect(words(page)).toContain("… (148,000 more characters)"); // 30,000 × 5 − 2,000
  expect(page.length).toBeLessThan(300_000);
});

test("how it was made: data, signatures, agreement of the reward, machine, seed, version and date", async () => {
  const text = words(await renderReport(rising()));
  for (const part of [
    "8,000 for training, 1,200 for the reward, 400 for validation, 800 for the test",
    "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0",
    "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0",
    "Kendall's τ 0.470, Spearman's ρ 0.630, 74 % of pairs of one source in the right order, on unseen sources (6,400 pairs)",
    "Sample CPU @ 2.4 GHz, 2 cores, 8 GB, linux x64, Node v20.19.0",
    "Seed 17",
    "2025-03-01T12:00:00.000Z",
    "Coppice 0.1.0",
    "temperature: 0.8",
  ]) {
    expect(text).toContain(part);
  }
  expect(words(await renderReport(onlyBc()))).toContain("not measured (not a learned reward)");
});

test("a reward taught again says how it agrees since", async () => {
  const again = { grow: 2, kendall: 0.51, spearman: 0.66, pairwiseAccuracy: 0.76, pairs: 1000 };
  const text = words(
    await renderReport(rising({ reward: { name: "learned", kendall: 0.47, retrained: [again] } })),
  );
  expect(text).toContain("Kendall's τ 0.470, on unseen sources");
  expect(text).toContain(
    "Taught again before Grow 2 Kendall's τ 0.510, Spearman's ρ 0.660, 76 % of pairs of one source in the right order, on unseen sources (1,000 pairs)",
  );
});

test("secrets of the configuration stay out of the page", async () => {
  const config = {
    reward: {
      kind: "http",
      url: "http://user:hunter2@scorer.example/score",
      apiKey: "sk-1",
      headers: { Authorization: "Bearer sk-2", "x-api-key": "sk-3" },
    },
    grow: { maxTokens: 64, batchTokens: 4096 },
  };
  const text = words(await renderReport(rising({ config })));
  expect(text).not.toMatch(/hunter2|sk-\d/);
  expect(text).toContain("maxTokens: 64");
  expect(text).toContain("batchTokens: 4096");
  expect(text).toContain("scorer.example/score");
});

test("a page says how its translations were found", async () => {
  expect(words(await renderReport(rising()))).toMatch(/greedy translations/);
  const searched = await renderReport(rising({ beam: 4 }));
  expect(searched).toContain("translations by beam search (width 4) against the references");
  // Nowhere: neither in words nor in what screen readers are told of a chart.
  expect(searched).not.toMatch(/greedy/i);
});
