/** `/api/compare`: runs beside each other, and the studies that they belong to. */

import { readFile } from "node:fs/promises";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { UserError } from "../../errors.js";
import { withoutSecrets } from "../../report/secrets.js";
import { Manifest } from "../../store/manifest.js";
import { configDifferences } from "../config-differences.js";
import { evaluationSteps } from "../evaluation-files.js";
import { missing } from "../missing.js";
import type { RunEntry } from "../protocol.js";
import { type RunResults, readResults } from "../run-results.js";
import { openRun, type Route } from "../site.js";
import { figureFile, readStudies } from "../studies.js";
import type { ComparedView, CompareList } from "../views.js";

/** Runs of one answer: more lines than that no chart keeps apart. */
const MOST_RUNS = 12;

const TYPES: Readonly<Record<string, string>> = {
  svg: "image/svg+xml",
  png: "image/png",
  csv: "text/csv; charset=utf-8",
};

export const compareRoute: Route = (site) => {
  const app = new Hono();

  app.get("/api/compare", async (context) => {
    const runs = await site.runs();
    return context.json<CompareList>({
      runs: await Promise.all(
        runs.map(async (run) => ({ name: run.name, evaluated: await evaluatedPolicies(run) })),
      ),
      studies: await readStudies(site.dir, runs),
    });
  });

  app.get("/api/compare/runs", async (context) => {
    const names = [...new Set(context.req.queries("name") ?? [])];
    if (names.length > MOST_RUNS)
      throw new UserError(`${names.length} runs were chosen, but ${MOST_RUNS} is the most. Choose fewer.`);
    const runs = await site.runs();
    const chosen = names.flatMap((name) => runs.find((run) => run.name === name) ?? []);
    if (chosen.length < names.length)
      throw missing("A run that was asked for is not here. Choose from the list of runs.");
    const results: RunResults[] = [];
    const failed: ComparedView["failed"] = [];
    for (const run of chosen) {
      try {
        results.push(await readResults(await openRun(run)));
      } catch (error) {
        // The others are shown all the same.
        if (!(error instanceof UserError || error instanceof HTTPException)) throw error;
        failed.push({ name: run.name, error: error.message });
      }
    }
    return context.json<ComparedView>({
      runs: results.map(({ run }) => run),
      configuration: configDifferences(results.map(({ config }) => withoutSecrets(config))),
      failed,
    });
  });

  app.get("/api/compare/figures/:file", async (context) => {
    const found = await figureFile(
      site.dir,
      await site.runs(),
      context.req.query("study") ?? "",
      context.req.param("file"),
    );
    if (!found) throw missing("There is no such figure.");
    const bytes = await readFile(found.path);
    return context.body(new Uint8Array(bytes), 200, { "content-type": TYPES[found.ending]! });
  });

  return app;
};

/** A run whose manifest cannot be read has none to show; choosing it says why. */
async function evaluatedPolicies(run: RunEntry): Promise<number> {
  const manifest = await openRun(run)
    .then(({ root }) => Manifest.read(root))
    .catch(() => undefined);
  return manifest ? evaluationSteps(manifest).length : 0;
}
