/** MLflow by a stand-in that keeps what it is sent as MLflow does; a real server was asked by hand (docs/exports.md). */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type MlflowOptions, sendToMlflow } from "../../src/export/mlflow.js";
import { type RunRecord, readRun } from "../../src/export/record.js";
import { scalarsOf } from "../../src/export/scalars.js";

interface Metric {
  key: string;
  value: number;
  step: number;
  timestamp: number;
}
interface Run {
  experiment: string;
  tags: Map<string, string>;
  params: Map<string, string>;
  metrics: Metric[];
  /** As MLflow's database has them: the same metric twice is one row. */
  distinct: Set<string>;
  status: string;
  endTime?: number;
}
interface Sent {
  name: string;
  experiment_id: string;
  experiment_ids: string[];
  filter: string;
  run_id: string;
  status: string;
  end_time: number;
  tags?: { key: string; value: string }[];
  params?: { key: string; value: string }[];
  metrics?: Metric[];
}

let server: Server;
let options: MlflowOptions;
let record: RunRecord;
const experiments = new Map<string, string>();
const runs = new Map<string, Run>();
const calls: string[] = [];
const authorizations = new Set<string | undefined>();
/** Status to answer the next calls of a kind with, in place of doing them. */
const trouble: { call: string; status: number; times: number; after: boolean; figures?: true }[] = [];

