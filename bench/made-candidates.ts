/** Candidates by the million for measurements; made by SQL, since sampling them would take days. */

import { DuckDBInstance } from "@duckdb/node-api";
import { partPath } from "../src/store/candidates.js";

interface Amount {
  sources: number;
  perSource: number;
  /** Files; `sources` is a multiple of it. */
  shards: number;
}

/** Writes candidates with texts of a usual length and rewards spread evenly over [0, 1] as the shards of a grow folder. */
export async function makeCandidates(folder: string, { sources, perSource, shards }: Amount): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2", memory_limit: "900MB" });
  const connection = await instance.connect();
  const each = sources / shards;
  for (let shard = 0; shard < shards; shard++) {
    const first = shard * each;
    const path = partPath(folder, first, first + each - 1);
    await connection.run(
      `COPY (SELECT 1::INTEGER AS grow, (i // ${perSource})::BIGINT AS source_id, (i % ${perSource})::INTEGER AS sample_id,
        'a source sentence of some words, number ' || (i // ${perSource}) AS source,
        'a translation of some more words, number ' || (hash(i) % 1000003) AS text, length(text)::INTEGER AS characters,
        (hash(i, 3) % 100) / 100.0::DOUBLE AS repetition,
        list_transform(range(12), k -> (hash(i, k) % 8000)::INTEGER) AS tokens,
        list_transform(range(12), k -> -(hash(i, k) % 800)::FLOAT / 100) AS log_prob, log_prob AS sample_log_prob,
        hash(i, 1) % 50 <> 0 AS finished, (hash(i, 2) % 1000003) / 1000003.0::DOUBLE AS reward, 'policy' AS origin
        FROM range(${first * perSource}, ${(first + each) * perSource}) t(i))
       TO '${path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 61440)`,
    );
  }
  connection.closeSync();
  instance.closeSync();
}
