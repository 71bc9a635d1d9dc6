const BEGIN =
  "The turn before this one was cut off by a restart of the bot before it ended, so its last tool call may or may not have taken effect. Look at what is there, then go on with the request:\n\n";

/** The prompt by which a turn that was cut off goes on in its session. That of a continuation is the same once more. */
export function continuationOf(text: string): string {
  return BEGIN + requestIn(text);
}

/** What the person wrote, of a prompt that may be a continuation. */
export function requestIn(text: string): string {
  return text.startsWith(BEGIN) ? text.slice(BEGIN.length) : text;
}
