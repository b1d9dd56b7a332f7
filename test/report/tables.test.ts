import { h } from "preact";
import { describe, expect, test } from "vitest";
import { ReportTable } from "../../src/report/components/report-table.js";
import { renderMarkup } from "../../src/report/render-markup.js";
import {
  bestOfNTable,
  consoleTables,
  exampleEntries,
  examplesText,
  improveTable,
  markdownTables,
  onlineTable,
  policyTable,
  type Table,
  toMarkdown,
  toText,
} from "../../src/report/tables.js";
import { HOSTILE, hostile, improveStep, long, online, onlyBc, policy, rising } from "./samples.js";

const small: Table = {
  title: "Small",
  columns: [
    { header: "name", align: "left" },
    { header: "n", align: "right" },
    { header: "share", align: "right" },
  ],
  rows: [
    { cells: ["BC", "7", "1 %"] },
    { cells: ["G1I1", "1,200", "34 %"], mark: "best" },
    { cells: ["x †", "3", "2 %"], mark: "control" },
  ],
  notes: ["A note."],
};

/** Column `header` of a table, top to bottom. */
function column(table: Table, header: string): string[] {
  const at = table.columns.findIndex((each) => each.header === header);
  expect(at).toBeGreaterThanOrEqual(0);
  return table.rows.map(({ cells }) => cells[at]!);
}

describe("plain text", () => {
  test("columns are aligned: names to the left, figures to the right", () => {
    expect(toText(small)).toBe(
      [
        "Small",
        "name      n  share",
        "──────────────────",
        "BC        7    1 %",
        "G1I1  1,200   34 %",
        "x †       3    2 %",
        "A note.",
      ].join("\n"),
    );
  });
  test("a table wider than the screen continues below with its first column repeated", () => {
    expect(toText(small, { width: 14 })).toBe(
      [
        "Small",
        "name      n",
        "───────────",
        "BC        7",
        "G1I1  1,200",
        "x †       3",
        "",
        "name  share",
        "───────────",
        "BC      1 %",
        "G1I1   34 %",
        "x †     2 %",
        "A note.",
      ].join("\n"),
    );
  });
  test("no line of a run's tables is wider than asked for", () => {
    const lines = consoleTables({ ...long(), examples: [] }, { width: 80 }).split("\n");
    const tableLines = lines.filter(
      (line) => !/^(Mean reward:|†|Each cell|sources:|repeats:|loss:|d: |KL is|BLEU is)/.test(line),
    );
    expect(Math.max(...tableLines.map((line) => Array.from(line).length))).toBeLessThanOrEqual(80);
  });
  test("without colour there is no escape code; with it, the same text remains when codes are taken out", () => {
    const plain = consoleTables(rising());
    expect(plain).not.toContain("\u001b");
    const coloured = consoleTables(rising(), { colour: true });
    expect(coloured).toContain("\u001b[32mG1I3");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for.
    expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(plain);
  });
  test("text of a model cannot move the cursor or ring the bell", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
    expect(consoleTables(hostile())).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });
});

