import type { FileReason } from "../domain/attachment.ts";
import type { JailLossEvent } from "../domain/claude-event.ts";
import type { Quarantined, QuarantineNotice } from "../domain/quarantine.ts";
import type { TurnEvent, TurnReport } from "../domain/turn-event.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { Work } from "../domain/work.ts";
import type { AccessFault } from "../security/access.ts";
import type { Approval } from "../store/approvals.ts";
import type { Question } from "./questions.ts";

/** What stands between a work and its turn, told when it is accepted. */
export interface QueuePlace {
  /** Works that run or wait before it. */
  readonly ahead: number;
  /** The interrupted work for whose answer the queue waits; null when it does not. */
  readonly heldBy: Work | null;
  /** The bot is locked: nothing begins. */
  readonly isLocked: boolean;
}

/** What a person is told of a work that was cut off, beside its own text. */
export interface CutOff {
  /** A redacted line for each tool call that was allowed in it. */
  readonly allowed: readonly string[];
  /** What waits for the answer, in its order. */
  readonly waiting: readonly Work[];
}

/** What a person is told with the offer of a work that was sent too long ago. */
export interface LateOffer {
  /** How long ago it was sent. */
  readonly ageMs: number;
  /** All that are offered in the conversation, when this is the last of several: it bears the keys for all of them. */
  readonly all: readonly Work[];
}

/** One question of the model as it is to be shown: its place among the others and what was ticked so far. */
export interface QuestionView {
  readonly question: Question;
  readonly index: number;
  readonly count: number;
  readonly chosen: readonly string[];
}

/** How an approval ended. */
export type ApprovalEnd = "allowed" | "denied" | "expired" | "withdrawn" | "unshown" | "answered";

/** The screen of one turn. */
export interface TurnScreen {
  /** Shows progress as far as limits allow; may skip. Never throws. */
  readonly show: (event: TurnEvent) => void;
  /** Called inside the transaction that ends the turn: only writes. */
  readonly finish: (report: TurnReport) => void;
}

/** How `turns/` is seen. Every method but `show` is called inside a transaction and only writes. */
export interface Presenter {
  /** Puts up the message that will show progress and returns its outbox id. */
  readonly accepted: (work: Work, place: QueuePlace) => number;
  /** All that is left of the budget is reserved by turns that run: the work waits for one of them. */
  readonly waitsForMoney: (work: Work) => void;
  readonly open: (work: Work) => TurnScreen;
  /** Shows the whole tool call with its buttons; returns the outbox id of the message that bears them. */
  readonly askTool: (work: Work, approval: Approval) => number;
  /** Shows a question, or shows it anew (`approval.outboxId`) when options were ticked. */
  readonly askQuestion: (work: Work, approval: Approval, view: QuestionView) => number;
  readonly settled: (work: Work, approval: Approval, end: ApprovalEnd) => void;
  /** Says that a restart cut the work off and offers what to do. */
  readonly interrupted: (work: Work, cutOff: CutOff) => void;
  /** Offers the same once more, below; the earlier offers stay good until one is taken. */
  readonly askAgain: (work: Work, cutOff: CutOff) => void;
  /** Ends the message of a queued work that is about to be offered. */
  readonly setAside: (work: Work) => void;
  /** Offers a work that was sent too long ago, or shows its offer (`work.placeholderId`) anew; returns the outbox id. */
  readonly offer: (work: Work, offer: LateOffer) => number;
  /** The offer was answered: says so and takes its keys away. */
  readonly offerTaken: (work: Work, choice: "run" | "drop") => void;
  /** Shows the whole text of a work. */
  readonly recall: (work: Work) => void;
  /** Something in the work's jail asked for a model that nobody chose: tells the owners. */
  readonly modelRefused: (work: Work, model: string) => void;
  /** A jail was killed, in the work's turn or after it, and why: a message of its own, which no answer replaces. */
  readonly jailLost: (work: Work, loss: JailLossEvent) => void;
  /** The project may not be written, or is another user's: a message of its own, with what mends it. */
  readonly accessLimited: (work: Work, faults: readonly AccessFault[]) => void;
  /** A file of the work was not taken, and why: a message of its own. `path` is of an archive's entry, as its maker named it. */
  readonly fileRefused: (
    work: Work,
    file: { readonly name: string; readonly reason: FileReason; readonly path: string | null },
  ) => void;
  /** The bot was unlocked at the machine: tells the owners. */
  readonly unlocked: () => void;
  /**
   * Tells of things that were taken out of a project, or shows that anew where it was told (`items[0].notices`): how each
   * stands, with keys for owners while one waits. Gives where it is told. `work` is the one that ran there last.
   */
  readonly quarantined: (work: Work | null, items: readonly Quarantined[]) => readonly QuarantineNotice[];
  /** What was accepted could not be put back, since its place is taken. */
  readonly notReturned: (item: Quarantined) => void;
  /** The project could not be looked through, or what was found not be moved: it may still be there. */
  readonly unseen: (work: Work | null, reason: string) => void;
  /** Ends the message of a work that will not run. */
  readonly dropped: (work: Work) => void;
  /** The budget was spent when the work's turn came. */
  readonly unpaid: (work: Work, verdict: Extract<Verdict, { kind: "spent" }>) => void;
}
