import type { ApprovedPath } from "../domain/approved-path.ts";
import type {
  ClaudeEvent,
  ClaudeTurnEnd,
  PolicyVerdict,
  ToolAnswer,
  ToolAsk,
} from "../domain/claude-event.ts";
import type { NetPolicy } from "../domain/net.ts";
import type { Payer } from "../domain/usage.ts";
import type { Workshop } from "../jail/jail.ts";

/** How every process of the CLI is run. */
export interface ClaudeSettings {
  /** Absolute path of the native `claude` program. */
  readonly program: string;
  /** Who pays; a CLI that reports another kind of account is not prompted. */
  readonly auth: "subscription" | "api-key";
  /** Null leaves the choice to the CLI. */
  readonly model: string | null;
  /** Used when the chosen one is overloaded, and only when set. */
  readonly fallbackModel: string | null;
  readonly effort: string | null;
  readonly permissionMode: "jail" | "ask" | "plan";
  /** The tools that are offered at all, by the CLI's names. */
  readonly tools: readonly string[];
  /** Processes alive at one time, working and waiting together. */
  readonly maxProcesses: number;
  /** A process that nobody used for so long is closed. */
  readonly idleMs: number;
  /** Silence that ends a turn; waiting for a person does not count. */
  readonly stallMs: number;
  /** What a stopped turn may take to end by itself before its jail is killed. */
  readonly stopGraceMs: number;
}

/** Whose session it is, where it works and where the CLI keeps it. */
export interface ClaudeSession {
  readonly conversationKey: string;
  readonly userId: number;
  readonly project: ApprovedPath;
  /** The CLI's own folder for this person and project, on the host. */
  readonly configDir: string;
  /** What the jail offers beside the project. */
  readonly workshop: Workshop;
  /** A UUID of ours. */
  readonly sessionId: string;
  /** True when earlier turns of this session exist: if the CLI does not find them, the turn fails with `session_lost`. */
  readonly isResume: boolean;
}

/** One prompt and what happens around it. What `onEvent` and `decide` throw does not end the turn. */
export interface ClaudeTurn {
  readonly session: ClaudeSession;
  readonly prompt: string;
  /** A UUID of ours; the CLI puts it on everything that belongs to this prompt. */
  readonly uuid: string;
  readonly payer: Payer;
  /** Decides what the programs of the jail may reach while the turn runs. */
  readonly net: NetPolicy;
  /** After the turn's end only `jail_lost` may come: the waiting process that it used last had its jail killed. */
  readonly onEvent: (event: ClaudeEvent) => void;
  /**
   * Called right before the prompt is written: from here on it may have had effects. If it throws, nothing is written.
   * `isResume`: its process took the session up, also one that was cut off in its first turn.
   */
  readonly onPrompting: (isResume: boolean) => void;
  /** Puts on record what the policy decided about a call by itself, before the CLI hears of it. If it throws, the call is denied. */
  readonly onPolicy: (call: ToolAsk, verdict: PolicyVerdict) => void;
  /** A person decides about a tool call. `signal` aborts when the answer is no longer wanted. A rejection counts as a denial. */
  readonly decide: (ask: ToolAsk, signal: AbortSignal) => Promise<ToolAnswer>;
  /** Aborted = stop. */
  readonly signal: AbortSignal;
}

/** Runs turns on the Claude CLI, in processes that stay warm between the turns of a conversation. */
export interface ClaudeRunner {
  /** Runs one turn to its end. Never rejects: faults are outcomes. Waits, in order, when all processes are at work. */
  readonly run: (turn: ClaudeTurn) => Promise<ClaudeTurnEnd>;
  /** Ends the waiting processes of a conversation; one at work ends after its turn. */
  readonly forget: (conversationKey: string) => Promise<void>;
  /** The same for all conversations. */
  readonly forgetAll: () => Promise<void>;
  /** Stops every turn, ends every process. Resolves when all are gone; later turns end as stopped. */
  readonly close: () => Promise<void>;
  /** How many processes are alive. */
  readonly warm: () => number;
}
