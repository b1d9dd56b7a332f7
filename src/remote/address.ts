/** Where a server is and what it wants in its headers, with secrets taken from the environment. */

import { type Place, UserError } from "../errors.js";

/** `${NAME}`: the value of an environment variable. */
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Headers, and keys of a query, whose value is a secret as a whole. */
const SECRET_NAME = /^(?:proxy-)?authorization$|^cookie$|^key$|api[-_]?key|token|secret|password/i;

export interface AddressOptions {
  /** http or https; `${NAME}` stands for an environment variable here and in headers. */
  url: string;
  headers: Readonly<Record<string, string>>;
}

export interface Address {
  /** The configuration's key of it, for messages: `reward.url`. */
  readonly key: string;
  readonly url: URL;
  readonly headers: Headers;
  /** The address as messages show it. */
  readonly shown: string;
  /** `text` without any secret, on one line and cut to so many characters, 200 by default. */
  safe(text: string, length?: number): string;
}

/** Whether the query of an address holds a secret that stands in the configuration itself. */
export function hasBareSecret(url: string): boolean {
  const query = /\?([^#]*)/s.exec(url)?.[1] ?? "";
  return [...new URLSearchParams(query)].some(([name, value]) => isBareSecret(name, value));
}

/** The same of one header. */
export function isBareSecret(name: string, value: string): boolean {
  return SECRET_NAME.test(name) && value !== "" && !new RegExp(VARIABLE).test(value);
}

/** The address as the configuration names it, without query: the same wherever variables lead. */
export function addressName(url: string): string {
  return url.replace(/[?#].*$/s, "");
}

/**
 * The address with its variables filled in. Throws a UserError where a variable is not set, the address is not http or
 * https, holds a user name or password, or a header cannot be sent; it shows no value of a variable.
 *
 * @param section Where the configuration has it: `reward` or `policy`.
 */
export function addressOf(
  { url: template, headers }: AddressOptions,
  section: string,
  place: Place,
): Address {
  const address = `${section}.url`;
  const secrets: string[] = [];
  const filled = (text: string, key: string) =>
    text.replace(VARIABLE, (_, name: string, offset: number) => {
      const value = process.env[name];
      if (value === undefined || value === "")
        throw new UserError(
          `${key} wants the environment variable ${name}, which is not set; set it: export ${name}=…`,
          place,
        );
      // What an address starts with is where the server is; anything else may be a key.
      if (key !== address || offset > 0) secrets.push(value);
      return value;
    });

  const text = filled(template, address);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UserError(
      `${address}, ${JSON.stringify(addressName(template))}, is not an address that starts with http:// or https://; correct it`,
      place,
    );
  if (url.username !== "" || url.password !== "")
    throw new UserError(
      `${address} holds a user name or a password; put them into ${section}.headers, taken from the environment, instead`,
      place,
    );
  const ready = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    const key = `${section}.headers.${name}`;
    const sent = filled(value, key);
    try {
      ready.set(name, sent);
    } catch {
      throw new UserError(
        `${key} cannot be sent: a header is one line of Latin letters, digits and signs; correct its name, or the variable's value`,
        place,
      );
    }
  }
  const safe = (message: string, length = 200) => {
    const clean = secrets
      .filter((secret) => secret.length > 2)
      .sort((a, b) => b.length - a.length)
      .reduce((rest, secret) => rest.replaceAll(secret, "•••"), message);
    const line = clean.replace(/\s+/g, " ").trim();
    return line.length > length ? `${line.slice(0, length - 1)}…` : line;
  };
  return { key: address, url, headers: ready, shown: safe(url.origin + url.pathname), safe };
}