describe("the policy table", () => {
  const table = policyTable(rising());
  test("gives rewards from 0 to 100 with their interval and the change against BC", () => {
    expect(column(table, "mean reward")).toEqual([
      "60.0 [58.8, 61.2]",
      "66.2 [65.1, 67.3]",
      "70.3 [69.3, 71.3]",
      "73.1 [72.1, 74.1]",
      "61.2 [60.0, 62.4]",
    ]);
    expect(column(table, "vs BC")).toEqual(["–", "+6.2", "+10.3", "+13.1", "+1.2"]);
  });
  test("sets a policy against its control, with the interval of the difference where the summary has it", () => {
    expect(column(table, "vs random")).toEqual(["–", "–", "–", "+11.9", "–"]);
    const nothing = { value: 0, low: 0, high: 0 };
    const reward = { value: 0.119, low: 0.1, high: 0.138 };
    const differences = [{ policy: "G1I3", against: "G1I3-random", reward, bleu: nothing, chrf: nothing }];
    expect(column(policyTable({ ...rising(), differences }), "vs random")[3]).toBe("+11.9 [+10.0, +13.8]");
  });
  test("gives BLEU, chrF, KL, diversity, length, unfinished, cost and time as the summary has them", () => {
    expect(table.rows[3]!.cells.slice(4)).toEqual([
      "28.4",
      "52.6",
      "4.00",
      "0.53",
      "73 %",
      "0.98",
      "0.3 %",
      "64,000",
      "72,000",
      "3 min 34 s",
    ]);
  });
  test("marks the control, explains it, and marks the highest reward of ReST", () => {
    expect(table.rows.map(({ mark }) => mark)).toEqual([undefined, undefined, undefined, "best", "control"]);
    expect(table.rows[4]!.cells[0]).toBe("G1I3-random †");
    expect(table.notes.join(" ")).toContain("compare G1I3-random to G1I3");
  });
  test("has a column for the judge beside chrF, where there is one", () => {
    expect(table.columns.map(({ header }) => header)).not.toContain("bleurt-20");
    const summary = rising();
    const judge = { name: "bleurt-20", mean: { value: 0.7123, low: 0.7, high: 0.73 } };
    const policies = summary.policies.map((each, i) => (i === 0 ? each : { ...each, judge }));
    const judged = policyTable({ ...summary, policies });
    const cell = "71.2 [70.0, 73.0]";
    expect(column(judged, "bleurt-20")).toEqual(["–", cell, cell, cell, cell]);
    const headers = judged.columns.map(({ header }) => header);
    expect(headers[headers.indexOf("chrF") + 1]).toBe("bleurt-20");
    expect(judged.notes.join(" ")).toContain("bleurt-20: the judge, which no policy is trained for");
  });
  test("says what was drawn beside Grow, where anything was", () => {
    const summary = rising();
    expect(policyTable(summary).notes.join(" ")).not.toContain("Beside them");
    const policies = summary.policies.map((each, i) => ({
      ...each,
      validationSamples: 1024 * i,
      lessonSamples: 8000,
    }));
    expect(policyTable({ ...summary, policies }).notes).toContain(
      "samples, calls: of Grow. Beside them: 4,096 drawn and scored for validation, 8,000 drawn to teach the reward.",
    );
  });
  test("a control stands below its counterpart and is never the best", () => {
    const summary = long();
    const policies = summary.policies.map((each) =>
      each.control ? { ...each, reward: { value: 0.99, low: 0.98, high: 1 } } : each,
    );
    const names = column(policyTable({ ...summary, policies }), "policy");
    expect(names.indexOf("G1I4-random †")).toBe(names.indexOf("G1I4") + 1);
    expect(policyTable({ ...summary, policies }).rows.find(({ mark }) => mark === "best")!.cells[0]).toBe(
      "G2I4",
    );
  });
  test("policies come in the order they were made, whatever the order in the summary", () => {
    const shuffled = rising();
    shuffled.policies.reverse();
    expect(column(policyTable(shuffled), "policy")).toEqual(column(table, "policy"));
  });
  test("a figure that JSON could not hold is a dash", () => {
    const summary = rising({
      policies: [policy("BC", { klFromBc: Number.NaN, lengthRatio: Number.POSITIVE_INFINITY })],
    });
    expect(column(policyTable(summary), "length")).toEqual(["–"]);
  });
});

describe("the Improve table", () => {
  test("says what each threshold kept", () => {
    expect(improveTable(rising()).rows[2]!.cells).toEqual([
      "G1I3",
      "reward > 0.841 (quantile 0.9)",
      "72,000",
      "7,200",
      "10 %",
      "3,910 of 8,000",
      "60.1",
      "88.9",
      "4.0 %",
      "65,120",
      "14.2",
      "0.4 %",
      "200",
      "1,638,400",
      "18 s",
    ]);
    expect(improveTable(rising()).rows[3]!.mark).toBe("control");
  });
  test("marks the steps on the way to a control too, which nobody evaluates", () => {
    const { improves } = rising();
    const { rows } = improveTable(rising({ improves: [...improves, improveStep("G1I1-random")] }));
    expect(rows.map(({ cells, mark }) => [cells[0], mark])).toEqual([
      ["G1I1", undefined],
      ["G1I2", undefined],
      ["G1I3", undefined],
      ["G1I3-random †", "control"],
      ["G1I1-random †", "control"],
    ]);
  });
});

describe("the table of online training", () => {
  test("has a row a look, BC first, and marks the one whose policy was kept", () => {
    const { rows } = onlineTable(online());
    expect(rows.map(({ cells }) => cells.slice(0, 5))).toEqual([
      ["PPO", "0", "0", "0", "60.0"],
      ["PPO", "2", "1,024", "1,024", "71.0"],
      ["PPO", "3", "1,536", "1,536", "70.0"],
    ]);
    expect(rows.map(({ mark }) => mark)).toEqual([undefined, "best", undefined]);
  });
  test("is left out of a run of ReST, as the Improve table is of an online one", () => {
    expect(consoleTables(rising())).not.toContain("Online training");
    expect(consoleTables(online())).not.toContain("Improve steps");
    expect(column(policyTable(online()), "policy")).toEqual(["BC", "PPO"]);
  });
});

