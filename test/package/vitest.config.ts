import { defineConfig } from "vitest/config";

/** The package as it is published: packs, and installs it from the registry. Apart from `npm test`. */
export default defineConfig({
  test: {
    include: ["test/package/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 300_000,
    pool: "forks",
  },
});