beforeEach(async () => {
  for (const kept of [experiments, runs, authorizations]) kept.clear();
  calls.length = 0;
  trouble.length = 0;
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? "", "http://localhost");
    const call = url.pathname.replace("/api/2.0/mlflow/", "");
    calls.push(call);
    authorizations.add(request.headers.authorization);
    const sent: Sent = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {};
    const bad = trouble.find(
      (one) => one.call === call && one.times > 0 && (!one.figures || sent.metrics !== undefined),
    );
    if (bad) bad.times--;
    const [status, answer] = bad && !bad.after ? [bad.status, {}] : answerTo(call, sent, url.searchParams);
    response.writeHead(bad ? bad.status : status).end(JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  options = {
    ...{ address: `http://127.0.0.1:${address.port}/`, experiment: "gardens", name: "garden" },
    ...{ env: {}, pauses: [1, 1] },
  };
  record = await readRun(fileURLToPath(new URL("../fixtures/export/run", import.meta.url)));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** https://mlflow.org/docs/latest/rest-api.html, as far as it is used. */
function answerTo(call: string, sent: Sent, query: URLSearchParams): [status: number, answer: object] {
  switch (call) {
    case "experiments/get-by-name": {
      const id = experiments.get(query.get("experiment_name") ?? "");
      if (id) return [200, { experiment: { experiment_id: id } }];
      return [404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "no such experiment" }];
    }
    case "experiments/create":
      experiments.set(sent.name, "7");
      return [200, { experiment_id: "7" }];
    case "runs/search": {
      const [, key = "", value] = /^tags\."(.+)" = '(.+)'$/.exec(sent.filter) ?? [];
      const found = [...runs].filter(
        ([, run]) => sent.experiment_ids.includes(run.experiment) && run.tags.get(key) === value,
      );
      const shown = found.map(([id, run]) => ({
        info: { run_id: id },
        data: { tags: [...run.tags].map(([name, text]) => ({ key: name, value: text })) },
      }));
      return [200, shown.length > 0 ? { runs: shown } : {}];
    }
    case "runs/create": {
      const id = `run-${runs.size + 1}`;
      const tags = new Map(sent.tags?.map(({ key, value }) => [key, value]));
      runs.set(id, {
        ...{ experiment: sent.experiment_id, tags, params: new Map(), metrics: [], distinct: new Set() },
        status: "RUNNING",
      });
      return [200, { run: { info: { run_id: id } } }];
    }
    case "runs/log-batch": {
      const run = runs.get(sent.run_id);
      if (!run) return [404, { error_code: "RESOURCE_DOES_NOT_EXIST" }];
      const { params = [], metrics = [], tags = [] } = sent;
      if (params.length > 100 || metrics.length > 1000)
        return [400, { error_code: "INVALID_PARAMETER_VALUE", message: "too many\nat once" }];
      for (const { key, value } of params) {
        if (run.params.has(key) && run.params.get(key) !== value)
          return [400, { error_code: "INVALID_PARAMETER_VALUE", message: "changing a parameter" }];
        run.params.set(key, value);
      }
      run.metrics.push(...metrics);
      for (const metric of metrics) run.distinct.add(JSON.stringify(metric));
      for (const { key, value } of tags) run.tags.set(key, value);
      return [200, {}];
    }
    case "runs/update": {
      const run = runs.get(sent.run_id);
      if (run) Object.assign(run, { status: sent.status, endTime: sent.end_time });
      return [200, {}];
    }
    default:
      return [404, {}];
  }
}

function theRun(): Run {
  expect([...runs.keys()]).toEqual(["run-1"]);
  return [...runs.values()][0]!;
}

test("experiment and run are made, with settings, every figure and the times of the run", async () => {
  const sent = await sendToMlflow(record, options);
  const scalars = scalarsOf(record);
  expect(sent).toEqual({
    experiment: "gardens",
    run: "run-1",
    metrics: scalars.length,
    address: options.address,
  });
  const run = theRun();
  expect(run.params.get("improve.thresholds.values")).toBe("[0.7,0.9]");
  expect(run.params.has("data.validation")).toBe(false);
  expect(run.metrics).toHaveLength(scalars.length);
  expect(run.metrics).toContainEqual({
    ...{ key: "run/evaluate/bleu", value: 24.25, step: 1 },
    timestamp: Date.parse("2026-01-01T00:01:04Z"),
  });
  expect(run).toMatchObject({ status: "FINISHED", endTime: Date.parse("2026-01-01T00:01:32Z") });
});

test("a second time sends nothing, and makes nothing", async () => {
  await sendToMlflow(record, options);
  expect(await sendToMlflow(record, options)).toMatchObject({ run: "run-1", metrics: 0 });
  expect(theRun().metrics).toHaveLength(scalarsOf(record).length);
  expect(calls.filter((call) => call === "experiments/create")).toHaveLength(1);
});

test("a run that has gone on sends what is new", async () => {
  const half = { ...record, metrics: record.metrics.slice(0, 5) };
  await sendToMlflow(half, options);
  const rest = scalarsOf(record).length - scalarsOf(half).length;
  expect(await sendToMlflow(record, options)).toMatchObject({ metrics: rest });
  expect(theRun().metrics).toHaveLength(scalarsOf(record).length);
});

test("a batch that arrived although its answer was lost counts once", async () => {
  // The call does its work and then says that it failed, so that it is made three times.
  trouble.push({ call: "runs/log-batch", status: 503, times: 2, after: true, figures: true });
  await sendToMlflow(record, options);
  const run = theRun();
  expect(run.metrics).toHaveLength(3 * scalarsOf(record).length);
  expect(run.distinct.size).toBe(scalarsOf(record).length);
  expect(run.tags.get("coppice.figures")).toBe(String(scalarsOf(record).length));
});

test("figures go a thousand at a time, and parameters a hundred", async () => {
  const [first] = record.metrics;
  const many = Array.from({ length: 1300 }, (_, i) => ({
    ...first!,
    record: { step: "PPO", batch: i, reward: i / 1300 },
  }));
  await sendToMlflow({ ...record, metrics: many }, options);
  expect(theRun().metrics).toHaveLength(1300);
  expect(calls.filter((call) => call === "runs/log-batch")).toHaveLength(3);
});

test("a server that is busy is asked again, one that stays so is a sentence", async () => {
  trouble.push({ call: "runs/search", status: 503, times: 2, after: false });
  await sendToMlflow(record, options);
  trouble.push({ call: "runs/search", status: 503, times: 9, after: false });
  await expect(sendToMlflow(record, options)).rejects.toThrow(
    /^MLflow at http:\/\/127\.0\.0\.1:\d+\/ refused with 503 /,
  );
});

test("a refusal is not asked again, and its reason is told in a line", async () => {
  trouble.push({ call: "experiments/get-by-name", status: 401, times: 9, after: false });
  await expect(sendToMlflow(record, options)).rejects.toThrow(
    /refused with 401 \(Unauthorized\)\. Check the address and MLFLOW_TRACKING_TOKEN, then run the same command: what has arrived is not sent again\.$/,
  );
  expect(calls).toEqual(["experiments/get-by-name"]);
});

test("a server that is not there, and an address that is none, are sentences", async () => {
  const gone = { ...options, address: "http://127.0.0.1:9" };
  await expect(sendToMlflow(record, gone)).rejects.toThrow(
    /^MLflow at http:\/\/127\.0\.0\.1:9 was not reached \(.+\), expected a server there; start it with mlflow server/,
  );
  await expect(sendToMlflow(record, { ...options, address: "mlruns" })).rejects.toThrow(
    '"mlruns" is not the address of an MLflow server, expected one such as http://127.0.0.1:5000.',
  );
});

test("what answers but is no MLflow is a sentence", async () => {
  trouble.push({ call: "experiments/get-by-name", status: 200, times: 1, after: false });
  await expect(sendToMlflow(record, options)).rejects.toThrow(/gave an answer that is not MLflow's/);
});

test.each([
  [{ MLFLOW_TRACKING_TOKEN: "t0" }, "Bearer t0"],
  [{ MLFLOW_TRACKING_USERNAME: "eva", MLFLOW_TRACKING_PASSWORD: "pw" }, `Basic ${btoa("eva:pw")}`],
  [{}, undefined],
])("credentials of %j are sent as %s", async (env, authorization) => {
  await sendToMlflow(record, { ...options, env });
  expect([...authorizations]).toEqual([authorization]);
});

test("a run that goes on with another configuration is another run", async () => {
  await sendToMlflow(record, options);
  const { manifest } = record;
  const changed = { ...record, manifest: Object.create(manifest, { config: { value: { seed: 2 } } }) };
  expect(await sendToMlflow(changed, options)).toMatchObject({
    run: "run-2",
    metrics: scalarsOf(record).length,
  });
});
