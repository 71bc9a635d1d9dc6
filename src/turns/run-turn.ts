import { setTimeout as sleep } from "node:timers/promises";
import type { ClaudeRunner } from "../claude/types.ts";
import type { ApprovedPath } from "../domain/approved-path.ts";
import type {
  ClaudeEvent,
  ClaudeOutcome,
  ClaudeTurnEnd,
  FailureCode,
  JailLossEvent,
} from "../domain/claude-event.ts";
import type { Now } from "../domain/clock.ts";
import { AppError, messageOf } from "../domain/errors.ts";
import type { HostRule } from "../domain/host-rule.ts";
import type { Session, Work } from "../domain/work.ts";
import type { Workshop } from "../jail/jail.ts";
import type { Logger } from "../log/logger.ts";
import type { FindAccessFaults } from "../security/access.ts";
import { isOutside } from "../security/path-violation.ts";
import { shorten } from "../security/visible.ts";
import { isPassing } from "../store/fault.ts";
import type { Store } from "../store/store.ts";
import type { ApprovalDesk } from "./approvals.ts";
import { createAsk } from "./ask-claude.ts";
import type { Admission } from "./expel.ts";
import type { FileRoom } from "./gather-files.ts";
import type { ProjectGit } from "./git-policy.ts";
import type { LateRecord } from "./late-record.ts";
import type { Persist } from "./persist.ts";
import type { Presenter, TurnScreen } from "./presenter.ts";
import { createProgress } from "./progress.ts";
import type { ProjectWatch } from "./project-watch.ts";
import type { Recovery } from "./recovery.ts";
import { logDisagreement, type RecordWork, settleTurn } from "./settle.ts";

/** The longest path that is put on record. */
const MAX_PATH = 200;
/** How long to wait before a turn that the store did not take is queued again. */
const AGAIN_MS = 500;

/** What a turn is run with. */
export interface RunTurnDeps {
  readonly store: Store;
  readonly presenter: Pick<Presenter, "modelRefused" | "jailLost" | "accessLimited" | "fileRefused">;
  readonly claude: Pick<ClaudeRunner, "run" | "forget" | "forgetAll">;
  readonly desk: ApprovalDesk;
  readonly recovery: Recovery;
  readonly resolveProject: (name: string) => Promise<ApprovedPath>;
  /** A subscription pays. */
  readonly isEquivalent: boolean;
  /** What the folder of a project lacks to be worked in. */
  readonly accessFaults: FindAccessFaults;
  /** The CLI's own folder for this person and project; made when it is not there. */
  readonly configDirOf: (userId: number, project: string) => Promise<string>;
  /** What the jail offers beside the project to this person. */
  readonly workshopOf: (userId: number, project: ApprovedPath) => Promise<Workshop>;
  readonly files: FileRoom;
  readonly git: ProjectGit;
  readonly isOwner: (userId: number) => boolean;
  readonly admission: Pick<Admission, "isAdmitted">;
  /** What may be reached unasked from every project. */
  readonly allowedHosts: readonly HostRule[];
  readonly watch: Pick<ProjectWatch, "during">;
  readonly record: RecordWork;
  readonly lateRecord: Pick<LateRecord, "put">;
  readonly persist: Persist;
  readonly summarise: (name: string, input: Readonly<Record<string, unknown>>) => string;
  readonly now: Now;
  readonly log: Logger;
}

/** A prepared work, with the session it belongs to. */
export interface PreparedTurn {
  readonly work: Work;
  readonly session: Session;
  readonly screen: TurnScreen;
  /** Aborted with the reason `shutdown` when the daemon ends, with anything else when a person stops the turn. */
  readonly signal: AbortSignal;
}

/**
 * Runs one prepared work to its end: state, screen, money and audit are settled in one transaction, whatever way it
 * ended. A fault of the runner is a failed turn. Never rejects: a store that takes no writing is waited for, and what Claude has not
 * seen by then is queued again.
 */
