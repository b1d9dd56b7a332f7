import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { moduleReward } from "../../src/reward/module.js";

const inputs = [
  { source: "Ein Hund", candidate: "a dog", reference: "a dog" },
  { source: "Eine Katze", candidate: "a cat" },
];

let folder = "";
let configFile = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-module-"));
  configFile = join(folder, "coppice.yaml");
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a module and returns its path as a configuration would give it. */
function write(name: string, code: string): string {
  writeFileSync(join(folder, name), code);
  return name;
}

async function errorOf(work: () => Promise<unknown>): Promise<UserError> {
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe("moduleReward", () => {
  it("a default-exported function scores the batch it is given, references included", async () => {
    const path = write(
      "plain.mjs",
      "export default (batch) => batch.map(({ reference }) => reference ? 1 : 0.25);",
    );
    const reward = await moduleReward(path, { configFile });
    expect(await reward.score(inputs)).toEqual([1, 0.25]);
    expect(reward.name).toBe("plain");
    expect(reward.needsReference).toBe(false);
    expect(reward.close).toBeUndefined();
  });

  it("its numbers may come later, and as a typed array", async () => {
    const path = write("later.mjs", "export default async () => new Float32Array([0.5, 0.25]);");
    expect(await (await moduleReward(path, { configFile })).score(inputs)).toEqual([0.5, 0.25]);
  });

  it("an object brings its name, its need of references, its state and its end", async () => {
    const path = write(
      "object.mjs",
      `import { writeFileSync } from "node:fs";
       export default {
         name: "mine", needsReference: true, level: 0.75,
         score(batch) { return batch.map(() => this.level); },
         close() { writeFileSync(new URL("./closed.txt", import.meta.url), this.name); },
       };`,
    );
    const reward = await moduleReward(path, { configFile });
    expect(reward.name).toBe("mine");
    expect(reward.needsReference).toBe(true);
    expect(await reward.score(inputs)).toEqual([0.75, 0.75]);
    await reward.close?.();
    expect(readFileSync(join(folder, "closed.txt"), "utf8")).toBe("mine");
  });

  it("an instance of a class keeps its methods", async () => {
    const path = write(
      "class.mjs",
      "class Mine { level = 0.5; score(batch) { return batch.map(() => this.level); } } export default new Mine();",
    );
    expect(await (await moduleReward(path, { configFile })).score(inputs)).toEqual([0.5, 0.5]);
  });

  it("the configuration's name wins over the module's own", async () => {
    const path = write("named.mjs", 'export default { name: "mine", score: (batch) => batch.map(() => 1) };');
    expect((await moduleReward(path, { configFile, name: "theirs" })).name).toBe("theirs");
  });

  it("a module that is not there is an error with the configuration's line", async () => {
    const error = await errorOf(() => moduleReward("gone.mjs", { configFile, line: 7 }));
    expect(error.message).toBe(
      `${configFile}:7: the reward module "gone.mjs" was looked for at ${join(folder, "gone.mjs")} and is not there; correct its path`,
    );
  });

  it.each([
    ["nothing", "export const score = () => [];", "no default"],
    ["a number", "export default 7;", "7 as its default"],
    ["an object without score", "export default { name: 'x' };", "an object as its default"],
    ["null", "export default null;", "null as its default"],
  ])("a module that exports %s is an error that says what to write", async (name, code, found) => {
    const path = write(`exports-${name.replaceAll(" ", "-")}.mjs`, code);
    const error = await errorOf(() => moduleReward(path, { configFile }));
    expect(error.message).toBe(
      `${configFile}: the reward module "${path}" exports ${found}, but a function or an object with a function score was expected; write \`export default (batch) => …\``,
    );
  });

  it("a module that throws while loading is an error that keeps the user's error as its cause", async () => {
    const path = write("throws-on-load.mjs", 'throw new RangeError("no such model");');
    const error = await errorOf(() => moduleReward(path, { configFile }));
    expect(error.message).toBe(
      `${configFile}: the reward module "${path}" does not load: RangeError: no such model; run \`node ${path}\` to see where`,
    );
    expect(error.cause).toMatchObject({ message: "no such model" });
  });

  it("a module with a slip of syntax does not load", async () => {
    const path = write("syntax.mjs", "export default (batch) => batch.map(;");
    const error = await errorOf(() => moduleReward(path, { configFile }));
    expect(error.message).toContain(`the reward module "${path}" does not load: `);
    expect(error.cause).toBeDefined();
  });

  it("a function that throws is an error with the module's line and the user's stack as its cause", async () => {
    const path = write(
      "throws.mjs",
      "\n\nexport default (batch) => {\n  throw new TypeError('no\\nluck');\n};\n",
    );
    const reward = await moduleReward(path, { configFile });
    const error = await errorOf(() => reward.score(inputs));
    expect(error.message).toBe(
      `${join(folder, path)}:4: reward "throws" threw TypeError: no luck on a batch of 2; mend the module`,
    );
    expect((error.cause as Error).stack).toContain("throws.mjs");
  });

  it("a promise that is refused, with anything, is the same error", async () => {
    const path = write("refuses.mjs", "export default () => Promise.reject('server away');");
    const reward = await moduleReward(path, { configFile });
    const error = await errorOf(() => reward.score(inputs));
    expect(error.message).toBe(
      `${join(folder, path)}: reward "refuses" threw the text "server away" on a batch of 2; mend the module`,
    );
    expect(error.cause).toBe("server away");
  });

  it("something else than an array is an error that says what was expected", async () => {
    const path = write("returns-object.mjs", "export default () => ({ scores: [1, 1] });");
    const reward = await moduleReward(path, { configFile });
    const error = await errorOf(() => reward.score(inputs));
    expect(error.message).toBe(
      `${join(folder, path)}: reward "returns-object" returned an object where an array of 2 numbers was expected; return one number for each input, in order`,
    );
  });
});
