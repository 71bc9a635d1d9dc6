import type { Logger } from "../log/logger.ts";
import type { ClaudeProcess, ProcessListener } from "./process.ts";

interface IdleDeps {
  readonly process: ClaudeProcess;
  readonly log: Logger;
}

/**
 * Listens between turns, when the CLI has nothing to do. One that starts to work by itself is killed: nobody asked, nobody
 * watches and nobody pays; the next turn starts a fresh process on the same session.
 */
export function createIdleListener({ process, log }: IdleDeps): ProcessListener {
  function end(reason: string): void {
    log.warn(
      { event: "claude.idle_killed", cliPid: process.pid, sessionId: process.sessionId, reason },
      "idle CLI process killed",
    );
    void process.kill();
  }
  return {
    onActivity: () => undefined,
    onOver: () => undefined,
    onFault: end,
    onMessage: ({ kind }) => {
      if (kind === "init" || kind === "requesting" || kind === "ask" || kind === "hook")
        end("It began to work unasked");
    },
  };
}
