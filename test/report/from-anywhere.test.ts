/** Sources that are run from another folder: no tsconfig.json is found there, so each file names preact itself. */

import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const SOURCES = {
  report: new URL("../../src/report/report.tsx", import.meta.url).href,
  samples: new URL("./samples.ts", import.meta.url).href,
  study: new URL("../../src/study/page.tsx", import.meta.url).href,
  views: new URL("../study/views.ts", import.meta.url).href,
};

const PROGRAM = `
const [{ renderReport }, { parting, online }, { renderPage }, { study }] = await Promise.all([
  import("${SOURCES.report}"), import("${SOURCES.samples}"), import("${SOURCES.study}"), import("${SOURCES.views}"),
]);
const machine = { cpu: "none", cores: 1, memoryGb: 1, node: "v20", os: "linux x64" };
const missing = [{ name: "figure-3", title: "none", why: "none" }];
const page = renderPage({ view: study(), rows: [], findings: [], drawn: [], missing, source: "", machine, version: "0" });
for (const text of [await renderReport(parting()), await renderReport(online()), page]) console.log(text.slice(0, 15));
`;

test("the report and a study's page are written wherever the program was started", async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", import.meta.resolve("tsx"), "--input-type=module", "--eval", PROGRAM],
    { cwd: tmpdir() },
  );
  expect(stdout.trim().split("\n")).toEqual(Array.from({ length: 3 }, () => "<!doctype html>"));
});
