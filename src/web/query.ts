/** The part of a request's address behind `?`, checked. */

import type { Context } from "hono";
import { z } from "zod";
import { UserError } from "../errors.js";

/** Characters that one value may have: a search for a whole sentence fits. */
const LONGEST = 1000;

/** The query as `schema` has it; keys that it does not know are left alone. Throws a UserError naming the first wrong key. */
export function readQuery<T extends z.ZodObject>(context: Context, schema: T): z.infer<T> {
  const given = context.req.query();
  for (const [key, value] of Object.entries(given))
    if (value.length > LONGEST)
      throw new UserError(`${key} has ${value.length} characters. Give ${LONGEST} at most.`);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new UserError(
    `${issue.path.join(".")} in the address is wrong (${issue.message}). Give another value.`,
  );
}

/** A whole number of an address. */
export const wholeNumber = (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^-?\d{1,16}$/, "a whole number is expected")
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** A number of an address. */
export const number = z
  .string()
  .regex(/^-?\d{1,17}(\.\d{1,20})?(e-?\d{1,3})?$/i, "a number is expected")
  .transform(Number);
