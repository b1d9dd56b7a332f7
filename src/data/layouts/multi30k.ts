/** Multi30k's `data/task1/raw`: `train.de.gz` beside `train.en.gz`, `val.*`, `test_2016_flickr.*`. */

import { alignedParts, type Languages, noSuchLayout, type Part } from "./folder.js";

export async function multi30kParts(folder: string, languages: Languages): Promise<Part[]> {
  const parts = await alignedParts(folder, languages);
  if (!parts.some(({ name }) => /^(train|val|test)/.test(name)))
    throw noSuchLayout(folder, `train.${languages[0]}.gz and train.${languages[1]}.gz, as in data/task1/raw`);
  return parts.map((part) => ({ ...part, name: part.name === "val" ? "validation" : part.name }));
}
