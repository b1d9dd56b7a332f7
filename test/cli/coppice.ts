/** Runs the command line from its sources, as a user would. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `cwd` is where the user stands; the command's own files are found from here. */
export function coppice(args: readonly string[], { cwd = root, env = {} } = {}): Promise<Ended> {
  const loader = new URL("../../node_modules/tsx/dist/esm/index.mjs", import.meta.url).href;
  return ended(
    spawn(process.execPath, ["--import", loader, `${root}src/cli/main.ts`, ...args], {
      cwd,
      // Where the user stands there is no tsconfig.json to say how components are compiled.
      env: { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.json`, ...env },
    }),
  );
}

export function ended(child: ReturnType<typeof spawn>): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (bytes) => {
    stdout += bytes;
  });
  child.stderr?.on("data", (bytes) => {
    stderr += bytes;
  });
  child.stdin?.end();
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
