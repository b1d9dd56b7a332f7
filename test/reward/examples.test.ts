import { spawnSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, test } from "vitest";
import { createReward } from "../../src/reward/create.js";

const configFile = fileURLToPath(new URL("../../examples/coppice.yaml", import.meta.url));

describe("examples/reward-module.mjs", () => {
  // By hand: half for the same ending, half for a length ratio of 0.7 to 1.3.
  it.each([
    ["Ein Hund spielt.", "A dog is playing", 0.5, "no full stop, ratio 1"],
    ["Ein Hund spielt.", "A dog is playing.", 1, "both"],
    ["它开着吗？", "open?", 1, "a full-width question mark is a question mark"],
    ["Ein Hund spielt.", "", 0, "empty"],
    ["Ein Hund spielt.", "A dog?", (0.5 * (6 / 16 - 0.35)) / 0.35, "too short by half, another ending"],
    ["12345678.", "123456789012345678901234567.", 0.5, "three times as long"],
    ["Hund", "dog!", 0.5, "an ending that the source has not"],
  ])("%j as %j scores %d: %s", async (source, candidate, expected) => {
    const reward = await createReward({ kind: "module", path: "reward-module.mjs" }, { configFile });
    const [score] = await reward.score([{ source, candidate }]);
    expect(score).toBeCloseTo(expected, 12);
  });
});

/** Programs that a machine may lack: Coppice itself needs none of them. */
function without(program: string): boolean {
  const missing = spawnSync(program, ["-c", ""]).status !== 0;
  if (missing) console.warn(`SKIPPED: ${program} is not there, so that its example reward was not run.`);
  return missing;
}

const command = {
  kind: "command",
  name: null,
  needsReference: false,
  batchSize: 2,
  timeoutSeconds: 60,
} as const;

// By hand: half for the same numbers, half for the shorter length over the longer.
test.skipIf(without("python3"))("examples/reward.py", { timeout: 60_000 }, async () => {
  const reward = await createReward({ ...command, command: ["python3", "reward.py"] }, { configFile });
  expect(
    await reward.score([
      { source: "Um 7 Uhr", candidate: "At 7 now" },
      { source: "Um 7 Uhr", candidate: "At 8 now" },
      { source: "它开着", candidate: "it's on" },
    ]),
  ).toEqual([1, 0.5, expect.closeTo(0.5 + (0.5 * 3) / 7, 12)]);
  await reward.close!();
});

test.skipIf(without("sh"))("examples/reward.sh", { timeout: 60_000 }, async () => {
  const reward = await createReward({ ...command, command: ["sh", "reward.sh"] }, { configFile });
  const candidates = ["A dog.", "A dog", "A dog?", '"A dog."', "A \\ dog!"];
  expect(await reward.score(candidates.map((candidate) => ({ source: "Ein Hund.", candidate })))).toEqual([
    1, 0, 1, 0, 1,
  ]);
  await reward.close!();
});

describe("examples/reward-http.mjs", () => {
  let server: Server | undefined;

  afterEach(() => {
    server?.close();
    delete process.env.REWARD_URL;
  });

  /** A server that answers with `status` and what `answer` makes of the request's JSON. */
  async function serve(status: number, answer: (request: unknown) => string): Promise<void> {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      response.statusCode = status;
      response.end(answer(JSON.parse(Buffer.concat(chunks).toString("utf8"))));
    });
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    process.env.REWARD_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/score`;
  }

  const inputs = [
    { source: "Ein Hund", candidate: "a dog" },
    { source: "Eine Katze", candidate: "a cat", reference: "one cat" },
  ];

  it("sends the batch and returns the server's scores", async () => {
    let received: unknown;
    await serve(200, (request) => {
      received = request;
      return JSON.stringify({ scores: [0.25, 0.75] });
    });
    const reward = await createReward({ kind: "module", path: "reward-http.mjs" }, { configFile });
    expect(reward.name).toBe("http");
    expect(await reward.score(inputs)).toEqual([0.25, 0.75]);
    expect(received).toEqual({ inputs });
  });

  it("a server that fails, or none, is an error of one sentence", async () => {
    const reward = await createReward({ kind: "module", path: "reward-http.mjs" }, { configFile });
    await expect(reward.score(inputs)).rejects.toThrow(
      "set REWARD_URL to the address of the server that scores",
    );
    await serve(503, () => "loading");
    await expect(reward.score(inputs)).rejects.toThrow("answered 503 loading");
  });
});
