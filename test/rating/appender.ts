/** A process that appends skips to a file: `appender.ts FILE RATER COUNT`. Prints each id once its line is on disk. */
import { randomUUID } from "node:crypto";
import { appendLine } from "../../src/rating/log.js";

const [file = "", rater = "", count = "0"] = process.argv.slice(2);
for (let item = 0; item < Number(count); item++) {
  const id = randomUUID();
  appendLine(file, {
    ...{ id, rater, item, at: "2026-01-02T03:04:05.000Z", round: "0123456789ab" },
    action: "skip",
    comment: "x".repeat(item % 500),
  });
  process.stdout.write(`${id}\n`);
}
