/** Where a run's policies are loaded from and what they cost, by their kind: the one place that tells the kinds apart. */

import { dirname } from "node:path";
import { UserError } from "../errors.js";
import { NativePolicy } from "../policy/native.js";
import type { Policy } from "../policy/policy.js";
import { type Host, StartedHost, standingHost } from "../policy/server/host.js";
import { type ServedOptions, ServerPolicy } from "../policy/server/server-policy.js";
import { Ledger, type Spent } from "../policy/server/spending.js";
import { checkTrainer } from "../policy/server/trainer.js";
import type { RunFolder } from "../store/run-folder.js";
import type { Thread } from "../tensor/thread.js";
import type { Config } from "./config.js";

export interface PolicyHome {
  /** A policy of its own, which training may change. @throws UserError where the folder holds none. */
  load(folder: string): Promise<Policy>;
  /** What was paid for policies since the last call; undefined: nothing. */
  spent(): Spent | undefined;
  close(): Promise<void>;
}

type ServerConfig = Extract<Config["policy"], { kind: "server" }>;

export function policyHome(config: Config, folder: RunFolder, thread: Thread): PolicyHome {
  if (config.policy.kind === "native")
    return {
      load: (path) => NativePolicy.load(thread, path),
      spent: () => undefined,
      close: async () => undefined,
    };
  const options = servedOptions(config, config.policy, folder);
  return {
    load: (path) => ServerPolicy.load(path, options),
    spent: () => options.ledger.take(),
    close: () => options.host.close(),
  };
}

/** The model that a run with a server starts from. */
export function firstServed(config: Config, folder: RunFolder): ServerPolicy {
  if (config.policy.kind === "native") throw new Error("a native policy is served by nobody");
  return new ServerPolicy({ model: config.policy.model }, servedOptions(config, config.policy, folder));
}

/** @throws UserError where a server cannot be asked, or the trainer's program is not there; asks nothing yet. */
export function checkPolicy(config: Config, folder: RunFolder): void {
  const { policy, improve, grow } = config;
  if (policy.kind === "native") return;
  const { place, workingFolder } = servedOptions(config, policy, folder);
  if (grow.steps > 0) checkTrainer(improve.trainer, workingFolder, place);
}

function servedOptions(config: Config, policy: ServerConfig, folder: RunFolder): ServedOptions {
  const { api, template, system, stop, timeoutSeconds, retries, choices, seeds, concurrency } = policy;
  return {
    completion: { api, template, system, stop, timeoutSeconds, retries },
    choices,
    seeds,
    concurrency,
    trainer: config.improve.trainer,
    host: hostOf(policy, folder),
    ledger: new Ledger(policy.price),
    workingFolder: dirname(folder.config),
    place: { file: folder.config },
  };
}

function hostOf({ api, url, headers, serve }: ServerConfig, folder: RunFolder): Host {
  const path = api === "chat" ? "/chat/completions" : "/completions";
  const place = { file: folder.config };
  if (serve.command.length > 0)
    return new StartedHost(
      {
        command: serve.command,
        folder: dirname(folder.config),
        headers,
        readySeconds: serve.readySeconds,
        log: folder.inside("models/server.log"),
        place,
      },
      path,
    );
  if (url === null) throw new UserError("policy.url is missing. Give the server's address.", place);
  return standingHost({ url, headers }, path, place);
}
