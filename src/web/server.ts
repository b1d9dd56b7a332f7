/** The dashboard's server: who may ask, what is served, how failures are said. The pages' parts are in `routes/`. */

import { Hono } from "hono";
import { guard } from "../http/guard.js";
import { BUILT_PAGE, builtPage } from "./built.js";
import { sayFailures } from "./failures.js";
import { routes } from "./routes/routes.js";
import { openSite, type Route } from "./site.js";

export interface DashboardOptions {
  /** A run, a study, or a folder of such; absolute, links resolved. */
  dir: string;
  /** The address that it is listened on; see `guard`. */
  address: string;
  /** Asked of every request where given; see `guard`. */
  token?: string;
  /** The built page; for tests. */
  page?: string;
  /** The pages' parts of the API; for tests. */
  parts?: readonly Route[];
}

export interface Dashboard {
  app: Hono;
  /** Ends streams and closes what the routes hold open; then the server can stop. */
  close(): Promise<void>;
}

/**
 * The dashboard of `dir`; it reads run folders and writes nothing but ratings.
 *
 * @example const listening = await listen(createDashboard({ dir, address }).app, { address, port: 4242 });
 */
export function createDashboard({
  dir,
  address,
  token,
  page = BUILT_PAGE,
  parts = routes,
}: DashboardOptions): Dashboard {
  const { site, close } = openSite(dir);
  const app = new Hono();
  app.use(...guard({ address, ...(token === undefined ? {} : { token }) }));
  app.use("/api/*", async (context, next) => {
    await next();
    // What a run shows now is not what it shows later.
    if (!context.res.headers.has("cache-control")) context.res.headers.set("cache-control", "no-store");
  });
  app.get("/api/runs", async (context) => context.json({ dir, runs: await site.runs() }));
  for (const route of parts) app.route("/", route(site));
  app.route("/", builtPage(page));
  sayFailures(app);
  return { app, close };
}
