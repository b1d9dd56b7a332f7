/** Studies in the dashboard's folder: what `coppice compare` wrote there. */

import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, relative, sep } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { table1 } from "../study/table.js";
import { fileInside } from "./evaluation-files.js";
import { tableView } from "./figures.js";
import type { RunEntry } from "./protocol.js";
import type { StudyView } from "./views.js";

const figure = z.number().nullable();
const bounds = z.object({ reward: z.number(), low: z.number(), high: z.number() });

const Table1 = z.object({
  runs: z.object({ all: z.int(), finished: z.int() }),
  rows: z.array(
    z.object({
      name: z.string(),
      arm: z.string(),
      kind: z.enum(["bc", "rest", "random", "online", "best-of-n"]),
      loss: z.string().nullable(),
      grow: z.int(),
      improve: z.int(),
      reward: z.number(),
      low: z.number(),
      high: z.number(),
      bleu: figure,
      chrf: z.number(),
      // Absent in tables of before judges stood in them.
      judge: z
        .object({ name: z.string(), mean: z.number(), low: z.number(), high: z.number() })
        .nullable()
        .default(null),
      samples: z.number(),
      seeds: z.number(),
      over: z.enum(["seeds", "sources"]),
      versusRandom: bounds.nullable(),
    }),
  ),
});

const Verdict = z.object({
  findings: z.array(
    z.object({
      number: z.literal([1, 2, 3, 4, 5, 6, 7]),
      claim: z.string(),
      verdict: z.enum(["holds", "does not hold", "not decided"]),
      figure: z
        .object({
          value: z.number(),
          low: z.number(),
          high: z.number(),
          over: z.enum(["seeds", "sources"]),
          seeds: z.number(),
          of: z.string(),
          unit: z.string(),
        })
        .nullable(),
      text: z.string(),
    }),
  ),
});

/** A figure's file: the only names that are served. */
const FIGURE = /^(figure-\d{1,2})\.(svg|png|csv)$/;

/** The studies that the runs belong to, each read from its own folder. Throws a UserError naming a file that is not as Coppice writes it. */
export async function readStudies(dir: string, runs: readonly RunEntry[]): Promise<StudyView[]> {
  const studies: StudyView[] = [];
  for (const folder of await studyFolders(dir, runs)) {
    const table = await readJson(folder, "table1.json", Table1);
    const verdict = await readJson(folder, "verdict.json", Verdict);
    if (!table) continue;
    const name = nameOf(dir, folder);
    studies.push({
      name,
      runs: runs.filter((run) => run.folder.startsWith(folder + sep)).map(({ name }) => name),
      progress: table.runs,
      table1: tableView({ ...table1(table.rows), title: `Study ${name}: Table 1` }),
      findings: verdict?.findings ?? [],
      figures: await figureNames(folder),
    });
  }
  return studies;
}

/** A figure's file of the study of that name; undefined where either is not there. */
export async function figureFile(
  dir: string,
  runs: readonly RunEntry[],
  study: string,
  file: string,
): Promise<{ path: string; ending: string } | undefined> {
  const [, , ending] = FIGURE.exec(file) ?? [];
  const folder = (await studyFolders(dir, runs)).find((each) => nameOf(dir, each) === study);
  const path = ending && folder ? await fileInside(folder, `figures/${file}`) : undefined;
  return ending && path ? { path, ending } : undefined;
}

/** Folders from the dashboard's to the runs that hold a Table 1. */
async function studyFolders(dir: string, runs: readonly RunEntry[]): Promise<string[]> {
  const above = new Set<string>();
  for (const { folder } of runs)
    for (let at = folder; at !== dir; ) {
      at = dirname(at);
      above.add(at);
    }
  const found: string[] = [];
  for (const folder of [...above].sort()) if (await fileInside(folder, "table1.json")) found.push(folder);
  return found;
}

function nameOf(dir: string, folder: string): string {
  return relative(dir, folder).split(sep).join("/") || basename(dir);
}

async function figureNames(folder: string): Promise<string[]> {
  const path = await fileInside(folder, "figures");
  const files = path === undefined ? [] : await readdir(path).catch(() => []);
  const names = files.flatMap((file) => FIGURE.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

async function readJson<T extends z.ZodType>(
  folder: string,
  file: string,
  schema: T,
): Promise<z.output<T> | undefined> {
  const path = await fileInside(folder, file);
  if (path === undefined) return undefined;
  const wrong = (why: string) =>
    new UserError(
      `this is not as coppice compare writes it (${why}). Run coppice compare again: it writes it anew.`,
      {
        file: path,
      },
    );
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch {
    throw wrong("it is not JSON");
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw wrong(`${issue.path.join(".")}: ${issue.message}`);
}
