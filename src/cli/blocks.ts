/** Lines from standard input in blocks: large where lines come fast, at once where somebody types. */
import { once } from "node:events";
import { decodeLines, type Line } from "../data/lines.js";

export interface BlockOptions {
  /** Most lines of a block. */
  size: number;
  /** Milliseconds without a further line after which a block goes out. */
  patience?: number;
}

/** Lines of UTF-8 from `bytes` in order. Throws a UserError with the line as `decodeLines` does. */
export async function* lineBlocks(
  bytes: AsyncIterable<Uint8Array>,
  { size, patience = 50 }: BlockOptions,
): AsyncGenerator<Line[], void, undefined> {
  const lines = decodeLines(bytes, "standard input");
  let block: Line[] = [];
  let next = lines.next();
  for (;;) {
    const found = block.length === 0 ? await next : await within(next, patience);
    if (found !== "late") {
      if (found.done) break;
      block.push(found.value);
      next = lines.next();
      if (block.length < size) continue;
    }
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}

async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | "late"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Writes to standard output and waits while its reader is slower; `signal` ends the wait where the reader has left. */
export async function print(text: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!process.stdout.write(text)) await once(process.stdout, "drain", { signal });
}
