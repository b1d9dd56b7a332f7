/**
 * A real local Ray cluster. Shards of a Grow step as jobs of it, all submitted at once, one killed in the middle and submitted
 * again; then the bytes are compared with those of one process. And a run whose trainer is a job.
 *
 *     python3 -m venv ray && ray/bin/pip install -r bench/peer/requirements-ray.txt
 *     COPPICE_PYTHON=$PWD/ray/bin/python npm run bench -- ray
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../src/errors.js";
import { renderConfig, resolveConfig } from "../src/rest/config.js";
import { workersIn } from "../src/store/lock.js";
import { Manifest } from "../src/store/manifest.js";
import { machine, python } from "./rounds.js";
import { COMMAND, cli, PARTS, partName, runs, SAMPLES, SHARDS, SOURCES, succeeded } from "./shard-runs.js";
import { withServer } from "./with-server.js";

/** The program of the `ray` command, in the Python that was named. */
const RAY = ["-m", "ray.scripts.scripts"];
/** The shard that is killed. */
const DOOMED = 2;

export async function rayBench(): Promise<object> {
  const asked = spawnSync(python(), ["-c", "import ray; print(ray.__version__)"], { encoding: "utf8" });
  if (asked.status !== 0)
    throw new UserError(
      `${python()} has no Ray. Install it with: pip install -r bench/peer/requirements-ray.txt (COPPICE_PYTHON names another Python).`,
    );
  // Ray's sockets lie in it, whose paths must be short.
  const folder = mkdtempSync(join(tmpdir(), "ray-"));
  const cluster = await startCluster(folder);
  try {
    return {
      shards: await shardsAsJobs(folder, cluster),
      trainer: await trainerAsJob(folder, cluster),
      ray: asked.stdout.trim(),
      ...machine(),
    };
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function shardsAsJobs(folder: string, cluster: Cluster): Promise<object> {
  const copy = await runs(folder, null);
  const one = copy("one");
  succeeded(await cli(["grow", one], {}).ended);

  const dir = copy("shared");
  const started = performance.now();
  const jobs = Array.from({ length: SHARDS }, (_, i) =>
    cluster.submit([...COMMAND, "grow", dir, "--shard", `${i + 1}/${SHARDS}`]),
  );
  const killed = await killWorker(dir, jobs[DOOMED - 1]!.ended);
  const ends = await Promise.all(jobs.map(({ ended }) => ended));
  const failed = ends.flatMap(({ code }, i) => (code === 0 ? [] : [i + 1]));
  if (String(failed) !== String(DOOMED))
    throw new Error(`only job ${DOOMED} was to fail: ${ends.map(({ output }) => output).join("\n")}`);
  const again = await cluster.submit([...COMMAND, "grow", dir, "--shard", `${DOOMED}/${SHARDS}`]).ended;
  if (again.code !== 0) throw new Error(again.output);
  const seconds = (performance.now() - started) / 1000;
  succeeded(await cli(["grow", dir], {}).ended);
  const [gathered, alone] = [dir, one].map((run) => readFileSync(join(run, "grow-1/candidates.parquet")));
  return {
    jobs: SHARDS + 1,
    killed,
    parts: PARTS,
    candidates: SOURCES * SAMPLES,
    seconds,
    bytes: gathered!.length,
    sameBytes: gathered!.equals(alone!),
  };
}

/** Kills the doomed shard's process when it has written a part, and says what it left undone. Throws where its job ends by itself. */
async function killWorker(dir: string, job: Promise<{ output: string }>): Promise<string> {
  let output: string | undefined;
  void job.then((end) => {
    output = end.output;
  });
  const part = (at: number) => join(dir, "grow-1", partName(at));
  for (;;) {
    const worker = workersIn(dir).find(({ name }) => name.includes(`${DOOMED}`));
    if (worker && existsSync(part(DOOMED - 1))) {
      process.kill(worker.pid, "SIGKILL");
      return `share ${DOOMED}/${SHARDS} by SIGKILL, its second part ${existsSync(part(DOOMED - 1 + SHARDS)) ? "written" : "not written"}`;
    }
    if (output !== undefined) throw new Error(`job ${DOOMED} ended before it could be killed: ${output}`);
    await sleep(5);
  }
}

/** Trains nothing: says what it was given, and that there is a new model. */
const TRAINER = `
import { readFileSync, writeFileSync } from "node:fs";
const [train, model, out] = process.argv.slice(2);
const kept = readFileSync(train, "utf8").trim().split("\\n").length;
console.log("trains on", kept, "candidates, from", model);
writeFileSync(out + "/weights", "none");
console.log(JSON.stringify({ model: ".", steps: kept }));
`;

async function trainerAsJob(folder: string, cluster: Cluster): Promise<object> {
  return withServer("answering-server.ts", "0", async (url) => {
    const dir = join(folder, "trained");
    mkdirSync(dir);
    const trainer = join(dir, "trainer.mjs");
    writeFileSync(trainer, TRAINER);
    // The server answers 28 to all of them.
    const problems = Array.from(
      { length: 40 },
      (_, i) => `{"source": "problem ${i}", "target": "of ${i}: ${28 + (i % 2)}"}\n`,
    );
    writeFileSync(join(dir, "problems.jsonl"), problems.join(""));
    const config = resolveConfig({
      data: { train: ["problems.jsonl"], validationSize: 8, testSize: 8 },
      policy: { kind: "server", url, model: "emulated" },
      reward: { kind: "number" },
      grow: { steps: 1, samples: 4, maxTokens: 16 },
      improve: {
        steps: 1,
        thresholds: { kind: "absolute", values: [0.5] },
        human: "none",
        control: false,
        trainer: { command: [...cluster.command, process.execPath, trainer, "{train}", "{model}", "{out}"] },
      },
      evaluate: { samples: 1, bestOfN: [1], bestOfNSamples: 1, examples: 1 },
    });
    writeFileSync(join(dir, "coppice.yaml"), renderConfig(config));
    succeeded(await cli(["run", dir], {}).ended);
    const result = (await Manifest.read(dir))?.step("G1I1")?.result as { kept: number; trainSteps: number };
    const log = readFileSync(join(dir, "models/G1I1/trainer.log"), "utf8");
    return {
      kept: result.kept,
      steps: result.trainSteps,
      said: log.split("\n").find((line) => line.startsWith("trains on")),
      submitted: /Job '\S+' succeeded/.test(log),
    };
  });
}

interface Cluster {
  /** What a job's command stands behind: it waits for the job and prints what it prints. */
  command: readonly string[];
  submit(job: readonly string[]): { process: ChildProcess; ended: Promise<{ code: number; output: string }> };
  stop(): Promise<void>;
}

async function startCluster(folder: string): Promise<Cluster> {
  const [port, dashboard] = [await freePort(), await freePort()];
  const start = [
    ...["start", "--head", "--port", port, "--dashboard-host", "127.0.0.1", "--dashboard-port", dashboard],
    ...["--num-cpus", "2", "--temp-dir", folder, "--disable-usage-stats"],
  ];
  const env = { ...process.env, RAY_USAGE_STATS_ENABLED: "0" };
  const ray = (args: readonly unknown[]) =>
    spawn(python(), [...RAY, ...args.map(String)], { env, stdio: ["ignore", "pipe", "pipe"] });
  await finished(ray(start));
  const command = [python(), ...RAY, "job", "submit", "--address", `http://127.0.0.1:${dashboard}`, "--"];
  return {
    command,
    submit: (job) => {
      const child = spawn(command[0]!, [...command.slice(1), ...job], {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (bytes) => {
          output += bytes;
        });
      return { process: child, ended: once(child, "close").then(([code]) => ({ code, output })) };
    },
    stop: async () => {
      await finished(ray(["stop", "--force"]));
    },
  };
}

async function finished(child: ChildProcess): Promise<void> {
  let said = "";
  child.stdout?.on("data", (bytes) => {
    said += bytes;
  });
  child.stderr?.on("data", (bytes) => {
    said += bytes;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`ray ended with ${code}: ${said.slice(-2000)}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the system gave no port");
  server.close();
  await once(server, "close");
  return address.port;
}
