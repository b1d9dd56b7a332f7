/** Sends the figures of a run to an MLflow server by its REST interface, each once however often it is done. */

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { UserError } from "../errors.js";
import { configHash } from "../store/manifest.js";
import type { RunRecord } from "./record.js";
import { type Scalar, scalarsOf } from "./scalars.js";
import { settingsOf } from "./settings.js";

export interface MlflowOptions {
  /** `http://127.0.0.1:5000`. */
  address: string;
  experiment: string;
  /** What the run is called there. */
  name: string;
  /** `MLFLOW_TRACKING_TOKEN`, `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` are taken from it. */
  env: NodeJS.ProcessEnv;
  /** Milliseconds before an attempt that failed is made again; for tests. */
  pauses?: readonly number[];
}

export interface Sent {
  experiment: string;
  /** MLflow's own identifier. */
  run: string;
  /** Figures sent now; those that were there already are not. */
  metrics: number;
  address: string;
}

// https://mlflow.org/docs/latest/rest-api.html: limits of one call of log-batch.
const METRICS_A_CALL = 1000;
const PARAMS_A_CALL = 100;
const LONGEST_PARAM = 6000;

/** Which run of ours it is; asked for before a run is made. */
const KEY_TAG = "coppice.key";
/** Figures that have arrived, in the order of metrics.jsonl: where a broken transfer goes on. */
const ARRIVED_TAG = "coppice.figures";

const TIMEOUT = 30_000;
const PAUSES = [500, 2000];

/**
 * Makes the experiment and the run where they are missing, and sends the configuration and the figures that have not arrived
 * yet. A run whose configuration or input has changed is another run there, since MLflow keeps a
 * parameter as it was first given, and figures that follow from other text would mix with the old.
 *
 * @throws UserError where the server cannot be reached or refuses; what has arrived stays, and the same command goes on.
 */
export async function sendToMlflow(record: RunRecord, options: MlflowOptions): Promise<Sent> {
  const api = new Mlflow(options);
  const { manifest } = record;
  const { runId, config, inputs, createdAt } = manifest;
  const key = createHash("sha256")
    .update(JSON.stringify([runId, configHash(config), inputs.map(({ sha256 }) => sha256), createdAt]))
    .digest("hex");
  const scalars = scalarsOf(record);
  const experiment = await api.experiment(options.experiment);
  const found = await api.run(experiment, key);
  const run = found?.run ?? (await api.create(experiment, options.name, key, Date.parse(createdAt)));

  const params = settingsOf(config).map(([name, value]) => ({
    key: mlflowName(name),
    value: value.slice(0, LONGEST_PARAM),
  }));
  for (const some of blocks(params, PARAMS_A_CALL)) await api.log(run, { params: some });

  const arrived = found?.arrived ?? 0;
  let sent = arrived;
  for (const some of blocks(scalars.slice(arrived), METRICS_A_CALL)) {
    sent += some.length;
    // One call for both: a run that says less than it holds gets figures twice, which are the same and count once.
    await api.log(run, { metrics: some.map(metric), tags: [{ key: ARRIVED_TAG, value: String(sent) }] });
  }
  const end = Math.max(...record.metrics.map(({ finishedAt }) => finishedAt));
  await api.finish(run, Math.round(1000 * end));
  return { experiment: options.experiment, run, metrics: sent - arrived, address: options.address };
}

function metric({ curve, series, value, step, at }: Scalar) {
  return { key: mlflowName(`${curve}/${series}`), value, step, timestamp: Math.round(1000 * at) };
}

/** Letters, digits and `_-. /` are what MLflow takes in a name. */
function mlflowName(name: string): string {
  return name.replace(/[^\w\-. /]/g, "_");
}

function blocks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

const experimentAnswer = z.object({ experiment: z.object({ experiment_id: z.string() }) });
const newExperimentAnswer = z.object({ experiment_id: z.string() });
const tags = z.array(z.object({ key: z.string(), value: z.string() })).default([]);
const runAnswer = z.object({ run: z.object({ info: z.object({ run_id: z.string() }) }) });
const searchAnswer = z.object({
  runs: z
    .array(z.object({ info: z.object({ run_id: z.string() }), data: z.object({ tags }).optional() }))
    .default([]),
});

class Mlflow {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #pauses: readonly number[];

