import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Files start worker threads of their own; two at a time is what two cores carry.
    maxWorkers: 2,
    pool: "forks",
    // Worker threads that tests start load TypeScript sources, as the tests do.
    execArgv: ["--import", "tsx"],
  },
});
