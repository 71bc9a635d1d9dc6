import type { Work } from "../domain/work.ts";

const BEGIN =
  "The turn before this one was cut off by a restart of the bot before it ended, so its last tool call may or may not have taken effect. Look at what is there, then go on with the request:\n\n";

/** The prompt by which a turn that was cut off goes on in its session. That of a continuation is the same once more. */
export function continuationOf(text: string): string {
  return BEGIN + requestIn(text);
}

const GO_ON =
  "The turn before this one was ended in the middle of its work, because it had reached what one request may cost, so its last tool call may or may not have taken effect. More was allowed now. Look at what is there, then go on with the request:\n\n";

/** The prompt by which a turn goes on that was ended at what one request may cost. */
export function goOnOf(text: string): string {
  return GO_ON + requestIn(text);
}

const ANEW =
  "This request was begun before, in a session that is not this one, and was ended or cut off there in the middle of its work, so a part of it may be done already. Look at what is there, then go on with the request:\n\n";

/** The prompt of a work that begins in that session: a continuation speaks of no turn that was in another one. */
export function promptIn(sessionId: string, work: Pick<Work, "sessionId" | "text">): string {
  const isContinuation = [BEGIN, GO_ON].some((words) => work.text.startsWith(words));
  return isContinuation && work.sessionId !== sessionId ? ANEW + requestIn(work.text) : work.text;
}

/** What the person wrote, of a prompt that may be a continuation. */
export function requestIn(text: string): string {
  const begin = [BEGIN, GO_ON, ANEW].find((words) => text.startsWith(words));
  return begin === undefined ? text : text.slice(begin.length);
}
