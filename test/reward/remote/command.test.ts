import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { Interrupted, UserError } from "../../../src/errors.js";
import { createReward, type RewardContext } from "../../../src/reward/create.js";
import type { CommandOptions } from "../../../src/reward/remote/command.js";
import { ScoreCache } from "../../../src/store/score-cache.js";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "coppice-command-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A program that has `line`, `item` and `nth` (from 1) for each line; `say` answers, `log` notes what it did. */
async function program(
  code: string,
  options: Partial<CommandOptions> = {},
  context: Partial<RewardContext> = {},
) {
  const name = `program-${count++}.mjs`;
  const log = join(dir, `${name}.log`);
  writeFileSync(
    join(dir, name),
    `import { appendFileSync } from "node:fs";
     import { createInterface } from "node:readline";
     const log = (text) => appendFileSync(${JSON.stringify(log)}, text + "\\n");
     const say = (text) => process.stdout.write(text + "\\n");
     log("start " + process.pid);
     let nth = 0;
     for await (const line of createInterface({ input: process.stdin })) {
       nth++;
       const item = JSON.parse(line);
       log(item.candidate);
       ${code}
     }
     log("end");`,
  );
  const reward = await createReward(
    {
      kind: "command",
      command: [process.execPath, name],
      name: null,
      needsReference: false,
      batchSize: 2,
      timeoutSeconds: 20,
      ...options,
    },
    { configFile: join(dir, "coppice.yaml"), ...context },
  );
  onTestFinished(() => reward.close?.());
  return { reward, name, read: () => readFileSync(log, "utf8").trim().split("\n") };
}
let count = 0;

const inputs = ["a", "bb", "ccc", "dddd", "eeeee"].map((candidate) => ({ source: "ß\n", candidate }));
const byLength = "say(item.candidate.length / 10);";

async function complaint(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

it("one process answers all batches, and is told when there are no more", async () => {
  const { reward, name, read } = await program(
    'if (item.source !== "ß\\n" || "reference" in item) throw "wrong"; if (nth % 2) say(item.candidate.length / 10); else say(JSON.stringify({ reward: item.candidate.length / 10 }));',
  );
  expect(await reward.score(inputs)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
  expect(await reward.score(inputs.slice(3))).toEqual([0.4, 0.5]);
  expect(reward.name).toBe(`command node ${name}`);
  await reward.close!();
  const [start, ...rest] = read();
  expect(start).toMatch(/^start \d+$/);
  expect(rest).toEqual(["a", "bb", "ccc", "dddd", "eeeee", "dddd", "eeeee", "end"]);
});

it("the reference goes along where it is asked for", async () => {
  const { reward } = await program('say(item.reference === "r" ? 1 : 0);', { needsReference: true });
  expect(await reward.score([{ ...inputs[0]!, reference: "r" }])).toEqual([1]);
});

it("a crash says its last words; what came before it is kept, and the next call starts anew", async () => {
  const cache = ScoreCache.inMemory();
  const { reward, name, read } = await program(
    'if (item.candidate === "dddd" && nth > 1) { console.error("out of\\n  memory"); process.exit(3); } say(item.candidate.length / 10);',
    {},
    { cache },
  );
  const said = await complaint(reward.score(inputs));
  expect(said).toBe(
    `reward "command node ${name}": ${process.execPath} ${name} ended with code 3 after 1 of 2 lines; it said on standard error: ` +
      "out of memory; mend the program, which has to answer every line by one line, and run the same command again: " +
      "a run keeps what it has got",
  );
  expect(await reward.score(inputs)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
  expect(read().filter((line) => !line.startsWith("start"))).toEqual([
    "a",
    "bb",
    "ccc",
    "dddd",
    "dddd",
    "eeeee",
  ]);
});

it.each([
  ['say("good");', 'returned the text "good" for source "ß\\n", candidate "a"'],
  ["say(NaN);", 'returned the text "NaN"'],
  ["say('{\"score\": 1}');", "returned an object for"],
  ["say(1.5);", "returned 1.5 for source"],
  ['console.error("hm"); say("");', "; it said on standard error: hm"],
  ["say(1); say(1);", "wrote 4 lines for 2"],
  ["if (nth === 1) say(1);", "wrote 1 of 2 lines and then nothing for 5 seconds (does it flush"],
  ["process.kill(process.pid, 'SIGKILL');", "was ended by SIGKILL after 0 of 2 lines"],
  ['process.stdout.write("x".repeat(2 ** 21));', "wrote a line of more than 1048576 characters"],
])("%s: %s", async (code, expected) => {
  const { reward } = await program(code, { timeoutSeconds: code.includes("nth") ? 5 : 20 });
  expect(await complaint(reward.score(inputs.slice(0, 2)))).toContain(expected);
});

it("a line too many is noticed when the next batch comes", async () => {
  const { reward } = await program("say(1); if (nth === 2) setTimeout(() => say(0.5), 500);");
  await reward.score(inputs.slice(0, 2));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await complaint(reward.score(inputs.slice(2)))).toContain(
    'wrote more lines than it was given, one of them "0.5"',
  );
});

it("being stopped ends the program too", async () => {
  const stop = new AbortController();
  const { reward, read } = await program("", {}, { signal: stop.signal });
  const scores = reward.score(inputs);
  setTimeout(() => stop.abort(), 3000);
  await expect(scores).rejects.toThrow(Interrupted);
  const pid = Number(read()[0]!.split(" ")[1]);
  await expect.poll(() => runs(pid)).toBe(false);
});

it("a program that does not end by itself is ended", { timeout: 20_000 }, async () => {
  const { reward, read } = await program(`${byLength} setInterval(() => 0, 1000);`);
  await reward.score(inputs);
  await reward.close!();
  const pid = Number(read()[0]!.split(" ")[1]);
  await expect.poll(() => runs(pid)).toBe(false);
});

it("a changed script is another reward; a renamed one that does not exist is said at once", async () => {
  const cache = ScoreCache.inMemory();
  const context = { configFile: join(dir, "coppice.yaml"), cache };
  const options = {
    kind: "command",
    command: ["sh", "constant.sh"],
    name: "mine",
    needsReference: false,
    batchSize: 8,
    timeoutSeconds: 20,
  } as const;
  for (const expected of [0.25, 0.75]) {
    writeFileSync(join(dir, "constant.sh"), `while read -r line; do echo ${expected}; done\n`);
    const reward = await createReward(options, context);
    expect(await reward.score(inputs.slice(0, 1))).toEqual([expected]);
    await reward.close!();
  }
  expect(await complaint(createReward({ ...options, command: ["no-such-program"] }, context))).toContain(
    'coppice.yaml: reward.command starts with "no-such-program", and there is no such program in',
  );
});

it("many long lines do not lock the pipes", async () => {
  const { reward } = await program(byLength.replace("/ 10", "/ 1e5"), { batchSize: 500 });
  const many = Array.from({ length: 500 }, (_, i) => ({ source: "s", candidate: "x".repeat(5000 + i) }));
  expect(await reward.score(many)).toEqual(many.map(({ candidate }) => candidate.length / 1e5));
});

/** A process that has ended and waits to be looked after (Z) does not run. */
function runs(pid: number): boolean {
  try {
    return !execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("Z");
  } catch {
    return false;
  }
}
