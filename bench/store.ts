/**
 * Workers that share an S3 server and no folder: three shards of a Grow step side by side, one killed and begun again on a
 * machine of its own, one begun twice; then the bytes are compared with those of one process, and everything that can be
 * wrong with a store is tried.
 *
 *     python3 -m venv s3 && s3/bin/pip install -r bench/peer/requirements-store.txt
 *     export COPPICE_PYTHON=$PWD/s3/bin/python
 *     export COPPICE_HTTPFS=$(find $PWD/s3 -name httpfs.duckdb_extension)
 *     npm run bench -- store
 *
 * The extension must be that of DuckDB's own version. Where PyPI has it for an older one alone, try it in a copy of the repository
 * with `npm install --no-save @duckdb/node-api@1.5.5-r.5`; without COPPICE_HTTPFS, DuckDB fetches its own.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { version as duckdb } from "@duckdb/node-api";
import { UserError } from "../src/errors.js";
import { CandidateWriter, humanCandidate, partPath } from "../src/store/candidates.js";
import { openPartStore } from "../src/store/part-store.js";
import { machine, python } from "./rounds.js";
import {
  type Copy,
  cli,
  type Environment,
  PARTS,
  partName,
  runs,
  SAMPLES,
  SHARDS,
  SOURCES,
  succeeded,
} from "./shard-runs.js";

const root = fileURLToPath(new URL("../", import.meta.url));

export async function storeBench(): Promise<object> {
  const { status } = spawnSync(python(), ["-c", "import moto.server"], { stdio: "ignore" });
  if (status !== 0)
    throw new UserError(
      `${python()} has no moto. Install it with: pip install -r bench/peer/requirements-store.txt (COPPICE_PYTHON names another Python).`,
    );
  const folder = mkdtempSync(join(tmpdir(), "coppice-store-"));
  const server = await startServer();
  try {
    return await trial(folder, server);
  } finally {
    server.process.stdin?.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function trial(folder: string, server: Server): Promise<object> {
  const store = `s3://${server.bucket}/runs/bench`;
  const copy = await runs(folder, store);
  const env = server.env;

  const one = copy("one", null);
  const alone = await cli(["grow", one], {}).ended;
  succeeded(alone);

  // All at once: the second is killed when its first file is there, and its folder is lost with it.
  const started = performance.now();
  const workers = Array.from({ length: SHARDS }, (_, i) =>
    cli(["grow", copy(`worker-${i + 1}`), "--shard", `${i + 1}/${SHARDS}`], env),
  );
  const twin = cli(["grow", copy("twin"), "--shard", `1/${SHARDS}`], env);
  const doomed = workers[1]!;
  await Promise.race([server.wrote(partName(1)), doomed.ended]);
  doomed.process.kill("SIGKILL");
  const ends = await Promise.all(workers.map(({ ended }) => ended));
  succeeded(ends[0]!, ends[2]!, await twin.ended);
  const lost = !server.writes.includes(partName(4));
  const again = await cli(["grow", copy("worker-2-again"), "--shard", `2/${SHARDS}`], env).ended;
  succeeded(again);
  const seconds = (performance.now() - started) / 1000;
  const home = copy("home");
  const gathered = await cli(["grow", home], env).ended;
  succeeded(gathered);

  const bytes = (dir: string) => readFileSync(join(dir, "grow-1/candidates.parquet"));
  const writes = Array.from({ length: PARTS }, (_, at) => ({
    file: partName(at),
    share: `${(at % SHARDS) + 1}/${SHARDS}`,
    writes: server.writes.filter((name) => name === partName(at)).length,
  }));
  const refusals = await wrong(copy, server, store);
  const large = await largePart(folder, server);
  return {
    sameBytes: bytes(home).equals(bytes(one)),
    bytes: bytes(one).length,
    candidates: SOURCES * SAMPLES,
    killed: `share 2/${SHARDS} by ${String(doomed.process.signalCode)}${lost ? ", one of its two files not there" : ", too late"}`,
    restarted: again.stdout.trim().replaceAll(folder, ""),
    gathered: gathered.stderr.trim().split("\n")[0],
    seconds,
    writes,
    refusals,
    large,
    duckdb: duckdb(),
    ...machine(),
  };
}

/** A part that is sent in pieces, by a process that is killed between them, and whole. */
async function largePart(folder: string, server: Server): Promise<object> {
  const file = partPath(join(folder, "large"), 0, 499);
  const writer = await CandidateWriter.open(file, { runId: "large", origin: "" });
  for (let id = 0; id < 500; id++)
    writer.append(
      Array.from({ length: 200 }, (_, sampleId) => ({
        ...humanCandidate(2, id, { source: "s", target: randomBytes(400).toString("base64") }),
        sampleId,
      })),
    );
  await writer.finish();
  const location = `s3://${server.bucket}/large`;
  const child = spawn(
    process.execPath,
    ["--import", "tsx", join(root, "bench/ours-store.ts"), location, file],
    {
      env: { ...process.env, ...server.env },
    },
  );
  const ended = once(child, "close");
  await Promise.race([server.wrote(`${basename(file)}?piece`), ended]);
  child.kill("SIGKILL");
  await ended;
  const spill = join(folder, "spill");
  const store = await openPartStore(location, {
    base: folder,
    spill,
    env: { ...process.env, ...server.env },
  });
  try {
    const afterKill = (await store.list(2)).length;
    await store.put(2, file, { run: "large", origin: "", shard: "" });
    const back = partPath(join(folder, "back"), 0, 499);
    await store.get(2, back, { run: "large", origin: "" });
    const sent = readFileSync(file);
    return { bytes: sent.length, objectsAfterKill: afterKill, sameBytes: readFileSync(back).equals(sent) };
  } finally {
    store.close();
  }
}

