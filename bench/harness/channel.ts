import { once } from "node:events";
import type { Child } from "./child.ts";

/** How late the event loop came, in milliseconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What `programs/daemon-entry.ts` does when it is asked; each resolves when it is done. */
export interface DaemonChannel {
  /** Begins to watch the event loop, from nothing. */
  readonly watchLoop: () => Promise<void>;
  readonly loopDelay: () => Promise<LoopDelay>;
  readonly startProfile: () => Promise<void>;
  /** Ends the profile and writes it as a .cpuprofile. */
  readonly endProfile: (path: string) => Promise<void>;
}

/** The channel to a daemon that was started from the bench's own entry file. */
export function openChannel({ process: child, alive }: Child): DaemonChannel {
  const ask = async (command: object): Promise<unknown> => {
    const answer = once(child, "message");
    child.send(command);
    const [message]: unknown[] = await alive(answer);
    return message;
  };
  return {
    watchLoop: async () => void (await ask({ kind: "watch-loop" })),
    loopDelay: async () => parseLoopDelay(await ask({ kind: "loop" })),
    startProfile: async () => void (await ask({ kind: "profile" })),
    endProfile: async (path) => void (await ask({ kind: "end-profile", path })),
  };
}

function parseLoopDelay(value: unknown): LoopDelay {
  const fields: Partial<Record<keyof LoopDelay, number>> =
    typeof value === "object" && value !== null ? value : {};
  const { p50 = Number.NaN, p99 = Number.NaN, p999 = Number.NaN, max = Number.NaN } = fields;
  return { p50, p99, p999, max };
}
