/** What every request must pass before a route sees it, and the headers that every answer carries. */

import { timingSafeEqual } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import type { Context, MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { secureHeaders } from "hono/secure-headers";

export interface GuardOptions {
  /** The address that the server listens on; see `isLoopback`. */
  address: string;
  /** Asked of every request where given: as `Authorization: Bearer …`, or once as `?token=…`, then as a cookie. */
  token?: string;
  /** Bytes that a request's body may have; default 1 MiB. */
  maxBody?: number;
  /** How a refusal is said; default `{ "error": sentence }`. */
  refuse?(context: Context, status: 400 | 401 | 403 | 411 | 413, sentence: string): Response;
}

const COOKIE = "coppice-token";
const MAX_BODY = 1024 * 1024;

/** Whether only this machine reaches the address. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);
}

/** Names by which a browser may call a server that listens on the address, without ports. */
function hostNames(address: string): ReadonlySet<string> {
  const names = ["localhost", "127.0.0.1", "[::1]"];
  if (!isLoopback(address)) {
    const own = Object.values(networkInterfaces()).flatMap((cards) => cards ?? []);
    names.push(hostname(), ...[address, ...own.map((card) => card.address)].map(inUrl));
  }
  return new Set(names.map((name) => name.toLowerCase()));
}

/** An address as it stands in a URL: IPv6 in brackets. */
export function inUrl(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/**
 * Refuses what does not come from a person or program on purpose:
 *
 * - a `Host` that is no name of this server: another site's name may have been pointed at it (DNS rebinding);
 * - an `Origin` that is not the same host, or a browser's word that another site asks (`Sec-Fetch-Site`), save for following
 *   a link to a page;
 * - a missing or wrong token, where there is one;
 * - a body longer than `maxBody`, or of a length that is not said beforehand.
 *
 * Answers may not be framed, cached by what they are not, or read by other sites; their pages load nothing from elsewhere.
 */
export function guard(options: GuardOptions): MiddlewareHandler[] {
  const names = hostNames(options.address);
  const refuse = options.refuse ?? ((context, status, error) => context.json({ error }, status));

  const check: MiddlewareHandler = async (context, next) => {
    const host = (context.req.header("host") ?? "").toLowerCase();
    if (!names.has(host.replace(/:\d+$/, "")))
      return refuse(context, 403, "This server does not go by that name: use the address that it printed.");
    const origin = context.req.header("origin")?.toLowerCase();
    if (origin !== undefined && origin !== `http://${host}`)
      return refuse(context, 403, "Requests from other sites are refused.");
    const site = context.req.header("sec-fetch-site");
    const followed = context.req.method === "GET" && context.req.header("sec-fetch-mode") === "navigate";
    if ((site === "cross-site" || site === "same-site") && !followed)
      return refuse(context, 403, "Requests from other sites are refused.");
    if (options.token !== undefined) {
      const refused = admit(context, options.token);
      if (refused !== undefined)
        return refused === "" ? withoutToken(context) : refuse(context, 401, refused);
    }
    return next();
  };

  const most = options.maxBody ?? MAX_BODY;
  const limit: MiddlewareHandler = async (context, next) => {
    // Node's parser holds a body to its Content-Length; without one it would have to be read to know.
    if (context.req.header("transfer-encoding") !== undefined)
      return refuse(context, 411, "Send the body in one piece, with its Content-Length.");
    if (Number(context.req.header("content-length") ?? 0) > most)
      return refuse(context, 413, `The body is longer than ${most} bytes: send it in parts.`);
    return next();
  };

  return [
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        fontSrc: ["'self'"],
        imgSrc: ["'self'", "data:", "blob:"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
      crossOriginResourcePolicy: "same-origin",
      crossOriginOpenerPolicy: "same-origin",
      referrerPolicy: "no-referrer",
      xFrameOptions: "DENY",
      // For a server without TLS it means nothing, and on localhost it would bind other servers.
      strictTransportSecurity: false,
    }),
    check,
    limit,
  ];
}

/** Undefined where the request may pass; an empty sentence where it brought the token in the address; else why not. */
function admit(context: Context, token: string): string | undefined {
  const asked = context.req.query("token");
  if (asked !== undefined && context.req.method === "GET" && same(asked, token)) {
    setCookie(context, COOKIE, token, { httpOnly: true, sameSite: "Strict", path: "/" });
    return "";
  }
  const bearer = /^Bearer (.+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
  const given = bearer ?? getCookie(context, COOKIE);
  if (given !== undefined && same(given, token)) return undefined;
  return "This server asks for its token: open the address that it printed, or send `Authorization: Bearer TOKEN`.";
}

/** The same address once more, so that the token does not stay in the browser's history. */
function withoutToken(context: Context): Response {
  const url = new URL(context.req.url);
  url.searchParams.delete("token");
  // Two slashes in front would be another host.
  return context.redirect(`${url.pathname.replace(/^\/+/, "/")}${url.search}`, 303);
}

/** In a time that does not tell how much of it was right. */
function same(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
