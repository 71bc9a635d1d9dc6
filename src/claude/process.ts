import type { ProxyLease } from "../domain/usage.ts";
import type { JailExit, JailedProcess, JailLoss } from "../jail/jail.ts";
import type { Logger } from "../log/logger.ts";
import { type Connection, createConnection, type Listener } from "./connection.ts";
import { tailOf } from "./stderr-tail.ts";

/** After the process is gone its pipes may be held open by what it left behind. */
const OUTPUT_GRACE_MS = 500;
/** What a process may take to end after it closed its output. */
const MUTE_GRACE_MS = 1000;
/** What an idle process may take to end by itself; it normally needs 50 ms. */
const CLOSE_GRACE_MS = 2000;
/** A killed process that is still there after this is given up: nothing may wait for it for ever. */
const KILL_GRACE_MS = 5000;

/** Tools that run nothing and so leave nothing behind. */
const CHILDLESS_TOOLS: ReadonlySet<string> = new Set([
  "Read",
  "Edit",
  "Write",
  "AskUserQuestion",
  "EnterPlanMode",
  "ExitPlanMode",
]);

/** Who listens to the process just now. Must not throw. */
export interface ProcessListener extends Listener {
  /** It is gone and all that it said was heard. Called once, at once when that was so before. */
  readonly onOver: (exit: JailExit) => void;
}

/** One process of the CLI in its jail, from its start to its end. */
export interface ClaudeProcess {
  readonly pid: number;
  readonly sessionId: string;
  /** It was started with what the CLI knew of the session. */
  readonly isResume: boolean;
  readonly configDir: string;
  /** Secret files that its jail and its policy show. */
  readonly exposed: readonly string[];
  /** The folder of uploads that its jail shows. */
  readonly uploadsDir: string | null;
  readonly connection: Pick<Connection, "request" | "prompt" | "answer" | "answerHook">;
  readonly lease: ProxyLease;
  /** Replaces the listener. */
  readonly listen: (listener: ProcessListener) => void;
  /** Keeps what the CLI offered before its first prompt: names of models by alias. */
  readonly offer: (models: ReadonlyMap<string, string>) => void;
  readonly offered: () => ReadonlyMap<string, string>;
  /** Resolves when it is gone and what it said has been read. */
  readonly over: Promise<JailExit>;
  readonly isOver: () => boolean;
  /** Why its jail did not hold any more and was killed; null while it holds. */
  readonly loss: () => JailLoss | null;
  /** What it wrote to stderr last. */
  readonly stderr: () => string;
  readonly noteTool: (name: string) => void;
  /** True once a tool was called that may have left children running. */
  readonly mayHaveChildren: () => boolean;
  /** Kills it with everything it started. Resolves when it is over. Never rejects. */
  readonly kill: () => Promise<void>;
  /** Lets an idle one end by itself, which also saves its session's cost; kills it when it takes too long. Never rejects. */
  readonly close: () => Promise<void>;
}

interface ClaudeProcessDeps {
  readonly jailed: JailedProcess;
  readonly lease: ProxyLease;
  readonly sessionId: string;
  readonly isResume: boolean;
  readonly configDir: string;
  readonly exposed: readonly string[];
  readonly uploadsDir: string | null;
  readonly listener: ProcessListener;
  readonly loss: () => JailLoss | null;
  readonly log: Logger;
}

/** Takes over a process that the jail started. Gives the lease back when the process is over. */
export function createClaudeProcess(deps: ClaudeProcessDeps): ClaudeProcess {
  const { jailed, lease, sessionId, isResume, configDir, exposed, uploadsDir, loss, log } = deps;
  let { listener } = deps;
  let ended: JailExit | null = null;
  lease.setBarrier(jailed.settle);
  const connection = createConnection({ stdin: jailed.stdin, stdout: jailed.stdout, listener });
  const stderr = tailOf(jailed.stderr);
  let hasRunTools = false;
  let models: ReadonlyMap<string, string> = new Map();

  async function end(): Promise<JailExit> {
    const exit = await jailed.exited;
    lease.setPayer(null);
    lease.setNet(null);
    lease.release(); // before all else: nobody watches what a dead jail may still have on its way
    await within(OUTPUT_GRACE_MS, connection.ended);
    ended = exit;
    log.info(
      { event: "claude.exited", cliPid: jailed.pid, sessionId, code: exit.code, signal: exit.signal },
      "CLI process ended",
    );
    listener.onOver(exit);
    return exit;
  }
  const over = end();

  /** A process that can no longer say anything is of no use, though it lives. */
  async function watchOutput(): Promise<void> {
    await connection.ended;
    await within(MUTE_GRACE_MS, over);
    if (ended === null) listener.onFault("The CLI closed its output and did not end");
  }
  void watchOutput();

  async function kill(): Promise<void> {
    try {
      await within(KILL_GRACE_MS, jailed.kill());
      await within(KILL_GRACE_MS, over);
    } catch (error) {
      log.error(
        { event: "claude.kill_failed", cliPid: jailed.pid, sessionId, err: error },
        "CLI process could not be killed",
      );
    }
    if (ended === null)
      log.error({ event: "claude.left_behind", cliPid: jailed.pid, sessionId }, "CLI process is still there");
  }

  return {
    pid: jailed.pid,
    sessionId,
    isResume,
    configDir,
    exposed,
    uploadsDir,
    connection,
    lease,
    over,
    listen: (next) => {
      listener = next;
      connection.listen(next);
      if (ended) next.onOver(ended);
    },
    offer: (offered) => {
      models = offered;
    },
    offered: () => models,
    isOver: () => ended !== null,
    loss,
    stderr,
    noteTool: (name) => {
      hasRunTools ||= !CHILDLESS_TOOLS.has(name);
    },
    mayHaveChildren: () => hasRunTools,
    kill,
    close: async () => {
      connection.endInput();
      await within(CLOSE_GRACE_MS, over);
      await kill();
    },
  };
}

async function within(ms: number, done: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([done, late]);
  clearTimeout(timer);
}
