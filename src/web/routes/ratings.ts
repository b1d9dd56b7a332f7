/** Rating over HTTP: the next item, what is given for it, and what all came to. No answer before the results names a policy. */

import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { UserError } from "../../errors.js";
import { RatingDesk } from "../../rating/desk.js";
import { findRound, readRatings } from "../../rating/read.js";
import { ratingResults } from "../../rating/results.js";
import { type Round, ratingsFolder } from "../../rating/round.js";
import { COMMENT_LIMIT, HIGHEST, LOWEST, NAME_LIMIT } from "../../rating/scale.js";
import { missing } from "../missing.js";
import { readQuery } from "../query.js";
import type { RatedRun, RatingsOverview } from "../rating-protocol.js";
import type { Route } from "../site.js";

/** Which run and which of its rounds a request is for. */
export interface RatingPlace {
  dir: string;
  /** The last one begun where absent. */
  round?: string;
}

interface RatingRoutesOptions {
  place(context: Context): Promise<RatingPlace> | RatingPlace;
  /** Whether the results, which name policies, may be asked for. */
  results: boolean;
}

// Longer than a name may be, so that what is wrong with it is said in one place (raterName).
const rater = z.string().max(4 * NAME_LIMIT);
const round = z.string().max(64);
const item = z.int().nonnegative();
const comment = z
  .string()
  .max(2 * COMMENT_LIMIT)
  .optional();

const At = z.object({ rater });
const Rate = z.strictObject({
  round,
  rater,
  item,
  scores: z.array(z.int().min(LOWEST).max(HIGHEST)).min(1).max(100),
  comment,
});
const Skip = z.strictObject({ round, rater, item, comment });
const Undo = z.strictObject({ round, rater });

/** The dashboard's: rating and results of the run that a request names. */
export const ratings: Route = (site) =>
  ratingRoutes({ place: async (context) => ({ dir: (await site.run(context)).root }), results: true });

/** Routes below `/api/ratings`. */
export function ratingRoutes({ place, results }: RatingRoutesOptions): Hono {
  const app = new Hono().basePath("/api/ratings");
  /** The open round; `asked` is the one that the page was made for, where it says so. */
  const open = async (context: Context, asked?: string) => {
    const { dir, round: id } = await place(context);
    const found = await findRound(dir, id);
    if (!found)
      throw missing("No round of ratings has been begun for this run. Begin one with: coppice rate DIR");
    if (asked !== undefined && asked !== found.id)
      throw new HTTPException(409, {
        message: "Another round of ratings is open now. Load the page again; what was given before is kept.",
      });
    return { round: found, desk: new RatingDesk(found, ratingsFolder(dir).log) };
  };

  app.get("/progress", async (context) => {
    const { round: found, desk } = await open(context);
    return context.json<RatingsOverview>(overview(found, desk));
  });

  app.get("/next", async (context) => {
    const { desk } = await open(context);
    return context.json(desk.at(readQuery(context, At).rater));
  });

  app.post("/rate", async (context) => {
    const body = await readBody(context, Rate);
    const { desk } = await open(context, body.round);
    return context.json(desk.rate(body.rater, body));
  });

  app.post("/skip", async (context) => {
    const body = await readBody(context, Skip);
    const { desk } = await open(context, body.round);
    return context.json(desk.skip(body.rater, body));
  });

  app.post("/undo", async (context) => {
    const body = await readBody(context, Undo);
    const { desk } = await open(context, body.round);
    return context.json(desk.undo(body.rater));
  });

  if (results)
    app.get("/results", async (context) => {
      const { dir, round: id } = await place(context);
      const stored = await readRatings(dir, id);
      return context.json<RatedRun>({
        scales: ratingResults(stored.judgements, stored.round?.seed ?? 0),
        unreadable: stored.unreadable.length,
      });
    });

  return app;
}

function overview(round: Round, desk: RatingDesk): RatingsOverview {
  return { round: round.id, total: round.items.length, raters: desk.raters() };
}

/** The request's body as `schema` has it. Throws a UserError that names the first wrong key. */
async function readBody<Schema extends z.ZodType>(
  context: Context,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const value: unknown = await context.req.json().catch(() => undefined);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new UserError(
    `${issue.path.join(".") || "the body"} is not what this page sends (${issue.message}). Load the page again.`,
  );
}
