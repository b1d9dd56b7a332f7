import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Interrupted, UserError } from "../../src/errors.js";
import { type Remote, Thread } from "../../src/tensor/thread.js";

const MODULE = new URL("./thread-object.ts", import.meta.url);

let thread: Thread;
let object: Remote;
beforeAll(async () => {
  thread = new Thread();
  object = await thread.open(MODULE, { times: 60 });
});
afterAll(async () => {
  await object.release();
  await thread.close();
});

describe("while a long native call runs", () => {
  /** One native call and its milliseconds; it is made longer until any machine takes a while over it. */
  async function longCall(during: () => void): Promise<number> {
    for (let times = 100; ; times *= 3) {
      const long = await thread.open(MODULE, { times });
      during();
      const milliseconds = Number(await long.call("multiply", undefined));
      await long.release();
      if (milliseconds > 300) return milliseconds;
    }
  }

  it("the event loop of the main thread stays alive", async () => {
    let ticks = 0;
    let longest = 0;
    let last = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      ticks++;
    }, 5);
    const milliseconds = await longCall(() => {
      ticks = 0;
      longest = 0;
      last = performance.now();
    });
    clearInterval(timer);
    // Were it to wait for the call, there would be a tick or two, and one pause as long as the call.
    expect(ticks).toBeGreaterThan(10);
    expect(longest).toBeLessThan(milliseconds / 2);
  });

  it("an abort stops it at its next safe point, and the call rejects with Interrupted", async () => {
    const stop = new AbortController();
    const steps: unknown[] = [];
    const call = object.call("multiplyUntilCancelled", undefined, {
      signal: stop.signal,
      onProgress: (step) => {
        steps.push(step);
        if (step === 2) stop.abort();
      },
    });
    await expect(call).rejects.toBeInstanceOf(Interrupted);
    expect(steps.slice(0, 2)).toEqual([1, 2]);
    // At most the step that was under way when the message came, and one more on a busy machine.
    expect(steps.length).toBeLessThanOrEqual(4);
  });

  it("a call that was aborted before it began does nothing", async () => {
    const steps: unknown[] = [];
    const signal = AbortSignal.abort();
    const call = object.call("multiplyUntilCancelled", undefined, {
      signal,
      onProgress: (s) => steps.push(s),
    });
    await expect(call).rejects.toBeInstanceOf(Interrupted);
    expect(steps).toEqual([]);
  });

  it("an abort reaches its own call only", async () => {
    const stop = new AbortController();
    const first = object.call("multiplyUntilCancelled", undefined, { signal: stop.signal });
    const second = object.call("multiply", undefined);
    stop.abort();
    await expect(first).rejects.toBeInstanceOf(Interrupted);
    expect(Number(await second)).toBeGreaterThan(0);
  });
});

describe("calls", () => {
  it("run one after another, in the order in which they were made", async () => {
    const made = ["a", "b", "c", "d"].map((name) => object.call("note", name));
    expect(await made.at(-1)).toEqual(["a", "b", "c", "d"]);
  });

  it("go on after one has failed", async () => {
    const failed = object.call("fail", "range");
    const next = object.call("note", "e");
    await expect(failed).rejects.toThrow("out of range");
    expect(await next).toContain("e");
  });

  it("of a method that is not there fail", async () => {
    await expect(object.call("sing", undefined)).rejects.toThrow("has no method sing");
  });

  it("whose result cannot cross threads fail", async () => {
    await expect(object.call("unsendable", undefined)).rejects.toThrow("could not be cloned");
  });
});

describe("an error of the worker", () => {
  it("keeps its class, its one sentence and its place, if it is the user's to mend", async () => {
    const error: unknown = await object.call("fail", "user").catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toBe("pairs.tsv:7: found 3, expected 4");
    expect((error as UserError).place).toEqual({ file: "pairs.tsv", line: 7 });
  });

  it("keeps the stack of the worker, if it is a bug", async () => {
    const error: unknown = await object.call("fail", "range").catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(UserError);
    expect((error as Error).stack).toContain("thread-object");
  });

  it("is an error even where something else was thrown", async () => {
    await expect(object.call("fail", "text")).rejects.toThrow("a text");
  });

  it("comes from opening, too", async () => {
    const missing = new URL("./no-such-module.ts", import.meta.url);
    await expect(thread.open(missing, {})).rejects.toThrow("no-such-module");
  });
});

describe("closing", () => {
  it("waits for the running call; later calls fail at once", async () => {
    const other = new Thread();
    const opened = await other.open(MODULE, { times: 40 });
    const running = opened.call("multiply", undefined);
    await other.close();
    expect(Number(await running)).toBeGreaterThan(0);
    await expect(opened.call("multiply", undefined)).rejects.toThrow("the worker thread has ended");
    await other.close();
  });

  /** Runs thread-ending.ts to its end. */
  function ending(way: string): Promise<{ code: number | null; signal: string | null; output: string }> {
    const script = new URL("./thread-ending.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, ["--import", "tsx", script, way]);
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.stderr.on("data", (data) => {
      output += data;
    });
    return new Promise((resolve) => {
      child.on("close", (code, signal) => resolve({ code, signal, output }));
    });
  }

  // ONNX Runtime would abort (SIGABRT) if the thread ended inside its call.
  it.each([
    ["close", 0, "call done\nclosed\n"],
    ["leave", 0, "call done\n"],
    ["throw", 1, "call done\n"],
  ])("a program that ends during a call, by %s, ends in order", async (way, code, output) => {
    expect(await ending(way)).toEqual({ code, signal: null, output });
  });
});
