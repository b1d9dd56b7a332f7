/** Puts one part file into a store, for `bench/store.ts` to kill it: LOCATION FILE. */

import { openPartStore } from "../src/store/part-store.js";

const [location, file] = process.argv.slice(2);
if (location === undefined || file === undefined) throw new Error("give a store and a file");
const store = await openPartStore(location, { base: ".", spill: `${file}-child` });
await store.put(2, file, { run: "large", origin: "", shard: "" });
store.close();
