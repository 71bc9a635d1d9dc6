import { AppError } from "../domain/errors.ts";
import type { JailedProcess } from "./jail.ts";

/** Who is in the jail. */
export interface Roster {
  /** Runs `start` and keeps what it gives until it has ended. */
  readonly admit: (start: () => Promise<JailedProcess>) => Promise<JailedProcess>;
  /** Refuses newcomers, waits for those being started, kills all. */
  readonly close: () => Promise<void>;
}

/** An empty roster. */
export function createRoster(): Roster {
  const running = new Set<JailedProcess>();
  const starting = new Set<Promise<unknown>>();
  let isClosed = false;

  async function keep(start: () => Promise<JailedProcess>): Promise<JailedProcess> {
    const jailed = await start();
    running.add(jailed);
    void jailed.exited.then(() => running.delete(jailed));
    return jailed;
  }
  return {
    admit: async (start) => {
      if (isClosed) throw new AppError("sandbox_missing", "The jail is closed: the daemon is ending");
      const pending = keep(start);
      starting.add(pending);
      return pending.finally(() => starting.delete(pending));
    },
    close: async () => {
      isClosed = true;
      await Promise.allSettled(starting);
      await Promise.all([...running].map((jailed) => jailed.kill()));
    },
  };
}
