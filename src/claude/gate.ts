import type { ApprovedPath } from "../domain/approved-path.ts";
import type { PolicyVerdict, ToolAnswer, ToolAsk, ToolDenial } from "../domain/claude-event.ts";
import { createIsSecret } from "../domain/secret-files.ts";
import type { Logger } from "../log/logger.ts";
import { denyRules } from "./deny-rules.ts";
import type { HookAnswer } from "./hook.ts";
import { createJudge, type Judge, type Judgement, type ToolCall } from "./judge.ts";

/** The three layers round a tool call that are ours to say; the fourth is the jail. */
export interface ToolPolicy {
  /** What the CLI refuses by itself. */
  readonly rules: readonly string[];
  /** For the hook, which sees every call. */
  readonly atHook: Judge;
  /** For the calls about which the CLI asks. */
  readonly atAsk: Judge;
  /**
   * The same policy for a jail in which an owner has shown these files of the list of secrets, and which shows what the person
   * sent in that folder. Absolute paths, as they are in the jail.
   */
  readonly forJail: (exposed: readonly string[], uploads: string | null) => ToolPolicy;
}

interface ToolPolicyOptions {
  readonly mode: "jail" | "ask" | "plan";
  /** The owner's additions to the list of secret files. */
  readonly secretFiles: readonly string[];
}

/** The policy by the settings. */
export function createToolPolicy(
  options: ToolPolicyOptions,
  { exposed = [], uploads = null }: { exposed?: readonly string[]; uploads?: string | null } = {},
): ToolPolicy {
  const { mode, secretFiles } = options;
  const judge = createJudge({ mode, isSecret: createIsSecret(secretFiles), exposed, uploads });
  return {
    rules: denyRules(secretFiles, exposed),
    atHook: judge,
    atAsk: judge,
    forJail: (files, folder) => createToolPolicy(options, { exposed: files, uploads: folder }),
  };
}

/** A call about which the CLI asks. */
export interface AskedCall extends ToolAsk {
  readonly isMcp: boolean;
  /** The CLI's own checks warned of it. */
  readonly isWarnedOf: boolean;
}

/** Applies the policy to the calls of one turn. */
export interface Gate {
  /** The hook's answer, at once. Null is a call that cannot be read. */
  readonly hook: (call: ToolCall | null) => HookAnswer;
  /** The policy's own answer to a question of the CLI's; null when it is a person's. */
  readonly answer: (asked: AskedCall) => ToolAnswer | null;
}

interface GateDeps {
  readonly policy: ToolPolicy;
  readonly project: ApprovedPath;
  /** True for a call that a person decides, whatever the policy would allow. */
  readonly isPersons: (call: ToolAsk) => boolean;
  /** Puts on record what the policy decided by itself, or left to the CLI. If it throws, the call is denied. */
  readonly onPolicy: (call: ToolAsk, verdict: PolicyVerdict) => void;
  readonly log: Logger;
}

const UNREADABLE = "Sallyport could not read this call, so it was denied.";
const REASONS: Readonly<Record<ToolDenial, string>> = {
  secret:
    "By its name this file may hold secrets: Sallyport keeps it from you. Do not look for another way; go on without it, or ask the person.",
  protected:
    "Files here decide what runs later on the person's machine, so you may not write them. Tell the person what to change instead.",
  uploads: "What the person sent is read-only. Copy it into the project and change the copy there.",
  malformed: UNREADABLE,
  network: "Sallyport gives the network out itself; this request is never granted.",
};

/**
 * The hook judges each call and puts on record what the policy decides by itself and what it leaves to the CLI. When the CLI asks
 * about a call, it is judged once more as it then stands, in the mode that the hook was told of: one that the hook has not seen is
 * allowed by nobody but a person. Where the CLI warns of a file, a person decides too.
 */
export function createGate({ policy, project, isPersons, onPolicy, log }: GateDeps): Gate {
  const seen = new Map<string, Pick<ToolCall, "cwd" | "cliMode">>();

  function judged(judge: Judge, call: ToolCall): Judgement {
    const judgement = judge(call, project);
    if (judgement.kind === "deny") onPolicy(call, { kind: "denied", cause: judgement.cause });
    else if (isPersons(call)) return { kind: "ask" };
    return judgement;
  }

  function closed(error: unknown, tool: string): string {
    log.error({ event: "claude.gate_failed", tool, err: error }, "a call could not be judged: denied");
    return "Sallyport could not put this call on record, so it was denied.";
  }

  return {
    hook: (call) => {
      if (call === null) {
        log.warn({ event: "claude.hook_unreadable" }, "a call of a hook could not be read: denied");
        return { kind: "deny", reason: UNREADABLE };
      }
      try {
        const judgement = judged(policy.atHook, call);
        if (judgement.kind === "allow") onPolicy(call, { kind: "allowed" });
        if (judgement.kind === "leave") onPolicy(call, { kind: "left" });
        seen.set(call.toolUseId, { cwd: call.cwd, cliMode: call.cliMode });
        if (judgement.kind === "deny") return { kind: "deny", reason: REASONS[judgement.cause] };
        return judgement.kind === "ask"
          ? { kind: "ask", reason: "A person decides this." }
          : { kind: "none" };
      } catch (error) {
        return { kind: "deny", reason: closed(error, call.toolName) };
      }
    },
    answer: ({ isWarnedOf, ...asked }) => {
      const { cwd = project, cliMode = "unseen" } = seen.get(asked.toolUseId) ?? {};
      try {
        const judgement = judged(policy.atAsk, { ...asked, cwd, cliMode });
        if (judgement.kind === "deny") return { kind: "deny", message: REASONS[judgement.cause] };
        const isOurs = judgement.kind === "allow" && (!isWarnedOf || asked.toolName === "Bash");
        return isOurs ? { kind: "allow", input: asked.input } : null;
      } catch (error) {
        return { kind: "deny", message: closed(error, asked.toolName) };
      }
    },
  };
}
