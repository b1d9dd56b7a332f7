/** Asks a server as anybody may: any host, any headers, a path that nothing has tidied up. */

import { type IncomingHttpHeaders, request } from "node:http";
import { type Listening, listen } from "../../src/http/listen.js";
import { createDashboard, type DashboardOptions } from "../../src/web/server.js";

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface OpenDashboard extends Listening {
  ask(path: string, options?: Asked): Promise<Answered>;
  /** The JSON at that path; fails unless it is answered with 200. */
  json<T>(path: string): Promise<T>;
}

/** A dashboard on a free port of loopback, whatever address it believes to be reached by. */
export async function openDashboard(
  dir: string,
  options: Partial<DashboardOptions> = {},
): Promise<OpenDashboard> {
  const dashboard = createDashboard({ dir, address: "127.0.0.1", ...options });
  const listening = await listen(dashboard.app, { address: "127.0.0.1", port: 0 });
  const ask = (path: string, { method = "GET", headers = {}, body }: Asked = {}) =>
    new Promise<Answered>((resolve, reject) => {
      const sent = request(
        { host: "127.0.0.1", port: listening.port, path, method, headers, agent: false },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (part) => {
            text += part;
          });
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          );
          response.on("error", reject);
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  return {
    ...listening,
    ask,
    json: async <T>(path: string) => {
      const { status, text } = await ask(path);
      if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
      return JSON.parse(text) as T;
    },
    close: async () => {
      await dashboard.close();
      await listening.close(1000);
    },
  };
}
