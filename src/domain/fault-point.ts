/**
 * What can happen to a row for good, by table. Every write of `store/` names the transition that it makes, so that tests can
 * end the daemon right before and right after each of them has been committed.
 */
export const TRANSITIONS = [
  "inbox.stored",
  "inbox.resumed",
  "inbox.done",
  "inbox.dead",
  "work.queued",
  "work.offered",
  "work.preparing",
  "work.running",
  "work.waiting",
  "work.delivering",
  "work.done",
  "work.failed",
  "work.stopped",
  "work.interrupted",
  "work.dropped",
  "work.edited",
  "work.placed",
  "work.stop_requested",
  "work.assigned",
  "work.moved",
  "approval.asked",
  "approval.shown",
  "approval.answered",
  "approval.allowed",
  "approval.denied",
  "approval.expired",
  "approval.withdrawn",
  "button.offered",
  "button.used",
  "outbox.queued",
  "outbox.folded",
  "outbox.sending",
  "outbox.sent",
  "outbox.again",
  "outbox.doubtful",
  "outbox.unsure",
  "outbox.failed",
  "outbox.dropped",
  "chat.paused",
  "chat.parked",
  "chat.served",
  "cost.metered",
  "cost.settled",
  "audit.appended",
  "audit.given_up",
  "conversation.made",
  "conversation.project",
  "conversation.held",
  "conversation.released",
  "conversation.gone",
  "session.begun",
  "session.resumable",
  "session.ended",
  "bucket.saved",
  "fact.set",
  "row.expired",
] as const;
export type Transition = (typeof TRANSITIONS)[number];

/** Just before the commit that makes a transition last, or just after it, before anything else is done. */
export type FaultPoint = `${Transition}:${"before" | "after"}`;

/** Told of each fault point as the program comes to it. The daemon's own does nothing. */
export type Reach = (point: FaultPoint) => void;
