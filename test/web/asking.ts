/** Asks a dashboard without opening a port. */

import type { Dashboard } from "../../src/web/server.js";

/** A request as the page would make it. */
export function request({ app }: Dashboard, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("host", "localhost:4242");
  return Promise.resolve(app.request(`http://localhost:4242${path}`, { ...init, headers }));
}

/** The JSON at `path`. Throws where the answer is no success. */
export async function ask<T>(dashboard: Dashboard, path: string): Promise<T> {
  const response = await request(dashboard, path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

export function post(
  dashboard: Dashboard,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  return request(dashboard, path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

/** Status and sentence of a refusal. */
export async function refusal(response: Response): Promise<{ status: number; error: string }> {
  const { error } = (await response.json()) as { error: string };
  return { status: response.status, error };
}
