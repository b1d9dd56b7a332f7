/** Text files as lines: gzip or not, UTF-8 only, each problem named with its line. */

import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { UserError } from "../errors.js";

/** A line this long or longer is refused: it is a damaged or wrong file, and one such row would fill a batch. */
export const lineLimit = 100_000;

export interface LineOptions {
  /** Give a damaged line too: U+FFFD in place of what is no UTF-8, NULs as they are, whatever its length. */
  damaged?: boolean;
}

export interface Line {
  text: string;
  /** From 1. */
  number: number;
}

/**
 * Lines of a text file or of its gzip, told by its first bytes and not by its name. A byte order mark and
 * carriage returns at line ends are dropped; a newline at the end of the file starts no further line.
 *
 * @throws UserError with file and line: missing file, truncated gzip, invalid UTF-8, NUL byte, overlong line.
 */
export async function* linesOf(
  file: string,
  options: LineOptions = {},
): AsyncGenerator<Line, void, undefined> {
  yield* decodeLines(bytesOf(file), file, options);
}

/**
 * One sentence a line, in order. Blank lines are an error unless `allowEmpty` (an empty translation is one).
 *
 * @throws UserError as `linesOf` does, and for a file without lines.
 */
export async function readLines(file: string, options: { allowEmpty?: boolean } = {}): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text, number } of linesOf(file)) {
    if (!options.allowEmpty && text.trim() === "") {
      throw new UserError("the line is blank, expected one sentence a line; remove it.", {
        file,
        line: number,
      });
    }
    texts.push(text);
  }
  if (texts.length === 0) throw emptyFile(file, "one sentence a line");
  return texts;
}

export function emptyFile(file: string, expected: string): UserError {
  return new UserError(`the file is empty, expected ${expected}.`, { file });
}

/** As `linesOf`, from bytes that come from elsewhere (standard input); `name` stands for the file in errors. */
export async function* decodeLines(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  options: LineOptions = {},
): AsyncGenerator<Line, void, undefined> {
  let number = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const piece of bytes) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const last = chunk.subarray(start, end);
      const line = pending.length === 0 ? last : Buffer.concat([...pending, last]);
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      number++;
      yield { text: decodeLine(line, number, name, options), number };
    }
    if (start < chunk.length) {
      pending.push(chunk.subarray(start));
      pendingBytes += chunk.length - start;
    }
    // A UTF-8 character has at most four bytes, so a file without newlines is refused before it fills the memory.
    if (pendingBytes > 4 * lineLimit) throw overlong(name, number + 1);
  }
  if (pendingBytes > 0) {
    number++;
    yield { text: decodeLine(Buffer.concat(pending), number, name, options), number };
  }
}

const newline = 0x0a;
const carriageReturn = 0x0d;

// `ignoreBOM` leaves the mark to us: by default a mark would vanish from the start of every line, not only the first.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeLine(bytes: Buffer, line: number, file: string, { damaged }: LineOptions): string {
  let start = 0;
  if (line === 1) {
    if (startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0xfe, 0xff])) {
      throw new UserError("the file is UTF-16, expected UTF-8; save it as UTF-8.", { file, line });
    }
    if (startsWith(bytes, [0xef, 0xbb, 0xbf])) start = 3;
  }
  const end = bytes[bytes.length - 1] === carriageReturn ? bytes.length - 1 : bytes.length;
  const content = bytes.subarray(start, Math.max(start, end));
  if (damaged) return content.toString("utf8");

  const zero = content.indexOf(0);
  if (zero >= 0) {
    throw new UserError(
      `byte ${start + zero + 1} of the line is NUL, expected UTF-8 text; the file may be binary or UTF-16.`,
      { file, line },
    );
  }
  let text: string;
  try {
    text = utf8.decode(content);
  } catch {
    const at = firstInvalid(content);
    const value = content[at]?.toString(16).padStart(2, "0") ?? "";
    throw new UserError(
      `byte ${start + at + 1} of the line (0x${value}) is not valid UTF-8; convert the file to UTF-8.`,
      { file, line },
    );
  }
  if (text.length >= lineLimit) throw overlong(file, line);
  return text;
}

/** Index of the first byte that the decoder had to replace: there the bytes and their round trip part. */
function firstInvalid(bytes: Buffer): number {
  const roundTrip = Buffer.from(bytes.toString("utf8"), "utf8");
  let at = 0;
  while (at < bytes.length && bytes[at] === roundTrip[at]) at++;
  return Math.min(at, bytes.length - 1);
}

function overlong(file: string, line: number): UserError {
  return new UserError(
    `the line has ${lineLimit.toLocaleString("en")} characters or more, expected one sentence; split it or remove it.`,
    { file, line },
  );
}

function startsWith(bytes: Uint8Array, prefix: number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}

async function* bytesOf(file: string): AsyncGenerator<Buffer, void, undefined> {
  const raw = createReadStream(file);
  try {
    yield* unzipped(raw);
  } catch (error) {
    throw explainReadError(error, file);
  } finally {
    raw.destroy();
  }
}

/** Looks at the first bytes of the stream itself, so that a pipe, which can be read only once, works too. */
async function* unzipped(raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const chunks = raw[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  while (first.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    first = Buffer.concat([first, next.value]);
  }
  const all = (async function* () {
    yield first;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  })();
  if (!startsWith(first, [0x1f, 0x8b])) {
    yield* all;
    return;
  }
  const source = Readable.from(all);
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  try {
    for await (const chunk of gunzip) yield chunk;
  } finally {
    source.destroy();
  }
}

/** Turns what the operating system or zlib says into a sentence; a bug stays a bug. */
export function explainReadError(error: unknown, file: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const sentence = typeof code === "string" ? readErrors[code] : undefined;
  return sentence === undefined ? error : new UserError(sentence, { file }, { cause: error });
}

const readErrors: Record<string, string> = {
  ENOENT: "there is no such file; check the path.",
  ENOTDIR: "there is no such file: part of the path is not a folder.",
  EISDIR: "this is a folder, expected a file.",
  EACCES: "the file may not be read; check its permissions.",
  EPERM: "the file may not be read; check its permissions.",
  Z_BUF_ERROR: "the gzip ends too early; fetch or compress the file again.",
  Z_DATA_ERROR: "the gzip is damaged; fetch or compress the file again.",
};
