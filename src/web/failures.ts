/** How a server of the web pages says what went wrong. */

import type { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { UserError } from "../errors.js";
import type { ApiError } from "./protocol.js";

/** A sentence for whoever asked; a bug's trace is for the terminal alone. */
export function sayFailures(app: Hono): void {
  app.notFound((context) => context.json<ApiError>({ error: "There is nothing at this address." }, 404));
  app.onError((error, context) => {
    if (error instanceof HTTPException) return context.json<ApiError>({ error: error.message }, error.status);
    if (error instanceof UserError) return context.json<ApiError>({ error: error.message }, 400);
    console.error(error);
    return context.json<ApiError>({ error: "The server failed at this; its terminal says how." }, 500);
  });
}
