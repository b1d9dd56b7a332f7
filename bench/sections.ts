/** Pages of docs/ that several commands write, each its own section. */

import { readFileSync, writeFileSync } from "node:fs";

/** Puts `body` under the heading `## title`, in place of what stood there; a new section goes to the end. */
export function writeSection(file: string, title: string, body: string): void {
  const heading = `## ${title}\n`;
  const sections = readFileSync(file, "utf8").split(/^(?=## )/m);
  const section = `${heading}\n${body.trim()}\n`;
  const at = sections.findIndex((one) => one.startsWith(heading));
  if (at < 0) sections.push(section);
  else sections[at] = section;
  writeFileSync(file, `${sections.map((one) => one.trim()).join("\n\n")}\n`);
}
