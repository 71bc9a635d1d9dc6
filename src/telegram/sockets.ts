import type { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { http } from "../domain/http.ts";

/** The connections that calls to the Bot API go over; they are kept and used again. */
export interface Sockets {
  readonly agent: HttpAgent | HttpsAgent;
  /** Closes those that no call is using: after a sleep they may be dead without a sign. Calls under way go on. */
  readonly dropIdle: () => void;
}

export function createSockets(apiRoot: string): Sockets {
  const isPlain = new URL(apiRoot).protocol === "http:";
  const agent = isPlain ? new http.Agent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true });
  return {
    agent,
    dropIdle: () => {
      for (const sockets of Object.values(agent.freeSockets))
        for (const socket of sockets ?? []) socket.destroy();
    },
  };
}
