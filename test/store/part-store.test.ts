/** A folder as a store of parts; S3 as far as it goes without a server. `npm run bench -- store` asks a real one. */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CandidateWriter, humanCandidate, partPath } from "../../src/store/candidates.js";
import { openPartStore, type PartStore } from "../../src/store/part-store.js";
import { s3Failure } from "../../src/store/s3.js";
import { storeProblem } from "../../src/store/store-address.js";

let root: string;
let part: string;
let store: PartStore;
const NAME = "part-000000-000002.parquet";
const STAMP = { run: "run-1", origin: "of-these-weights", shard: "1/2" };

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "coppice-store-"));
  part = partPath(join(root, "mine"), 0, 2);
  const writer = await CandidateWriter.open(part, { runId: "run-1", origin: STAMP.origin });
  writer.append([0, 1, 2].map((id) => humanCandidate(1, id, { source: `it's ${id}`, target: "“ja”" })));
  await writer.finish();
  store = await openPartStore("parts", { base: root, spill: join(root, "spill") });
});
afterAll(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

const there = () => join(root, "parts/grow-1");

describe("a folder as a store", () => {
  test("has no parts before it is there", async () => {
    expect(await store.list(1)).toEqual([]);
    expect(await store.stamps(1, [])).toEqual([]);
  });

  test("gives back the bytes that were put, and says whose they are", async () => {
    await store.put(1, part, STAMP);
    writeFileSync(join(there(), "notes.txt"), "not a part");
    expect(await store.list(1)).toEqual([NAME]);
    expect(await store.stamps(1, [NAME])).toEqual([STAMP]);
    const back = join(root, "yours", NAME);
    await store.get(1, back, STAMP);
    expect(readFileSync(back).equals(readFileSync(part))).toBe(true);
    // Nothing half-written stays.
    expect(readdirSync(there()).sort()).toEqual(["notes.txt", NAME]);
  });

  test("putting it twice leaves the same bytes", async () => {
    await store.put(1, part, STAMP);
    const once = readFileSync(join(there(), NAME));
    await store.put(1, part, STAMP);
    expect(readFileSync(join(there(), NAME)).equals(once)).toBe(true);
  });

  test("a part that was written for no store has no stamp of its origin", async () => {
    const plain = partPath(join(root, "parts/grow-2"), 0, 2);
    const writer = await CandidateWriter.open(plain, { runId: "run-1" });
    writer.append([humanCandidate(2, 0, { source: "a", target: "b" })]);
    await writer.finish();
    expect(await store.stamps(2, [NAME])).toEqual([{ run: "run-1" }]);
    expect(await store.own(plain, "run-1")).toEqual({ run: "run-1" });
    expect(await store.own(part, "run-1")).toEqual({ run: "run-1", origin: STAMP.origin });
  });

  test("a part of another run is not put", async () => {
    await expect(store.put(3, part, { ...STAMP, run: "run-2" })).rejects.toThrow("belong to run run-1");
    expect(await store.list(3)).toEqual([]);
  });

  test("a file that is damaged is named", async () => {
    mkdirSync(join(root, "parts/grow-4"), { recursive: true });
    const file = join(root, "parts/grow-4", NAME);
    for (const bytes of [readFileSync(part).subarray(0, 900), Buffer.from("PAR1"), Buffer.alloc(0)]) {
      writeFileSync(file, bytes);
      await expect(store.stamps(4, [NAME])).rejects.toThrow(
        `${file}: this is not a whole Parquet file. Remove it`,
      );
      const to = join(root, "yours-4", NAME);
      await expect(store.get(4, to, STAMP)).rejects.toThrow(`${file}: this is not a whole Parquet file`);
      expect(existsSync(to)).toBe(false);
    }
  });
});

describe("places of a store", () => {
  test("are folders and S3 buckets with a plain prefix", () => {
    for (const place of [
      "parts",
      "/mnt/parts",
      "C:\\parts",
      "s3://bucket",
      "s3://my.bucket/runs/a-1/",
      "s3://b2/x=1",
    ])
      expect([place, storeProblem(place)]).toEqual([place, undefined]);
    for (const place of [
      "gs://bucket/x",
      "https://host/x",
      "s3://",
      "s3://bucket/a b",
      "s3://bucket/*",
      "S3://bucket/x",
      "s3:/bucket/x",
    ])
      expect([place, storeProblem(place)]).toEqual([
        place,
        expect.stringContaining("neither a folder nor s3://BUCKET"),
      ]);
  });

  test("never hold a secret", () => {
    expect(storeProblem("s3://bucket/x?s3_secret_access_key=abc")).toContain("AWS_SECRET_ACCESS_KEY");
  });
});

describe("S3 without a server", () => {
  const open = (env: NodeJS.ProcessEnv) =>
    openPartStore("s3://bucket/x", { base: root, spill: join(root, "spill-s3"), env });

  test("names the file that is no extension, and the version that is wanted", async () => {
    await expect(open({ COPPICE_HTTPFS: join(root, "none/httpfs.duckdb_extension") })).rejects.toThrow(
      /none\/httpfs\.duckdb_extension: COPPICE_HTTPFS does not name an extension .* for DuckDB v\d+\.\d+\.\d+ on \w+\.$/,
    );
  });

  test("wants both halves of a key, and an endpoint that is a server and no more; neither is repeated", async () => {
    await expect(open({ AWS_ACCESS_KEY_ID: "AKIAEXAMPLE" })).rejects.toThrow(
      /^the environment has AWS_ACCESS_KEY_ID without AWS_SECRET_ACCESS_KEY\. Set both\.$/,
    );
    for (const endpoint of ["host:9000", "http://:word@host", "http://host/bucket", "http://host/?key=word"])
      await expect(open({ AWS_ENDPOINT_URL: endpoint })).rejects.toThrow(
        /^AWS_ENDPOINT_URL is not the address of a server\. Give it as https:\/\/HOST or http:\/\/HOST:PORT\.$/,
      );
  });

  const env = {
    AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "not-to-be-shown",
    AWS_ENDPOINT_URL: "http://127.0.0.1:9000",
  };
  const said = (message: string, over: NodeJS.ProcessEnv = {}) => {
    const failure = s3Failure(new Error(message), "s3://bucket/x/grow-1/", { ...env, ...over });
    return failure instanceof Error ? `${failure.name}: ${failure.message}` : failure;
  };

  // Messages as DuckDB 1.5.5 gave them, asking moto 5.2.5.
  test.each([
    [
      "IO Error: Could not connect to server error for HTTP GET to 'http://127.0.0.1:9000/bucket/?list-type=2'\n\nLINE 1: SELECT",
      "does not answer (Could not connect to server). Check AWS_ENDPOINT_URL",
    ],
    [
      "IO Error: Could not resolve hostname error for HTTP PUT to 'http://no.such.host/bucket/a'",
      "does not answer (Could not resolve hostname)",
    ],
    [
      "IO Error: SSL connect error error for HTTP GET to 'https://127.0.0.1:9000/bucket/'",
      "does not answer (SSL connect error)",
    ],
    [
      "HTTP Error: Unable to connect to URL s3://bucket/x.parquet: Not Found (HTTP code 404)\n\nNoSuchBucket: The specified bucket does not exist",
      "there is no such bucket on the server",
    ],
    [
      "HTTP Error: HTTP GET error reading 's3://bucket/x' in region 'us-east-1' (HTTP 403 Forbidden)\n\nSignatureDoesNotMatch: The request",
      "refuses these credentials. Check AWS_ACCESS_KEY_ID",
    ],
    [
      "HTTP Error: Unable to connect to URL s3://bucket/x.parquet: Forbidden (HTTP code 403)\n\nInvalidAccessKeyId: The AWS Access Key Id",
      "refuses these credentials",
    ],
    [
      "HTTP Error: HTTP GET error reading 's3://bucket/x.parquet' in region 'us-east-1' (HTTP 404 Not Found)",
      "has it no longer",
    ],
    // Words of an address are no words of the store.
    [
      "HTTP Error: HTTP GET error reading 's3://ssl-nosuchbucket/timeout.parquet' in region 'us-east-1' (HTTP 404 Not Found)",
      "has it no longer",
    ],
    [
      "HTTP Error: Unable to connect to URL s3://connection-refused/x.parquet: Forbidden (HTTP code 403)",
      "refuses these credentials",
    ],
    [
      "HTTP Error: Request returned HTTP 500 for HTTP GET to 'http://127.0.0.1:9000/bucket/'",
      "failed (Request returned HTTP 500)",
    ],
  ])("%s", (message, sentence) => {
    expect(said(message)).toContain("UserError: s3://bucket/x/grow-1/: ");
    expect(said(message)).toContain(sentence);
    expect(said(message)).not.toMatch(/\n|LINE 1/);
  });

  test("asks for credentials where there are none", () => {
    const none = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
    expect(said("HTTP Error: Unable to connect to URL s3://a/b: Forbidden (HTTP code 403)", none)).toContain(
      "wants credentials. Set AWS_ACCESS_KEY_ID",
    );
  });

  test("shows no secret, whatever the store says", () => {
    const shown = said("HTTP Error: bad request of AKIAEXAMPLE with not-to-be-shown");
    expect(shown).toContain("failed (bad request of ••• with •••)");
  });

  test("what is no answer of a store stays a bug", () => {
    expect(said("Binder Error: no such column")).toBe("Error: Binder Error: no such column");
  });
});
