/** The server of `bench serve`, in a process of its own: prints its address and ends at SIGTERM. */

import { once } from "node:events";
import { serve } from "../src/serve/server.js";

const { dir, rows } = JSON.parse(process.argv[2]!) as { dir: string; rows: number };

const server = await serve({
  dir,
  rows,
  bestOf: 1,
  host: "127.0.0.1",
  port: 0,
  queue: 1024,
  onError: (error) => console.error(error),
});
console.log(server.url);
await once(process, "SIGTERM");
await server.close();
