/** What `coppice rate` serves: the page on which people rate, and nothing that would tell them who wrote what. */

import { Hono } from "hono";
import { guard } from "../http/guard.js";
import { BUILT_PAGE, builtPage } from "./built.js";
import { sayFailures } from "./failures.js";
import { type RatingPlace, ratingRoutes } from "./routes/ratings.js";

export interface RatingServerOptions {
  /** The run and the round that is rated. */
  place: Required<RatingPlace>;
  /** The address that it is listened on; see `guard`. */
  address: string;
  /** Asked of every request where given; see `guard`. */
  token?: string;
  /** The built page; for tests. */
  page?: string;
}

/** A rating and its comment fit many times. */
const MAX_BODY = 64 * 1024;

/** @example await listen(createRatingServer({ place: { dir, round: round.id }, address }), { address, port: 4243 }) */
export function createRatingServer({ place, address, token, page = BUILT_PAGE }: RatingServerOptions): Hono {
  const app = new Hono();
  app.use(...guard({ address, maxBody: MAX_BODY, ...(token === undefined ? {} : { token }) }));
  app.use("/api/*", async (context, next) => {
    await next();
    context.res.headers.set("cache-control", "no-store");
  });
  app.route("/", ratingRoutes({ place: () => place, results: false }));
  app.route("/", builtPage(page, "rate.html"));
  sayFailures(app);
  return app;
}
