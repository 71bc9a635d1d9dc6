import { type OutboxDraft, PRIORITY } from "../domain/outbox.ts";
import { plain } from "./render/rich-text.ts";
import { WORDS } from "./wording.ts";

/** A line of the sender's own about what it has to do. */
export function noteOf(conversation: OutboxDraft["conversation"], text: string): OutboxDraft {
  const body = { ...plain(text), buttons: [] };
  return {
    conversation,
    act: { kind: "send", body, replyTo: null, isSilent: true },
    priority: PRIORITY.notice,
    finalOf: null,
  };
}

/** The small message that an answer becomes an edit of: when it comes twice, or not at all, little is lost. */
export function aheadOf(conversation: OutboxDraft["conversation"]): OutboxDraft {
  const body = { ...plain(WORDS.answerFollows), buttons: [] };
  return {
    conversation,
    act: { kind: "send", body, replyTo: null, isSilent: true, isProgress: true },
    priority: PRIORITY.final,
    finalOf: null,
  };
}