  constructor(private readonly options: MlflowOptions) {
    const { address, env, pauses = PAUSES } = options;
    if (!/^https?:\/\//.test(address) || !URL.canParse(address))
      throw new UserError(
        `${JSON.stringify(address)} is not the address of an MLflow server, expected one such as http://127.0.0.1:5000.`,
      );
    this.#base = `${address.replace(/\/+$/, "")}/api/2.0/mlflow`;
    this.#pauses = pauses;
    const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user } = env;
    const basic = Buffer.from(`${user}:${env.MLFLOW_TRACKING_PASSWORD ?? ""}`).toString("base64");
    this.#headers = {
      "content-type": "application/json",
      ...(token ? { authorization: `Bearer ${token}` } : user ? { authorization: `Basic ${basic}` } : {}),
    };
  }

  /** The experiment's identifier; made where it is missing. */
  async experiment(name: string): Promise<string> {
    const query = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
    const found = await this.#ask(query, undefined, experimentAnswer, "RESOURCE_DOES_NOT_EXIST");
    if (found) return found.experiment.experiment_id;
    return (await this.#post("experiments/create", { name }, newExperimentAnswer)).experiment_id;
  }

  async run(experiment: string, key: string): Promise<{ run: string; arrived: number } | undefined> {
    const { runs } = await this.#post(
      "runs/search",
      { experiment_ids: [experiment], filter: `tags."${KEY_TAG}" = '${key}'`, max_results: 1 },
      searchAnswer,
    );
    const [first] = runs;
    if (!first) return undefined;
    const arrived = first.data?.tags.find((tag) => tag.key === ARRIVED_TAG)?.value;
    return { run: first.info.run_id, arrived: Number(arrived ?? 0) };
  }

  async create(experiment: string, name: string, key: string, startTime: number): Promise<string> {
    const { run } = await this.#post(
      "runs/create",
      {
        ...{ experiment_id: experiment, run_name: name, start_time: startTime },
        tags: [{ key: KEY_TAG, value: key }],
      },
      runAnswer,
    );
    return run.info.run_id;
  }

  async log(run: string, what: { metrics?: object[]; params?: object[]; tags?: object[] }): Promise<void> {
    await this.#post("runs/log-batch", { run_id: run, ...what }, z.unknown());
  }

  async finish(run: string, endTime: number): Promise<void> {
    await this.#post("runs/update", { run_id: run, status: "FINISHED", end_time: endTime }, z.unknown());
  }

  async #post<T>(path: string, body: object, answer: z.ZodType<T>): Promise<T> {
    const found = await this.#ask(path, body, answer);
    if (found === undefined) throw new Error(`${path} gave no answer`);
    return found;
  }

  /** The answer; undefined for a refusal of the kind `missing`. Tries again where the server is busy or out of order. */
  async #ask<T>(
    path: string,
    body: object | undefined,
    answer: z.ZodType<T>,
    missing?: string,
  ): Promise<T | undefined> {
    for (let attempt = 0; ; attempt++) {
      const pause = this.#pauses[attempt];
      let response: Response;
      let text: string;
      try {
        response = await fetch(`${this.#base}/${path}`, {
          method: body ? "POST" : "GET",
          headers: this.#headers,
          signal: AbortSignal.timeout(TIMEOUT),
          ...(body && { body: JSON.stringify(body) }),
        });
        text = await response.text();
      } catch (error) {
        if (pause === undefined) throw this.#unreachable(error);
        await sleep(pause);
        continue;
      }
      if ((response.status >= 500 || response.status === 429) && pause !== undefined) {
        await sleep(pause);
        continue;
      }
      return this.#read(response, text, answer, missing);
    }
  }

  #read<T>(response: Response, text: string, answer: z.ZodType<T>, missing?: string): T | undefined {
    let content: unknown;
    try {
      content = JSON.parse(text);
    } catch {
      content = undefined;
    }
    if (response.ok) {
      const parsed = answer.safeParse(content);
      if (parsed.success) return parsed.data;
      throw this.#refused("gave an answer that is not MLflow's");
    }
    const refusal = z
      .object({ error_code: z.string(), message: z.string().default("") })
      .safeParse(content).data;
    if (missing !== undefined && refusal?.error_code === missing) return undefined;
    const reason = refusal
      ? `${refusal.error_code} ${refusal.message.split("\n")[0]}`.trim()
      : response.statusText;
    throw this.#refused(`refused with ${response.status} (${reason})`);
  }

  #unreachable(error: unknown): UserError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
    const timedOut = error instanceof Error && error.name === "TimeoutError";
    const reason = timedOut ? `no answer within ${TIMEOUT / 1000} seconds` : (code ?? String(cause));
    return new UserError(
      `MLflow at ${this.options.address} was not reached (${reason}), expected a server there; start it with mlflow server ` +
        "and run the same command: what has arrived is not sent again.",
      {},
      { cause: error },
    );
  }

  #refused(what: string): UserError {
    return new UserError(
      `MLflow at ${this.options.address} ${what}. Check the address and MLFLOW_TRACKING_TOKEN, then run the same command: ` +
        "what has arrived is not sent again.",
    );
  }
}
