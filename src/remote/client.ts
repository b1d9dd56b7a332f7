/** Asks a server that may be busy, slow or down, and knows when to give up. */

import { setTimeout as sleep } from "node:timers/promises";
import { Interrupted, UserError } from "../errors.js";
import type { Address } from "./address.js";

export interface ClientOptions {
  /** Seconds that one attempt may take, answer and all. */
  timeoutSeconds: number;
  /** Attempts after the first. */
  retries: number;
  /** Seconds before the second attempt, at most; doubled before each further one. */
  firstWaitSeconds?: number;
  /** What to do about a refusal (4xx), for the message. */
  refused?: string;
}

/** Why asking may have to end early. */
export interface Asking {
  /** Stop at once, whatever is under way. */
  interrupted?: AbortSignal;
  /** Another request failed: finish what is under way, as it is paid for, but try nothing again. */
  givingUp: AbortSignal;
}

/** A wait of our own choice is never longer, in seconds. */
const LONGEST_WAIT = 60;
/** A wait that a server asks for (Retry-After) may be so long, in seconds. */
const LONGEST_ASKED_WAIT = 600;
/** An answer that is longer, in bytes, is not one. */
const LONGEST_ANSWER = 16 * 2 ** 20;

/** An attempt that may go better another time. */
interface Failed {
  why: string;
  /** Seconds that the server asks to be left alone for. */
  askedWait?: number;
}

/**
 * POSTs `body` as JSON and returns the JSON that comes back. Tries again after a lost connection, a timeout, 408, 425, 429
 * and 5xx, waiting twice as long each time, by a random half less, and at least as long as Retry-After says. Redirects are
 * not followed: headers with secrets would go along.
 *
 * Throws a UserError that names the server and what it said, without any secret, when attempts are spent or another try
 * could not help; `Interrupted` when `asking.interrupted` fires.
 *
 * @param who What asks, for messages: `reward "chrF"`.
 */
export async function postJson(
  who: string,
  address: Address,
  body: unknown,
  options: ClientOptions,
  asking: Asking,
): Promise<unknown> {
  const text = JSON.stringify(body);
  const firstWait = options.firstWaitSeconds ?? 0.5;
  for (let attempt = 0; ; attempt++) {
    const result = await attemptOnce(who, address, text, options, asking);
    if ("value" in result) return result.value;
    const { why, askedWait = 0 } = result.failed;
    const spent = attempt >= options.retries || asking.givingUp.aborted;
    if (spent || askedWait > LONGEST_ASKED_WAIT)
      throw refusal(
        who,
        address,
        `${why}${attempt === 0 ? "" : ` (after ${attempt + 1} attempts)`}` +
          (askedWait > LONGEST_ASKED_WAIT ? `, and asks to wait ${Math.ceil(askedWait)} seconds` : ""),
        "see to the server and run the same command again: a run keeps what it has got",
      );
    const own = Math.min(LONGEST_WAIT, firstWait * 2 ** attempt) * (0.5 + 0.5 * Math.random());
    // Beyond what was asked for by chance, so that not all come back at the same moment.
    const wait = askedWait > 0 ? Math.max(own, askedWait + Math.random() * firstWait) : own;
    await pause(wait, asking);
  }
}

/** A UserError on a server's answer: `who: ADDRESS PROBLEM; ADVICE`, without secrets. */
export function refusal(who: string, address: Address, problem: string, advice: string): UserError {
  return new UserError(`${who}: ${address.shown} ${address.safe(problem, 600)}; ${advice}`);
}

async function attemptOnce(
  who: string,
  address: Address,
  text: string,
  { timeoutSeconds, refused = "correct the address, the headers or the model" }: ClientOptions,
  { interrupted }: Asking,
): Promise<{ value: unknown } | { failed: Failed }> {
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  const headers = new Headers(address.headers);
  headers.set("content-type", "application/json");
  let response: Response;
  let answer: string | undefined;
  try {
    response = await fetch(address.url, {
      method: "POST",
      headers,
      body: text,
      redirect: "manual",
      signal: interrupted ? AbortSignal.any([interrupted, timeout]) : timeout,
    });
    answer = await limitedText(response);
  } catch (error) {
    if (interrupted?.aborted) throw new Interrupted();
    if (timeout.aborted) return { failed: { why: `did not answer within ${timeoutSeconds} seconds` } };
    return { failed: { why: `could not be reached: ${connectionProblem(error)}` } };
  }
  const { status } = response;
  if (answer === undefined)
    throw refusal(
      who,
      address,
      `answered ${status} with more than ${LONGEST_ANSWER / 2 ** 20} MiB`,
      "check that this is the right address",
    );
  // Secrets go before the text is cut, which could leave half of one.
  const said = answer.trim() === "" ? "" : `: ${address.safe(answer)}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const askedWait = retryAfter(response.headers.get("retry-after"));
    return { failed: { why: `answered ${status}${said}`, ...(askedWait !== undefined && { askedWait }) } };
  }
  if (status >= 300 && status < 400)
    throw refusal(
      who,
      address,
      `answered ${status} and sends on to ${response.headers.get("location") ?? "nowhere"}`,
      `redirects are not followed, so give the final address as ${address.key}`,
    );
  if (!response.ok) throw refusal(who, address, `answered ${status}${said}`, refused);
  try {
    return { value: JSON.parse(answer) };
  } catch {
    // Python's and other writers of JSON put these in, though JSON has no such numbers.
    const number = /[[,:]\s*(NaN|-?Infinity)\s*[\],}]/.exec(answer)?.[1];
    if (number !== undefined)
      throw refusal(
        who,
        address,
        `answered with ${number}${said}`,
        "JSON has no such number, so mend what gave it",
      );
    throw refusal(
      who,
      address,
      `answered with what is not JSON${said || ": nothing"}`,
      "check that this is the right address",
    );
  }
}

/** The body as text; undefined where it is too long, of which no more is read. */
async function limitedText(response: Response): Promise<string | undefined> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > LONGEST_ANSWER) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Seconds from now that a Retry-After header asks for; it holds seconds or a date. */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}

/** Node.js says "fetch failed" and keeps the reason in the cause, or in the causes of the causes. */
function connectionProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return connectionProblem(error.errors[0]);
  return error.cause === undefined ? error.message || error.name : connectionProblem(error.cause);
}

/** Returns early when there is nothing left to wait for. */
async function pause(seconds: number, { interrupted, givingUp }: Asking): Promise<void> {
  const signal = interrupted ? AbortSignal.any([interrupted, givingUp]) : givingUp;
  await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
  if (interrupted?.aborted) throw new Interrupted();
}
