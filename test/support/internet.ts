import { join } from "node:path";

/** The internet of a test: names, and the loopback ports behind which their machines listen, whatever port is asked for. */
export interface InternetMap {
  readonly hosts: Readonly<Record<string, number>>;
  /** Certificates to trust, in PEM. */
  readonly extraCa?: string;
}

/** What a stage is given so that its daemon sees that internet. */
export function withInternet(map: InternetMap) {
  return {
    entry: join(import.meta.dirname, "internet.fixture.ts"),
    env: { TEST_INTERNET: JSON.stringify(map) },
  };
}