export function createRunTurn(deps: RunTurnDeps): (turn: PreparedTurn) => Promise<void> {
  const { store, presenter, recovery, record, lateRecord, persist, now, log } = deps;

  const ask = createAsk(deps);

  function refused(work: Work, model: string): void {
    const event = { type: "violation.unchosen_model", workId: work.id, model } as const;
    lateRecord.put(event, work, () => presenter.modelRefused(work, model));
  }

  /** May come after the turn's end, when its jail waits for the next. */
  function lost(work: Work, { kind, cause, path: whole }: JailLossEvent): void {
    const path = shorten(whole, MAX_PATH);
    const event = { type: "violation.secret_access", workId: work.id, cause, path } as const;
    lateRecord.put(event, work, () => presenter.jailLost(work, { kind, cause, path }));
  }

  return async (turn) => {
    const { work, session, screen, signal } = turn;
    const startedAt = now();
    const progress = createProgress({ show: screen.show, summarise: deps.summarise });
    const follow = (event: ClaudeEvent): void => {
      if (event.kind === "jail_renewed" || event.kind === "jail_lost") lost(work, event);
      if (event.kind === "fell_back")
        lateRecord.put({ type: "turn.fell_back", workId: work.id, model: event.model }, work);
      if (event.kind === "model_refused") refused(work, event.model);
      if (event.kind === "tool_refused") {
        const { toolUseId, name: tool, input } = event;
        const summary = deps.summarise(tool, input);
        lateRecord.put({ type: "tool.refused", tool, toolUseId, summary }, work);
      }
      progress.follow(event);
    };
    let isLedOut = false;
    let isUntaken = false;
    const ran = await ask(turn, follow).catch(async (error: unknown): Promise<ClaudeTurnEnd> => {
      isLedOut = isOutside(error);
      isUntaken = isPassing(error);
      log.error({ event: "turn.fault", workId: work.id, err: error }, "a turn could not be run");
      const outcome = { kind: "failed", ...failureOf(error), resetsAt: null } as const;
      if (isUntaken) await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined); // told to end: at once
      return {
        outcome,
        model: null,
        turnCostMicroUsd: null,
        isResumable: session.isResumable,
      };
    });

    const durationMs = now() - startedAt;
    const settle = (): void => {
      const end = isUntaken && signal.aborted ? { ...ran, outcome: { kind: "stopped" } as const } : ran;
      if (end.isResumable) store.sessions.markResumable(session.id);
      const current = store.work.get(work.id) ?? work;
      const isShutdown = signal.reason === "shutdown" && end.outcome.kind !== "completed";
      if (current.state === "preparing" && (isShutdown || (isUntaken && !signal.aborted))) {
        store.work.requeue(work.id);
        return;
      }
      if (isShutdown) {
        recovery.interrupt(current, "shutdown");
        return;
      }
      logDisagreement(log, {
        workId: work.id,
        cliMicroUsd: end.turnCostMicroUsd,
        meteredMicroUsd: store.ledger.metered(work.id),
      });
      const costMicroUsd = settleTurn({ ledger: store.ledger, record }, current, end.turnCostMicroUsd);
      if (isLedOut) record({ type: "violation.symlink_escape", path: session.project }, { work });
      recordEnd(record, work, { end, durationMs });
      if (end.outcome.kind === "failed" && end.outcome.code === "session_lost") store.sessions.end(session);
      // Who was taken out meanwhile reads nothing of it any more.
      const isOut = !deps.admission.isAdmitted(work.userId);
      const said = isOut ? "" : progress.text();
      const outcome = isOut ? ({ kind: "stopped" } as const) : wholeOutcome(end.outcome, said);
      const partialText = outcome.kind === "completed" ? "" : said;
      store.work.end(work.id, outcome.kind === "completed" ? "delivering" : outcome.kind);
      const { model } = end;
      const tools = isOut ? [] : progress.tools();
      const isPartOpen = progress.isOpen();
      const cost = { durationMs, costMicroUsd };
      screen.finish({ work: current, outcome, partialText, isPartOpen, model, ...cost, tools });
    };
    const what = { workId: work.id };
    const cutOff = (): void =>
      store.transaction(() => recovery.interrupt(store.work.get(work.id) ?? work, "restart"));
    /** What must not stay, whatever cannot be shown: it would count as running, with its money reserved (H52). */
    const release = (): void =>
      store.transaction(() => {
        const current = store.work.get(work.id) ?? work;
        settleTurn({ ledger: store.ledger, record }, current, ran.turnCostMicroUsd);
        store.work.end(work.id, "failed");
      });
    await persist(() => store.transaction(settle), what)
      // A fault of our own in showing the answer: the turn is not lost with it.
      .catch(() => persist(cutOff, what))
      .catch(() => persist(release, what))
      .catch(() => undefined); // logged by `persist`; the next start sorts it out
  };
}

/** A turn that completed without a result text is what was said on the way. */
function wholeOutcome(outcome: ClaudeOutcome, said: string): ClaudeOutcome {
  const isEmpty = outcome.kind === "completed" && outcome.text.trim() === "";
  return isEmpty ? { kind: "completed", text: said } : outcome;
}

/** What kept a turn from beginning. A project that was moved or exchanged is no fault of the CLI's. */
function failureOf(error: unknown): { code: FailureCode; detail: string | null } {
  if (error instanceof AppError && error.code === "path_shut")
    return { code: "project_shut", detail: error.message };
  if (error instanceof AppError && error.code === "uploads_shut")
    return { code: "files_unkept", detail: error.message };
  const isPath =
    error instanceof AppError && (error.code === "path_invalid" || error.code === "path_outside");
  return isPath ? { code: "project_gone", detail: null } : { code: "startup", detail: messageOf(error) };
}

function recordEnd(
  record: RecordWork,
  work: Work,
  { end, durationMs }: { end: ClaudeTurnEnd; durationMs: number },
): void {
  if (end.outcome.kind === "stopped") {
    record({ type: "turn.stopped", workId: work.id, durationMs }, { work });
    return;
  }
  const failure = end.outcome.kind === "failed" ? end.outcome.code : null;
  record({ type: "turn.finished", workId: work.id, failure, model: end.model, durationMs }, { work });
}