describe("the best-of-N table", () => {
  test("has a row a policy and a column an N; a missing point is a dash", () => {
    const summary = rising({
      bestOfN: [
        { policy: "G1I3", n: 4, reward: 0.8, chrf: 52.25, bleu: 30 },
        { policy: "BC", n: 4, reward: 0.7, chrf: 51, bleu: 30 },
        { policy: "BC", n: 1, reward: 0.6, chrf: 50, bleu: 30 },
      ],
    });
    const table = bestOfNTable(summary);
    expect(table.columns.map(({ header }) => header)).toEqual(["policy", "N = 1", "N = 4"]);
    expect(table.rows.map(({ cells }) => cells)).toEqual([
      ["BC", "60.0 / 50.0", "70.0 / 51.0"],
      ["G1I3", "–", "80.0 / 52.3"],
    ]);
  });
});

describe("Markdown", () => {
  test("has a header, alignment and a row each", () => {
    expect(toMarkdown(small)).toBe(
      [
        "### Small",
        "",
        "| name | n | share |",
        "| :-- | --: | --: |",
        "| BC | 7 | 1 % |",
        "| **G1I1** | **1,200** | **34 %** |",
        "| _x †_ | _3_ | _2 %_ |",
        "",
        "A note.",
      ].join("\n"),
    );
  });
  test("text of a model adds neither cells nor markup", () => {
    const lines = markdownTables(hostile()).split("\n");
    const bars = (line: string): number => line.replace(/\\[\\|]/g, "").split("|").length;
    const rows = lines.filter((line) => line.startsWith("| ") || line.startsWith("| _"));
    const policyRows = rows.slice(0, 7);
    expect(new Set(policyRows.map(bars))).toEqual(new Set([17]));
    expect(lines.join("\n")).not.toContain("<script>");
    expect(lines.join("\n")).toContain("\\](javascript");
    expect(lines.join("\n")).not.toMatch(/[^\\]\]\(javascript/);
  });
});

describe("examples", () => {
  test("policies that wrote the same share a line, in the order of the table", () => {
    const summary = rising();
    expect(exampleEntries(summary, summary.examples[0]!).map(({ policies }) => policies)).toEqual([
      ["BC"],
      ["G1I1"],
      ["G1I2", "G1I3"],
      ["G1I3-random"],
    ]);
  });
  test("a translation by a policy that is not in the table comes last", () => {
    const summary = rising();
    const example = {
      source: "a",
      reference: "b",
      translations: { PPO: { text: "c", reward: 0.5 }, BC: { text: "d", reward: 0.25 } },
    };
    expect(exampleEntries(summary, example).map(({ policies }) => policies[0])).toEqual(["BC", "PPO"]);
  });
  test("are printed with their reward", () => {
    expect(examplesText(rising(), { limit: 1 })).toBe(
      [
        "source              Die Datei konnte nicht gespeichert werden, weil der Datenträger voll ist.",
        "reference           The file could not be saved because the disk is full.",
        "BC            41.2  The file could be saved because the data carrier is.",
        "G1I1          68.8  The file could not be saved because the data carrier is full.",
        "G1I2, G1I3    87.1  The file could not be saved because the disk is full.",
        "G1I3-random   50.7  The file could not be saved because the data is fully.",
      ].join("\n"),
    );
  });
  test("a long text is cut and says how much is missing", () => {
    const summary = rising({
      examples: [{ source: "a".repeat(1000), reference: "b", translations: {} }],
    });
    expect(examplesText(summary)).toContain("… (600 more characters)");
  });
});

test("a summary with nothing but BC prints one table", () => {
  expect(consoleTables(onlyBc()).split("\n")[0]).toBe("Policies");
  expect(consoleTables(onlyBc())).not.toContain("Improve steps");
});

test("an HTML table holds hostile names as text", () => {
  const page = renderMarkup(h(ReportTable, { table: policyTable(hostile()) }));
  expect(page).not.toContain("<script");
  expect(page).toContain("&lt;script&gt;");
  expect(HOSTILE).toContain("<script>");
});
