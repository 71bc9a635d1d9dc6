import { randomInt } from "node:crypto";
import { isErrno } from "../../src/domain/errors.ts";

/** Below what a system gives to those who ask for any port (from 32,768 on Linux, 49,152 elsewhere), a thousand for each worker. */
const FIRST_PORT = 20_000;
const PER_WORKER = 1_000;
const WORKERS = 12;

let next = randomInt(PER_WORKER);

/** Has `listen` take a port that stays free while it is closed: no other worker of this run is given it. */
export async function listenForGood(listen: (port: number) => Promise<string>): Promise<string> {
  const worker = Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS;
  for (let tries = 1; ; tries += 1) {
    next = (next + 1) % PER_WORKER;
    try {
      return await listen(FIRST_PORT + worker * PER_WORKER + next);
    } catch (error) {
      if (!isErrno(error, "EADDRINUSE") || tries === PER_WORKER) throw error;
    }
  }
}
