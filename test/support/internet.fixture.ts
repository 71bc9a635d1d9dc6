/**
 * The daemon as it is, but with machines of the test's own standing for the internet. TEST_INTERNET is JSON of an
 * `InternetMap`. Lies outside `src/` and is no part of the program.
 */
import { connect } from "node:net";
import { readEnvironment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import { secretValues } from "../../src/config/secret.ts";
import { createLogger } from "../../src/log/logger.ts";
import { runDaemon } from "../../src/main.ts";
import type { InternetMap } from "./internet.ts";

const { hosts, extraCa }: InternetMap = JSON.parse(process.env.TEST_INTERNET ?? '{"hosts":{}}');
const machines = Object.entries(hosts).map(([name, port], index) => ({
  name,
  port,
  address: `93.184.216.${index + 1}`,
}));

const loaded = loadConfig({ ...readEnvironment(), argv: {} });
const log = createLogger({ ...loaded.config.log, secretValues: secretValues(loaded.secrets) });
const ending = new AbortController();
process.on("SIGTERM", () => ending.abort("SIGTERM"));
await runDaemon(loaded, log, {
  version: "0.0.0",
  signal: ending.signal,
  internet: {
    lookup: async (host) => {
      const found = machines.filter(({ name }) => name === host);
      if (found.length === 0) throw new Error(`There is no ${host} in this test's internet`);
      return found.map(({ address }) => address);
    },
    connect: ({ address }) =>
      connect({ host: "127.0.0.1", port: machines.find((one) => one.address === address)?.port ?? 1 }),
    ...(extraCa === undefined ? {} : { extraCa }),
  },
});
process.exit(0);
