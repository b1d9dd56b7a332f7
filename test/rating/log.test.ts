/** That no rating is lost: half lines, killed processes, several processes, and what undoing leaves. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Answer, appendLine, type LogLine, readLog, standingAnswers } from "../../src/rating/log.js";
import { ratingsFolder, readRounds, storeRound } from "../../src/rating/round.js";
import { temporaryFolder, testRound } from "./rounds.js";

const ROUND = "0123456789ab";

type Line = LogLine extends infer Each
  ? Each extends LogLine
    ? Omit<Each, "id" | "at" | "round">
    : never
  : never;

function line(content: Line): LogLine {
  return { id: randomUUID(), at: "2026-01-02T03:04:05.000Z", round: ROUND, ...content };
}

function rate(item: number, ...scores: number[]): LogLine {
  return line({ rater: "anna", action: "rate", item, scores });
}

function appender(file: string, rater: string, count: number): ChildProcessWithoutNullStreams {
  const script = fileURLToPath(new URL("./appender.ts", import.meta.url));
  return spawn(process.execPath, ["--import", "tsx", script, file, rater, String(count)]);
}

test("what is appended is read back, each line as it was", () => {
  const file = join(temporaryFolder(), "ratings", "ratings.jsonl");
  expect(readLog(file)).toEqual({ lines: [], unreadable: [] });
  const lines = [rate(0, 3, 4), line({ rater: "bün ☃", action: "skip", item: 1, comment: "a\nb\t\u2028" })];
  for (const one of lines) appendLine(file, one);
  expect(readLog(file)).toEqual({ lines, unreadable: [] });
  expect(readFileSync(file, "utf8").split("\n")).toHaveLength(3);
});

test("a line cut at any byte costs itself alone, and what comes after it is kept", () => {
  const [before, cut, after] = [rate(0, 1), rate(1, 2), rate(2, 3)];
  const bytes = Buffer.from(`${JSON.stringify(cut)}\n`);
  const folder = temporaryFolder();
  for (let length = 1; length < bytes.length - 1; length += 7) {
    const file = join(folder, `${length}.jsonl`);
    appendLine(file, before);
    appendFileSync(file, bytes.subarray(0, length));
    appendLine(file, after);
    expect(readLog(file)).toEqual({ lines: [before, after], unreadable: [2] });
  }
});

test("a line of which only the line break is missing counts", () => {
  const file = join(temporaryFolder(), "ratings.jsonl");
  const lines = [rate(0, 1), rate(1, 2)];
  writeFileSync(file, JSON.stringify(lines[0]));
  appendLine(file, lines[1]!);
  expect(readLog(file)).toEqual({ lines, unreadable: [] });
});

test("lines that another hand changed are counted as unreadable, not taken", () => {
  const file = join(temporaryFolder(), "ratings.jsonl");
  const good = rate(0, 6);
  const bad = [
    "no JSON",
    "null",
    "[]",
    JSON.stringify({ ...good, scores: [7] }),
    JSON.stringify({ ...good, scores: [2.5] }),
    JSON.stringify({ ...good, scores: [] }),
    JSON.stringify({ ...good, item: -1 }),
    JSON.stringify({ ...good, rater: "" }),
    JSON.stringify({ ...good, action: "delete" }),
    JSON.stringify({ ...good, more: 1 }),
  ];
  writeFileSync(file, `${[...bad, JSON.stringify(good)].join("\n")}\n`);
  expect(readLog(file)).toEqual({ lines: [good], unreadable: bad.map((_, i) => i + 1) });
});

test("two processes that append at once lose and mix nothing", async () => {
  const file = join(temporaryFolder(), "ratings.jsonl");
  const count = 100;
  const processes = ["anna", "ben"].map((rater) => appender(file, rater, count));
  const codes = await Promise.all(processes.map(async (one) => (await once(one, "exit"))[0]));
  expect(codes).toEqual([0, 0]);
  const { lines, unreadable } = readLog(file);
  expect(unreadable).toEqual([]);
  const answers = standingAnswers(lines, ROUND);
  for (const rater of ["anna", "ben"])
    expect(answers.get(rater)?.map(({ item }) => item)).toEqual(Array.from({ length: count }, (_, i) => i));
});

test("a process killed while it appends loses nothing that it said was kept", async () => {
  const file = join(temporaryFolder(), "ratings.jsonl");
  const process = appender(file, "anna", 100_000);
  let said = "";
  process.stdout.on("data", (data: Buffer) => {
    said += data.toString();
    if (said.length > 37 * 40) process.kill("SIGKILL");
  });
  await once(process, "close");
  const ids = said.split("\n").slice(0, -1);
  expect(ids.length).toBeGreaterThan(30);
  const after = rate(0, 5);
  appendLine(file, after);
  const kept = readLog(file).lines.map(({ id }) => id);
  expect(kept.slice(0, ids.length)).toEqual(ids);
  expect(kept.at(-1)).toBe(after.id);
});

test("the last answer to an item counts; one taken back leaves the one before it", () => {
  const [first, second, other] = [rate(0, 1), rate(0, 5), rate(1, 2)];
  const undo = (id: string, rater = "anna") => line({ rater, action: "undo", undoes: id });
  const standing = (...lines: LogLine[]): Answer[] => standingAnswers(lines, ROUND).get("anna") ?? [];
  expect(standing(first, other, second)).toEqual([other, second]);
  expect(standing(first, second, other, undo(second.id))).toEqual([first, other]);
  expect(standing(first, undo(first.id))).toEqual([]);
  // Two pages may take the same line back.
  expect(standing(first, second, undo(second.id), undo(second.id))).toEqual([first]);
  expect(standing(first, undo(first.id, "ben"))).toEqual([first]);
  expect(standing({ ...first, round: "another" })).toEqual([]);
});

test("a round is stored once and comes back as it was; a damaged file is named", async () => {
  const dir = temporaryFolder();
  const { createdAt: _, ...plan } = testRound({ repeats: 2, checks: 2 });
  const stored = await storeRound(dir, plan);
  expect(await storeRound(dir, plan)).toEqual(stored);
  expect(await readRounds(dir)).toEqual([stored]);
  const file = join(ratingsFolder(dir).rounds, `${stored.id}.json`);
  writeFileSync(file, "{");
  await expect(readRounds(dir)).rejects.toThrow(
    `${file}: this is not a round of ratings as Coppice writes it`,
  );
});

test("ratings are not written through a link that leaves the run folder", () => {
  const [dir, elsewhere] = [temporaryFolder(), temporaryFolder()];
  symlinkSync(elsewhere, join(dir, "ratings"));
  expect(() => ratingsFolder(dir)).toThrow("leads out of the run folder by a link");

  const other = temporaryFolder();
  mkdirSync(join(other, "ratings"));
  writeFileSync(join(elsewhere, "victim"), "");
  symlinkSync(join(elsewhere, "victim"), join(other, "ratings", "ratings.jsonl"));
  expect(() => ratingsFolder(other)).toThrow("leads out of the run folder by a link");

  const dangling = temporaryFolder();
  mkdirSync(join(dangling, "ratings"));
  symlinkSync(join(elsewhere, "not there yet"), join(dangling, "ratings", "imported.jsonl"));
  expect(() => ratingsFolder(dangling)).toThrow("leads out of the run folder by a link");
});
