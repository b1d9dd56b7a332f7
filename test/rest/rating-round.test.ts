/** A round of ratings out of a run's folder, and the command that prints what its ratings come to. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RatingDesk } from "../../src/rating/desk.js";
import { ratingsFolder } from "../../src/rating/round.js";
import { beginRound } from "../../src/rest/rating-round.js";
import { Manifest } from "../../src/store/manifest.js";
import { coppice } from "../cli/coppice.js";

const SOURCES = 30;

/** What a run leaves that ratings are taken from: test pairs, evaluations, and a manifest that says they are done. */
async function ratedRun(policies = ["G0I0", "G1I1", "G1I1-random"]): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "coppice-rate-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const folder of ["data", "evaluation", "policies"]) mkdirSync(join(dir, folder));
  const pairs = Array.from({ length: SOURCES }, (_, i) =>
    JSON.stringify({ source: `Quelle ${i}`, target: `the human translation of number ${i}` }),
  );
  writeFileSync(join(dir, "data", "test.jsonl"), `${pairs.join("\n")}\n`);
  const manifest = await Manifest.create(dir, { coppice: "0", seed: 7, config: {} });
  for (const [at, policy] of policies.entries()) {
    // One source fewer than there are pairs, as where the configuration asks for fewer.
    const translations = Array.from({ length: SOURCES - 1 }, (_, i) => ({
      text: i % 5 === 0 ? `all write ${i}` : `${policy} writes ${i}`,
      reward: (at + 1) / 4,
    }));
    writeFileSync(join(dir, "evaluation", `${policy}.json`), JSON.stringify({ translations }));
    await manifest.finish(policy, { seconds: 1 });
    await manifest.finish(`evaluate-${policy}`, { seconds: 1, outputs: [`evaluation/${policy}.json`] });
  }
  await manifest.finish("G2I1", { seconds: 1 });
  return dir;
}

test("a round shows what evaluation stored, of the policies that are asked for", async () => {
  const dir = await ratedRun();
  const round = await beginRound(dir, { policies: ["BC", "G1I1-random"], items: 20 });
  expect(round.policies).toEqual(["G0I0", "G1I1-random"]);
  expect(round.seed).toBe(7);
  for (const { kind, sourceId, source, outputs } of round.items) {
    expect(source).toBe(`Quelle ${sourceId}`);
    expect(sourceId).toBeLessThan(SOURCES - 1);
    if (kind === "check") continue;
    const texts = outputs.map(({ text, writers, reward }) => [text, writers, reward]);
    expect(texts).toEqual(
      sourceId % 5 === 0
        ? [[`all write ${sourceId}`, ["G0I0", "G1I1-random"], 0.25]]
        : [
            [`G0I0 writes ${sourceId}`, ["G0I0"], 0.25],
            [`G1I1-random writes ${sourceId}`, ["G1I1-random"], 0.75],
          ],
    );
  }
  const kinds = round.items.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "repeat")).toHaveLength(2);
  expect(kinds.filter((kind) => kind === "check")).toHaveLength(2);
});

test("checks are damaged beyond doubt, and none is the human translation", async () => {
  const round = await beginRound(await ratedRun(), { checks: 9, items: 10 });
  const checks = round.items.filter(({ kind }) => kind === "check");
  expect(checks).toHaveLength(9);
  for (const { reference, outputs } of checks) {
    expect(outputs[0]).toMatchObject({ text: reference, writers: ["human"] });
    expect(outputs).toHaveLength(2);
    expect(outputs[1]!.writers[0]).toMatch(/^damaged:(otherTranslation|shuffled|oneWord)$/);
    expect(outputs[1]!.text).not.toBe(reference);
  }
});

test("left alone it is BC beside the last policy of the main line, and as many sources as there are", async () => {
  const round = await beginRound(await ratedRun());
  expect(round.policies).toEqual(["G0I0", "G1I1"]);
  expect(round.items.filter(({ kind }) => kind === "item")).toHaveLength(SOURCES - 1);
});

test("beginning the same round again finds it; another one is another", async () => {
  const dir = await ratedRun();
  const first = await beginRound(dir, { items: 5 });
  expect(await beginRound(dir, { items: 5 })).toEqual(first);
  expect((await beginRound(dir, { items: 6 })).id).not.toBe(first.id);
});

test("policies that are not there or not evaluated, and too many items, are told in a sentence", async () => {
  const dir = await ratedRun();
  const known = "It has BC (G0I0), G1I1, G1I1-random.";
  await expect(beginRound(dir, { policies: ["BC", "G9I9"] })).rejects.toThrow(
    `${dir}: the run has no evaluated policy "G9I9". ${known}`,
  );
  await expect(beginRound(dir, { policies: ["G2I1"] })).rejects.toThrow(known);
  await expect(beginRound(dir, { policies: ["../../etc"] })).rejects.toThrow(known);
  await expect(beginRound(dir, { items: 30 })).rejects.toThrow("Give --items 29 or fewer.");
  await expect(beginRound(join(dir, "data"))).rejects.toThrow("no policy of this run is evaluated yet");
});

test("coppice rate --results prints what was rated, --export and --import take it along", async () => {
  const dir = await ratedRun();
  const round = await beginRound(dir, { items: 10, checks: 0, repeats: 0 });
  const desk = new RatingDesk(round, ratingsFolder(dir).log);
  for (const [item, { outputs }] of round.items.entries())
    desk.rate("anna", { item, scores: outputs.map(() => 3) });

  const { code, stdout } = await coppice(["rate", dir, "--results", "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    round: round.id,
    policies: ["G0I0", "G1I1"],
    results: [
      { scale: "sqm", systems: [{ name: "G0I0" }, { name: "G1I1", difference: { value: 0, p: 1 } }] },
    ],
  });

  const file = join(dir, "out.tsv");
  expect((await coppice(["rate", dir, "--export", file])).stdout).toBe(`Wrote 20 ratings to ${file}.\n`);
  expect((await coppice(["rate", dir, "--import", file])).stdout).toContain("20 were there already");

  const nowhere = await coppice(["rate", join(dir, "typo"), "--import", file]);
  expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no such folder") });

  const unknown = await coppice(["rate", dir, "--results", "--without", "ben"]);
  expect(unknown).toMatchObject({
    code: 2,
    stderr: `${dir}: nobody called "ben" has rated. There are: anna.\n`,
  });
});
