/** Ctrl-C and SIGTERM on work that stops at safe points. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Work that says when it has begun and goes on until it is asked to stop, or for ever. */
function work(stops: boolean) {
  const source = `
    import { stopSignal } from "./src/cli/signals.js";
    import { failureOf } from "./src/cli/failure.js";
    const signal = stopSignal();
    const timer = setInterval(() => {
      if (!signal.aborted || !${stops}) return;
      clearInterval(timer);
      process.exitCode = failureOf(signal.reason).exitCode;
    }, 5);
    console.log("begun");`;
  return spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source], { cwd: root });
}

function ending(child: ReturnType<typeof work>): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "the first %s asks the work to stop, and it ends with 130",
  async (signal) => {
    const child = work(true);
    let said = "";
    child.stderr.on("data", (bytes) => {
      said += bytes;
    });
    child.stdout.once("data", () => child.kill(signal));
    expect(await ending(child)).toEqual({ code: 130, signal: null });
    expect(said).toBe(
      "\nStopping at the next safe point… (Ctrl-C again to kill; what is finished is kept either way)\n",
    );
  },
);

test("the second kills work that does not stop", async () => {
  const child = work(false);
  child.stdout.once("data", () => child.kill("SIGINT"));
  child.stderr.once("data", () => child.kill("SIGINT"));
  expect(await ending(child)).toEqual({ code: null, signal: "SIGKILL" });
});
