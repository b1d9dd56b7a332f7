/** Looking through the candidates of a Grow step. */

import { readdir } from "node:fs/promises";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { UserError } from "../../errors.js";
import type { BrowseFilter, CandidateBrowser, Cursor } from "../../store/browse.js";
import { candidateFiles } from "../../store/candidates.js";
import { Manifest } from "../../store/manifest.js";
import type { ImproveSummary } from "../../store/summary.js";
import { Browsers } from "../browsers.js";
import { missing } from "../missing.js";
import type { GrowView } from "../protocol.js";
import { number, readQuery, wholeNumber } from "../query.js";
import type { NamedRun, Site } from "../site.js";

/** Rows of a page of the list, and candidates of one source. */
const PAGE = 25;
const MOST_OF_A_SOURCE = 300;

const share = number.pipe(z.number().min(0).max(1));

const ListQuery = z.object({
  grow: wholeNumber(1),
  sort: z.enum(["reward", "characters", "source"]).default("reward"),
  order: z.enum(["asc", "desc"]).default("desc"),
  minReward: share.optional(),
  maxReward: share.optional(),
  minCharacters: wholeNumber(0, 2 ** 31 - 1).optional(),
  maxCharacters: wholeNumber(0, 2 ** 31 - 1).optional(),
  origin: z.enum(["policy", "human"]).optional(),
  finished: z.enum(["yes", "no"]).optional(),
  search: z.string().max(200).optional(),
  after: z.string().optional(),
});

export function candidateRoutes(site: Site): Hono {
  const app = new Hono();
  const browsers = new Browsers();
  site.onClose(() => browsers.close());

  const ask = async <T>(context: Context, work: (browser: CandidateBrowser) => Promise<T>): Promise<T> => {
    const run = await site.run(context);
    const { grow } = readQuery(context, z.object({ grow: wholeNumber(1) }));
    return browsers.use(run.root, run.grow(grow), work);
  };

  app.get("/api/candidates/grows", async (context) => context.json(await growsOf(await site.run(context))));

  app.get("/api/candidates/kept", async (context) =>
    context.json(await ask(context, (browser) => browser.keptTable())),
  );

  app.get("/api/candidates/source", async (context) => {
    const { source } = readQuery(context, z.object({ source: wholeNumber(0) }));
    const page = await ask(context, (browser) => browser.source(source, MOST_OF_A_SOURCE));
    if (!page) throw missing(`Source ${source} has no candidates in this Grow step.`);
    return context.json(page);
  });

  app.get("/api/candidates/list", async (context) => {
    const { sort, order, search, after, ...query } = readQuery(context, ListQuery);
    const filter = filterOf(query);
    const cursor = cursorOf(after);
    return context.json(
      await ask(context, (browser) =>
        search
          ? browser.search(search, filter, PAGE, cursor)
          : browser.list(filter, { by: sort, descending: order === "desc" }, PAGE, cursor),
      ),
    );
  });
  return app;
}

/** The Grow steps that have candidates, with the thresholds that the run itself has used. */
async function growsOf(run: NamedRun): Promise<GrowView[]> {
  const names = await readdir(run.root).catch(() => []);
  const manifest = await Manifest.read(run.root);
  const improves = (manifest?.steps ?? []).flatMap(({ result }) =>
    typeof result === "object" && result !== null && "thresholdValue" in result
      ? // What an Improve step leaves in the manifest.
        [result as unknown as ImproveSummary]
      : [],
  );
  return names
    .flatMap((name) => {
      const grow = Number(/^grow-([1-9]\d{0,5})$/.exec(name)?.[1]);
      return Number.isInteger(grow) && candidateFiles(run.grow(grow)).length > 0 ? [grow] : [];
    })
    .sort((a, b) => a - b)
    .map((grow) => ({
      grow,
      scored: manifest?.isDone(`score-${grow}`) ?? false,
      thresholds: improves
        .filter((improve) => improve.grow === grow && !improve.policy.endsWith("-random"))
        .map(({ policy, threshold, thresholdValue }) => ({ policy, threshold, value: thresholdValue! })),
    }));
}

function filterOf({
  finished,
  minReward,
  maxReward,
  minCharacters,
  maxCharacters,
  origin,
}: Omit<z.infer<typeof ListQuery>, "grow" | "sort" | "order">): BrowseFilter {
  return {
    ...(minReward === undefined ? {} : { minReward }),
    ...(maxReward === undefined ? {} : { maxReward }),
    ...(minCharacters === undefined ? {} : { minCharacters }),
    ...(maxCharacters === undefined ? {} : { maxCharacters }),
    ...(origin === undefined ? {} : { origin }),
    ...(finished === undefined ? {} : { finished: finished === "yes" }),
  };
}

/** A page's `next`, as JSON in the address. */
function cursorOf(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  const shape = z.strictObject({
    value: z.number().nullable(),
    sourceId: z.int(),
    sampleId: z
      .int()
      .min(-(2 ** 31))
      .max(2 ** 31 - 1),
  });
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    throw new UserError("after in the address is not what a page gave as its next. Begin again without it.");
  }
}
