/** S3 as DuckDB speaks it: its extension, the credentials of the environment, and its errors in the user's words. */

import type { DuckDBConnection } from "@duckdb/node-api";
import { UserError } from "../errors.js";
import { quote } from "./duckdb.js";

/** Variables that are read, as AWS names them. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Where the extension lies, for machines without a network. */
const EXTENSION_VARIABLE = "COPPICE_HTTPFS";

/**
 * Pieces of a large file are as small as S3 takes them (5 MB for a file of at most 50 GB), since each waits in memory until
 * it is sent. DuckDB's own are 80 MB.
 */
const LARGEST_FILE = "50GB";

/**
 * Lets `connection` read and write `s3://` addresses. Where the environment names a key or an endpoint it is used; where it
 * does not, the secrets that DuckDB itself keeps are, and without any the store is asked as nobody.
 *
 * @throws UserError where DuckDB's extension `httpfs` is neither here nor to be had, and for an endpoint that is no address.
 */
export async function connectS3(connection: DuckDBConnection, env: Environment): Promise<void> {
  const options = secretOptions(env);
  await loadExtension(connection, env[EXTENSION_VARIABLE]);
  await connection.run(`SET s3_uploader_max_filesize = ${quote(LARGEST_FILE)}`);
  if (options.length === 0) return;
  try {
    await connection.run(`CREATE TEMPORARY SECRET (TYPE s3, ${options.join(", ")})`);
  } catch {
    // Not with DuckDB's own words, which may hold the statement and so the secret.
    throw new UserError(
      "DuckDB takes no secret of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and AWS_ENDPOINT_URL as they are. Check them.",
    );
  }
}

async function loadExtension(connection: DuckDBConnection, given: string | undefined): Promise<void> {
  const load = async (sql: string): Promise<Error | undefined> => {
    try {
      await connection.run(sql);
      return undefined;
    } catch (error) {
      if (error instanceof Error) return error;
      throw error;
    }
  };
  const rows = await connection.runAndReadAll("SELECT version(), platform FROM pragma_platform()");
  const [version, platform] = rows.getRowsJS()[0]!.map(String);
  if (given) {
    const failure = await load(`LOAD ${quote(given)}`);
    if (failure)
      throw new UserError(
        `${EXTENSION_VARIABLE} does not name an extension that can be loaded: ${firstLine(failure)}. ` +
          `It must be httpfs.duckdb_extension for DuckDB ${version} on ${platform}.`,
        { file: given },
        { cause: failure },
      );
    return;
  }
  if (!(await load("LOAD httpfs"))) return;
  // DuckDB fetches it from its own repository and checks its signature; what is there already is kept.
  const failure = (await load("INSTALL httpfs")) ?? (await load("LOAD httpfs"));
  if (failure)
    throw new UserError(
      "s3:// needs DuckDB's extension httpfs, which is not on this machine and could not be fetched " +
        `(${firstLine(failure)}). Put the one for DuckDB ${version} on ${platform} where DuckDB looks, ` +
        `~/.duckdb/extensions/${version}/${platform}/httpfs.duckdb_extension, or name its file: export ${EXTENSION_VARIABLE}=FILE`,
      {},
      { cause: failure },
    );
}

/** What of a DuckDB secret the environment gives. */
function secretOptions(env: Environment): string[] {
  const endpoint = endpointOf(env);
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env;
  if (!id !== !secret)
    throw new UserError(
      `the environment has ${id ? "AWS_ACCESS_KEY_ID without AWS_SECRET_ACCESS_KEY" : "AWS_SECRET_ACCESS_KEY without AWS_ACCESS_KEY_ID"}. Set both.`,
    );
  if (!id && !endpoint) return [];
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION;
  return [
    ...(id && secret ? [`KEY_ID ${quote(id)}`, `SECRET ${quote(secret)}`] : []),
    ...(id && token ? [`SESSION_TOKEN ${quote(token)}`] : []),
    ...(region ? [`REGION ${quote(region)}`] : []),
    ...(endpoint ? endpointOptions(endpoint) : []),
  ];
}

function endpointOptions(endpoint: string): string[] {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`)
    throw new UserError(
      "AWS_ENDPOINT_URL is not the address of a server. Give it as https://HOST or http://HOST:PORT.",
    );
  // Servers other than Amazon's seldom answer to a name for each bucket.
  return [`ENDPOINT ${quote(url.host)}`, "URL_STYLE 'path'", `USE_SSL ${url.protocol === "https:"}`];
}

/** What a store's answer means and what to do; the first whose words are in DuckDB's message counts. */
const answers: readonly (readonly [words: RegExp, sentence: (env: Environment) => string])[] = [
  [
    /NoSuchBucket/,
    () => "there is no such bucket on the server. Make it, or correct grow.store or AWS_ENDPOINT_URL.",
  ],
  [
    /HTTP (code )?40[13]|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken/i,
    (env) =>
      env.AWS_ACCESS_KEY_ID
        ? "the object store refuses these credentials. Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, " +
          "and that they may list, read and write here."
        : "the object store wants credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
  ],
  [
    /HTTP (code )?301|PermanentRedirect|AuthorizationHeaderMalformed/i,
    () => "the bucket lies in another region. Set AWS_REGION to it.",
  ],
  [
    /HTTP (code )?404/i,
    () => "the object store has it no longer. Run the same command again to make it anew.",
  ],
  [
    /could not (connect|resolve)|could not establish connection|connection (refused|error)|timed? ?out|SSL/i,
    (env) => `the object store${endpointOf(env) ? ` at ${endpointOf(env)}` : ""} does not answer`,
  ],
];

/**
 * The error to throw when `file`, an `s3://` address, could not be read, written or listed: a UserError that says what the
 * store answered and what to do, without any secret of the environment.
 */
export function s3Failure(error: unknown, file: string, env: Environment): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const words = withoutAddresses(error.message);
  const known = answers.find(([answer]) => answer.test(words))?.[1](env);
  if (known?.endsWith(".")) return new UserError(known, { file }, { cause: error });
  if (known === undefined && !/^(HTTP|IO) Error/.test(error.message)) return error;
  return new UserError(
    `${known ?? "the object store failed"} (${withoutSecrets(firstLine(error), env)}). Check AWS_ENDPOINT_URL and the network, ` +
      "and run the same command again: what is finished is kept.",
    { file },
    { cause: error },
  );
}

/** A bucket may be called `ssl-models`. */
function withoutAddresses(message: string): string {
  return message.replace(/\b(?:https?|s3):\/\/[^\s']+/g, "");
}

function endpointOf(env: Environment): string | undefined {
  return env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
}

/** A DuckDB message without its kind, its hints, the statement and the request. */
function firstLine(error: Error): string {
  return (error.message.split("\n")[0] ?? "")
    .replace(/^[A-Z]\w*( \w+)? Error: /, "")
    .replace(/( error)? for HTTP [A-Z]+ to .*$/, "")
    .replace(/\.$/, "");
}

function withoutSecrets(text: string, env: Environment): string {
  return [env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN, env.AWS_ACCESS_KEY_ID].reduce<string>(
    (rest, secret) => (secret ? rest.replaceAll(secret, "•••") : rest),
    text,
  );
}