/** What is said, with exit code 2, where something is wrong. */
async function wrong(copy: Copy, server: Server, store: string): Promise<object[]> {
  const refusals: object[] = [];
  const refused = async (what: string, dir: string, env: Environment) => {
    const { code, stderr } = await cli(["grow", dir, "--shard", "1/1"], env).ended;
    refusals.push({ what, code, said: stderr.trim() });
  };
  const { env } = server;
  await refused("stranger", copy("stranger", store, 2), env);
  await refused("wrong secret", copy("secret"), { ...env, AWS_SECRET_ACCESS_KEY: "not-the-secret" });
  await refused("wrong key", copy("key"), { ...env, AWS_ACCESS_KEY_ID: "AKIANOBODY" });
  await refused("no bucket", copy("bucket", "s3://coppice-nowhere/x"), env);
  await refused("no server", copy("server"), { ...env, AWS_ENDPOINT_URL: "http://127.0.0.1:9" });
  await refused("no extension", copy("extension"), {
    ...env,
    COPPICE_HTTPFS: "/nowhere/httpfs.duckdb_extension",
  });
  return refusals;
}

interface Server {
  process: ChildProcess;
  bucket: string;
  /** What a worker needs to know. */
  env: Environment;
  /** Names of the objects written so far; of each piece of one with `?piece`. */
  writes: string[];
  /** Waits until an object of this name is written. */
  wrote(name: string): Promise<void>;
}

async function startServer(): Promise<Server> {
  const child = spawn(python(), [join(root, "bench/peer/store.py")], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout);
  const [first] = await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(() => Promise.reject(new Error("the server did not start"))),
  ]);
  const { endpoint, bucket, id, secret } = JSON.parse(String(first)) as Record<string, string>;
  const writes: string[] = [];
  lines.on("line", (line) => {
    const [, name, piece = ""] = /^PUT \/.*\/([^/?]+)(\?.*)?$/.exec(line) ?? [];
    if (name) writes.push(piece === "" ? name : `${name}?piece`);
  });
  return {
    process: child,
    bucket: bucket!,
    env: {
      AWS_ENDPOINT_URL: endpoint!,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: id!,
      AWS_SECRET_ACCESS_KEY: secret!,
    },
    writes,
    wrote: async (name) => {
      while (!writes.includes(name)) await once(lines, "line");
    },
  };
}
