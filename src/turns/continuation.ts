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

/** What the person wrote, of a prompt that may be a continuation. */
export function requestIn(text: string): string {
  const begin = [BEGIN, GO_ON].find((words) => text.startsWith(words));
  return begin === undefined ? text : text.slice(begin.length);
}
