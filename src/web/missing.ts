import { HTTPException } from "hono/http-exception";

/** An answer with a sentence that says what is not there. */
export function missing(message: string): HTTPException {
  return new HTTPException(404, { message });
}
