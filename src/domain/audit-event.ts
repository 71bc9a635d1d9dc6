import type { FileReason } from "./attachment.ts";
import type { PressRefusal } from "./button.ts";
import type { FailureCode, JailLossCause, ToolDenial } from "./claude-event.ts";
import type { MicroUsd } from "./money.ts";
import type { NetRefused } from "./net.ts";
import type { LogoutCause, Role, TokenRefusal } from "./person.ts";
import type { ConversationRef, Request, RequestBody, RequestKind } from "./request.ts";
import type { UploadKind } from "./upload-types.ts";
import type { DenyReason, Verdict } from "./verdict.ts";

/** How much an event matters to the owner. The table that gives it is `security/risk.ts`. */
export type Risk = "low" | "medium" | "high" | "critical";

/** The gates of the chain by name; their order is `GATE_ORDER` in `security/admit.ts`. */
export type GateName = "authenticate" | "checkLock" | "limitRate" | "limitCost" | "validateInput";

/**
 * The vocabulary of the audit: everything that is put on record, by type, with small typed fields.
 * No field ever holds prompt text, an answer, a file's contents or a secret: `summary` and `path` have passed
 * `security/redact.ts`. Who and where stand beside the event, in `AuditEntry`.
 */
export type AuditEvent =
  /** Things that a turn made and that git or a tool would obey were taken out of the project. */
  | {
      readonly type: "project.quarantined";
      readonly workId: number | null;
      readonly count: number;
      readonly paths: readonly string[];
    }
  /** The project could not be looked through after a turn, or what was found could not be moved. */
  | { readonly type: "violation.project_unseen"; readonly workId: number | null }
  /** An owner took such a thing, or left it out. */
  | { readonly type: "project.accepted" | "project.left_out"; readonly path: string }
  /** Somebody who may not come in. `unrecorded` counts such contacts since the last record that were not recorded. */
  | {
      readonly type: "auth.failure";
      readonly reason: DenyReason | `token_${TokenRefusal}`;
      readonly unrecorded: number;
    }
  /** A well-formed login is looked at; how it ended is the next record. */
  | { readonly type: "auth.attempt" }
  /** `isSecondFactor`: of somebody on the whitelist. */
  | {
      readonly type: "auth.login";
      readonly role: Role;
      readonly inviteId: number;
      readonly isSecondFactor: boolean;
    }
  | { readonly type: "auth.logout"; readonly cause: LogoutCause }
  /** A token was made; where no person stands beside it, at the machine. */
  | { readonly type: "auth.invite"; readonly id: number; readonly role: Role; readonly expiresAt: number }
  /** `id` is the invite's, or the person's whose login ended. */
  | { readonly type: "auth.revoke"; readonly what: "invite" | "login"; readonly id: number }
  /** Too many logins failed: none is looked at until then, of this person or of any stranger. */
  | { readonly type: "auth.lockout"; readonly scope: "person" | "everybody"; readonly until: number }
  /** The bot was in a group, or a channel, that is not one of `ALLOWED_CHATS`; `unrecorded` counts as in `auth.failure`. */
  | { readonly type: "chat.left"; readonly chatId: number; readonly unrecorded: number }
  /** A group of `ALLOWED_CHATS` became a supergroup, which has another id. */
  | { readonly type: "chat.moved"; readonly from: number; readonly to: number }
  | {
      readonly type: "request.admitted";
      readonly origin: Request["origin"];
      readonly kind: RequestKind;
      readonly body: RequestBody["kind"];
      readonly dedupeKey: string;
    }
  | {
      readonly type: "request.refused";
      readonly origin: Request["origin"];
      readonly kind: RequestKind;
      readonly body: RequestBody["kind"];
      readonly dedupeKey: string;
      /**
       * `command`: past all gates, by the command itself, which is not for everybody. `handler`: by a fault of the program's own, for
       * which it was set aside.
       */
      readonly gate: GateName | "command" | "handler";
      readonly verdict: Exclude<Verdict["kind"], "admit">;
      /** Only a `deny` has a reason. */
      readonly reason: DenyReason | "owners_only" | "fault" | null;
    }
  /** A file that a person sent lies where Claude can read it. */
  | {
      readonly type: "file.received";
      readonly workId: number;
      readonly name: string;
      readonly kind: UploadKind;
      readonly bytes: number;
      readonly sha256: string;
      /** Of an archive, what came out of it and what was left out. */
      readonly files: number | null;
      readonly leftOut: number | null;
    }
  /** A file was not taken: by the gate, which has no work yet, or by its bytes. `bytes` as the message says. */
  | {
      readonly type: "file.refused";
      readonly workId: number | null;
      readonly name: string;
      readonly bytes: number | null;
      readonly reason: FileReason;
    }
  | { readonly type: "command.run"; readonly name: string }
  | ({ readonly type: "tool.asked" } & ToolFields)
  /** A person's decision, or why there was none: `expired` and `withdrawn` count as deny. */
  | ({
      readonly type: "tool.answered";
      readonly answer: "allow" | "deny" | "expired" | "withdrawn";
    } & ToolFields)
  /** What the policy leaves to the CLI's own rules: it runs unasked, or is asked about after this. */
  | ({ readonly type: "tool.left" } & ToolFields)
  /** What the CLI ends before the hook sees it: a tool that is not offered, or an input that it does not take. It did not run. */
  | ({ readonly type: "tool.refused" } & ToolFields)
  /** What the policy decides by itself; what a person decides is `tool.answered`. */
  | ({ readonly type: "tool.allowed"; readonly by: "policy" } & ToolFields)
  | ({ readonly type: "tool.denied"; readonly by: "policy"; readonly cause: ToolDenial } & ToolFields)
  | {
      readonly type: "turn.started";
      readonly workId: number;
      /** The project's path below the approved directory. */
      readonly project: string;
      /** True when the turn resumes a session, false when it begins one. */
      readonly isResumed: boolean;
    }
  | {
      readonly type: "turn.finished";
      readonly workId: number;
      /** Null when the turn completed, else why it failed. */
      readonly failure: FailureCode | null;
      readonly model: string | null;
      readonly durationMs: number;
    }
  | { readonly type: "turn.stopped"; readonly workId: number; readonly durationMs: number }
  | { readonly type: "turn.interrupted"; readonly workId: number; readonly cause: "restart" | "shutdown" }
  /** For the first time in a turn a host, or `host/owner/name` of a repository to fetch from, is about to be let through. */
  | { readonly type: "net.allowed"; readonly host: string; readonly port: number }
  /** A connection out of a jail that is over; bytes towards the jail are `bytesIn`. */
  | {
      readonly type: "net.connected";
      readonly host: string;
      readonly port: number;
      readonly bytesIn: number;
      readonly bytesOut: number;
      readonly durationMs: number;
    }
  /** Once a host and reason, a hundred in a turn. */
  | ({ readonly type: "net.refused" } & NetRefused)
  /** The git host took a push that a person had allowed. */
  | { readonly type: "git.pushed"; readonly repository: string; readonly refs: readonly string[] }
  /** An owner allowed a host for a project, or closed it, for good; `removed` takes that back. */
  | {
      readonly type: "net.ruled";
      readonly project: string;
      readonly host: string;
      readonly port: number;
      readonly verdict: "allow" | "never" | "removed";
    }
  /** The fallback model answered in place of the chosen one. */
  | { readonly type: "turn.fell_back"; readonly workId: number; readonly model: string }
  /**
   * A secret appeared in a project while a jail was at work there, or what protects a path was lost: that jail was killed. `asked`:
   * Claude asked for a file of the list of secrets by a file tool, and was refused it.
   */
  | {
      readonly type: "violation.secret_access";
      readonly workId: number;
      readonly cause: JailLossCause | "asked";
      readonly path: string;
    }
  /** An owner had a file of the list of secrets shown to the jails of a project, or hidden again. */
  | {
      readonly type: "secret.exposed" | "secret.hidden";
      readonly project: string;
      readonly path: string;
    }
  /** A model without a price: charged as the dearest that is known. */
  | { readonly type: "cost.unknown_model"; readonly workId: number; readonly model: string }
  /** Something in the jail asked for a model that nobody chose; it did not get it. */
  | { readonly type: "violation.unchosen_model"; readonly workId: number; readonly model: string }
  | {
      readonly type: "cost.settled";
      readonly workId: number;
      readonly costMicroUsd: MicroUsd;
      readonly reservedMicroUsd: MicroUsd;
      /** `cli`: the CLI's own total; `meter`: the proxy's token counts under the price file. */
      readonly source: "cli" | "meter";
    }
  | {
      readonly type: "cost.refused";
      readonly stage: "gate" | "turn" | "request";
      readonly spentMicroUsd: MicroUsd;
      readonly limitMicroUsd: MicroUsd;
    }
  /** An owner let a person spend more than his budget in the window that ran. */
  | { readonly type: "cost.granted"; readonly to: number; readonly amountMicroUsd: MicroUsd }
  /** A button whose nonce is unknown, or that was given to somebody else, or in another chat. */
  | {
      readonly type: "violation.forged_callback";
      readonly what: Extract<PressRefusal, "unknown" | "not_yours" | "elsewhere">;
    }
  /** Something for one use was used again. */
  | { readonly type: "violation.replay"; readonly what: "button" | "update" | "token" }
  /**
   * A path that aims out of the approved directory: by its text (`..`, an absolute one), by a link on the way, or by signs that a
   * shell would run something at.
   */
  | {
      readonly type: "violation.path_traversal" | "violation.symlink_escape" | "violation.injection";
      readonly path: string;
    }
  /** The jail was not proved at the start, or a way out of it was found: which. No turn was run. */
  | { readonly type: "violation.sandbox"; readonly found: string }
  | {
      readonly type: "daemon.started";
      readonly version: string;
      readonly sandbox: "bwrap" | "seatbelt" | "none";
      readonly permissionMode: string;
    }
  | { readonly type: "daemon.stopped"; readonly cause: string }
  /** The settings are not those of the last start: which, by name. Their values are kept nowhere. */
  | { readonly type: "config.changed"; readonly keys: readonly string[] }
  /** A credential has another value than before, which had been in use for so many days. */
  | { readonly type: "credential.changed"; readonly name: string; readonly ageDays: number }
  /** Of issues that are still to be built: nothing puts these on record yet. */
  | { readonly type: "webhook.accepted"; readonly provider: string; readonly rule: string }
  | { readonly type: "webhook.refused"; readonly provider: string; readonly reason: string }
  | {
      readonly type: "job.made" | "job.started" | "job.missed" | "job.removed";
      readonly jobId: number;
    }
  | { readonly type: "file.sent"; readonly path: string; readonly bytes: number }
  /** Retention gave up all rows up to the one of this `id` and `hash`, where the chain begins from now on. */
  | { readonly type: "audit.trimmed"; readonly id: number; readonly hash: string }
  /** A person at the machine made a copy of the database, which is that file. */
  | { readonly type: "database.copied"; readonly file: string }
  /** A person at the machine put this database in the place of another, which is kept under the name `replaced`. */
  | { readonly type: "database.restored"; readonly replaced: string | null }
  /** An owner ended everything that ran and closed the door for work. */
  | { readonly type: "daemon.locked"; readonly endedTurns: number; readonly waitingWorks: number }
  /** At the machine. `lockedAt` and `lockedBy` tell what was undone. */
  | { readonly type: "daemon.unlocked"; readonly lockedAt: number; readonly lockedBy: number };

/** Which call of which tool. `summary` is one redacted line made by `security/redact.ts`. */
interface ToolFields {
  readonly tool: string;
  readonly toolUseId: string;
  readonly summary: string;
}

/** One act for the record, before it has its place in the chain. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly risk: Risk;
  /** Null where no person is behind it. */
  readonly userId: number | null;
  readonly conversation: ConversationRef | null;
  readonly event: AuditEvent;
}

/** The event's fields without its type, as the JSON text that is stored and hashed. Text comes back from it unchanged. */
export function auditDataOf(event: AuditEvent): string {
  const { type: _type, ...fields } = event;
  return JSON.stringify(fields);
}
