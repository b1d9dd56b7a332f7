/** Where a run stands and what it has measured: once, or as it changes. */

import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { runFigures } from "../figures.js";
import { readRunState } from "../run-state.js";
import type { Site } from "../site.js";
import { Watchers } from "../watch.js";

/** Milliseconds after which a silent stream says that it is still there, so that a lost connection is noticed. */
const HEARTBEAT = 15_000;

export function runRoutes(site: Site): Hono {
  const app = new Hono();
  const watchers = new Watchers();
  site.onClose(() => watchers.close());

  app.get("/api/run", async (context) => context.json(await readRunState(await site.run(context))));

  app.get("/api/run/figures", async (context) => context.json(await runFigures(await site.run(context))));

  app.get("/api/run/events", async (context) => {
    const run = await site.run(context);
    return streamSSE(context, async (stream) => {
      let said = "";
      let asked = true;
      let wake = () => {};
      const notify = () => {
        asked = true;
        wake();
      };
      const unsubscribe = watchers.subscribe(run.root, notify);
      stream.onAbort(notify);
      site.closing.addEventListener("abort", notify);
      try {
        while (!stream.aborted && !site.closing.aborted) {
          if (asked) {
            asked = false;
            const state = JSON.stringify(await readRunState(run));
            if (state !== said) await stream.writeSSE({ data: state });
            said = state;
          }
          if (asked) continue;
          const silent = await waited(HEARTBEAT, (done) => {
            wake = done;
          });
          // A line that begins with a colon is a comment.
          if (silent) await stream.write(":\n\n");
        }
      } finally {
        unsubscribe();
        site.closing.removeEventListener("abort", notify);
      }
    });
  });
  return app;
}

/** True after `milliseconds`, false when what is handed to `register` is called before. */
function waited(milliseconds: number, register: (done: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), milliseconds);
    register(() => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}
