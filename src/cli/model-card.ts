/** What a model's card, the `README.md` of its folder, says of its licence. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { foreignYaml } from "../foreign-yaml.js";

const schema = z.looseObject({ license: z.string().nullish(), license_name: z.string().nullish() });

/** The licence in the front matter of a card; undefined where there is no card, or it names none. */
export async function licenceOf(folder: string): Promise<string | undefined> {
  const card = await readFile(join(folder, "README.md"), "utf8").catch(() => "");
  const front = /^---\r?\n(.*?)\r?\n---/s.exec(card)?.[1];
  if (front === undefined) return undefined;
  // A card needs no aliases.
  const parsed = schema.safeParse(foreignYaml(front, 0));
  if (!parsed.success) return undefined;
  const { license, license_name: name } = parsed.data;
  return (license === "other" ? (name ?? license) : license) ?? undefined;
}
