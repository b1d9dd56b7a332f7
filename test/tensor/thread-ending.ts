/** A program that ends while a long call runs, in the way its argument says; see thread.test.ts. */

import { Thread } from "../../src/tensor/thread.js";

const thread = new Thread();
const module = new URL("./thread-object.ts", import.meta.url);
const object = await thread.open(module, { times: 100 });
const call = object.call("multiply", undefined).then(
  () => console.log("call done"),
  (error: unknown) => console.log(`call failed: ${String(error)}`),
);
// Long enough for the worker to be inside the native call.
await new Promise((resolve) => setTimeout(resolve, 100));
switch (process.argv[2]) {
  case "close":
    await thread.close();
    console.log("closed");
    break;
  case "leave":
    // Nothing waits for the call; the program just comes to its end.
    break;
  case "throw":
    // An error in the main thread goes through the same door.
    try {
      throw new Error("a bug");
    } catch {
      process.exitCode = 1;
      await thread.close();
    }
    break;
}
await call;
