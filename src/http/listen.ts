/** Starts a server and stops it without cutting answers short. */

import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { UserError } from "../errors.js";
import { inUrl, isLoopback } from "./guard.js";

export interface ListenOptions {
  /** Address to listen on; loopback unless a person asks for another. */
  address: string;
  /** 0 takes any free one. */
  port: number;
}

export interface Listening {
  /** Where it answers, without a token: `http://127.0.0.1:4242`. */
  url: string;
  port: number;
  /** Takes no new connections, waits for the answers under way, cuts them after `patience` milliseconds (default 5,000). */
  close(patience?: number): Promise<void>;
}

/** The port is another program's; the next one may be free. */
export class PortTaken extends UserError {}

const PATIENCE = 5000;

/** The token to ask for: none on loopback, else the user's (`COPPICE_TOKEN`) or a new one of 128 bits. */
export function tokenFor(address: string): string | undefined {
  if (process.env.COPPICE_TOKEN) return process.env.COPPICE_TOKEN;
  return isLoopback(address) ? undefined : randomBytes(16).toString("hex");
}

/**
 * Resolves when connections are taken. Throws PortTaken, or another UserError where the address or port cannot be had.
 */
export async function listen(app: Hono, { address, port }: ListenOptions): Promise<Listening> {
  // Without TLS options the adaptor makes a plain HTTP server.
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(refusal(error, address, port)));
    server.listen(port, address, resolve);
  });
  // A TCP server's address is an object.
  const bound = server.address() as AddressInfo;
  return {
    url: `http://${inUrl(address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address)}:${bound.port}`,
    port: bound.port,
    close: (patience = PATIENCE) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), patience);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function refusal(error: NodeJS.ErrnoException, address: string, port: number): Error {
  const free = "Give another with --port, or --port 0 for any that is free.";
  switch (error.code) {
    case "EADDRINUSE":
      return new PortTaken(`port ${port} of ${address} is taken. ${free}`);
    case "EACCES":
      return new UserError(`port ${port} needs rights that you do not have. ${free}`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new UserError(`${address} is no address of this machine. Leave --host out for 127.0.0.1.`);
    default:
      return error;
  }
}
