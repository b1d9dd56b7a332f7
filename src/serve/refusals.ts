/** Why a request is refused, in the words and the shape that OpenAI's clients read. */

import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

interface About {
  /** The key of the body that has to change. */
  param?: string | undefined;
  /** For programs, as OpenAI names it. */
  code?: string | undefined;
  /** Seconds after which the same request may be answered. */
  retryAfter?: number | undefined;
}

/** A request that is answered with a sentence. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: ContentfulStatusCode;
  readonly about: About;

  constructor(status: ContentfulStatusCode, sentence: string, about: About = {}) {
    super(sentence);
    this.status = status;
    this.about = about;
  }
}

/** `{ error: { message, type, param, code } }`. */
export function refusalBody({ status, message, about }: Refusal) {
  return { error: { message, type: typeOf(status), param: about.param ?? null, code: about.code ?? null } };
}

export function refuse(context: Context, refusal: Refusal): Response {
  const { retryAfter } = refusal.about;
  if (retryAfter !== undefined) context.header("Retry-After", String(retryAfter));
  return context.json(refusalBody(refusal), refusal.status);
}

function typeOf(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}
