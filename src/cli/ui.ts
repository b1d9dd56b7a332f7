/** Serves the dashboard until it is asked to stop. */
import { realpath, stat } from "node:fs/promises";
import { UserError } from "../errors.js";
import { type Listening, listen, PortTaken, tokenFor } from "../http/listen.js";
import { createDashboard, type Dashboard } from "../web/server.js";
import { stopSignal } from "./signals.js";
import { type OutputOptions, openTerminal } from "./terminal.js";

interface UiOptions extends OutputOptions {
  dir: string;
  /** Loopback where absent. */
  host?: string;
  port?: number;
}

/** Where it listens unless told otherwise, and how many ports above are tried where that is taken. */
const PORT = 4242;
const MORE_PORTS = 20;

/** Resolves after Ctrl-C or SIGTERM, when answers under way are given. Throws a UserError where it cannot listen. */
export async function ui({ dir, host = "127.0.0.1", port, ...output }: UiOptions): Promise<void> {
  const terminal = openTerminal(output);
  const folder = await realFolder(dir);
  const token = tokenFor(host);
  const dashboard = createDashboard({
    dir: folder,
    address: host,
    ...(token === undefined ? {} : { token }),
  });
  const signal = stopSignal();
  const listening = await listenSomewhere(dashboard, host, port);
  const address = `${listening.url}/${token === undefined ? "" : `?token=${token}`}`;
  terminal.result({ address, dir: folder }, () => `The dashboard of ${dir} is at ${address}`);
  terminal.note("Ctrl-C stops it. Runs go on without it.");
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  await dashboard.close();
  await listening.close();
}

/** The folder without links, so that what lies in it can be told from what does not. */
async function realFolder(dir: string): Promise<string> {
  const folder = await realpath(dir).catch(() => undefined);
  if (folder === undefined || !(await stat(folder)).isDirectory())
    throw new UserError("this is no folder. Give the folder of a run, of a study, or one that runs lie in.", {
      file: dir,
    });
  return folder;
}

async function listenSomewhere({ app }: Dashboard, address: string, asked?: number): Promise<Listening> {
  for (let port = asked ?? PORT; ; port++) {
    try {
      return await listen(app, { address, port });
    } catch (error) {
      if (!(error instanceof PortTaken) || asked !== undefined || port >= PORT + MORE_PORTS) throw error;
    }
  }
}
