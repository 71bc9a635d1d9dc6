import { defineConfig } from "vitest/config";
import { createHolesReporter } from "./test/support/holes-reporter.ts";
import { SlowFirst } from "./test/support/slow-first.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/package/**"], // npm run test:package
    globalSetup: ["test/support/global-setup.ts"],
    reporters: ["default", createHolesReporter()],
    testTimeout: 90_000, // of a hang: what a test waits for has its own time, and machines are slow at times
    hookTimeout: 30_000,
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    coverage: { include: ["src/**/*.ts"], reporter: ["text-summary", "json-summary"] },
  },
});
