import type { Conversation } from "../domain/work.ts";
import type { Spending } from "../security/limit-cost.ts";
import type { LockState } from "../security/lock.ts";
import type { TurnStatus } from "../turns/turns.ts";
import type { RichText } from "./render/entity.ts";
import { bold, joinRich } from "./render/rich-text.ts";
import { lockedText } from "./wording-lock.ts";
import { spendingText } from "./wording-money.ts";
import { quoteText, workLines } from "./wording-recovery.ts";
import { durationText } from "./wording-time.ts";

const STATES: Readonly<Partial<Record<string, string>>> = {
  preparing: "starting",
  running: "running",
  waiting: "waiting for your answer",
};

const MODES = {
  jail: "jail: edits and commands run unasked inside the sandbox; every way out of it is asked",
  ask: "ask: what changes anything is asked",
  plan: "plan",
} as const;

/** What /status tells. */
export interface StatusFacts extends TurnStatus {
  readonly conversation: Conversation;
  readonly spending: Spending;
  /** Null when the bot is open for work. */
  readonly lock: LockState | null;
  readonly mode: keyof typeof MODES;
  readonly now: number;
}

/** The state of a conversation in a few lines. */
export function statusText(facts: StatusFacts): RichText {
  const { conversation, active, queued, heldBy, offered } = facts;
  const lines: [string, string][] = [
    ...(facts.lock ? [["🔒", lockedText(facts.lock.since)] satisfies [string, string]] : []),
    ["Project", conversation.project ?? "none chosen: /repo"],
    [
      "Turn",
      active
        ? `${STATES[active.state] ?? active.state} for ${durationText(facts.now - (active.startedAt ?? facts.now))}`
        : "nothing runs",
    ],
    ["Queue", queued.length === 0 ? "empty" : `${queued.length} waiting`],
    ["Spent", spendingText(facts.spending)],
    ["Mode", MODES[facts.mode]],
  ];
  if (heldBy)
    lines.push(["Held", `${quoteText(heldBy.text)} was cut off: say below what shall happen to it`]);
  if (offered.length > 0)
    lines.push(["Kept", `${offered.length} sent too long ago to run unasked: see below`]);
  const waiting = queued.length === 0 ? [] : ["\n\n", bold("Waiting:"), `\n${workLines(queued)}`];
  return joinRich(
    ...lines.flatMap(([label, text], index) => [index === 0 ? "" : "\n", bold(`${label}: `), text]),
    ...waiting,
  );
}

/** A project was chosen. */
export function projectText(project: string): RichText {
  return joinRich("Working in ", bold(project), ".");
}
