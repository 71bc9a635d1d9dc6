import type { Work } from "../domain/work.ts";
import { redactShapes } from "../log/redact.ts";
import { shorten } from "../security/visible.ts";
import { requestIn } from "../turns/continuation.ts";
import type { CutOff } from "../turns/presenter.ts";
import { agoText } from "./wording-time.ts";

/** How many of a list are named; of the others, how many there are. */
const MAX_NAMED = 5;
const MAX_QUOTE = 80;

/** A prompt by its first line, shortened, in quotes. */
export function quoteText(text: string): string {
  const [line = ""] = requestIn(text).trim().split("\n");
  return `“${shorten(redactShapes(line.trim()), MAX_QUOTE)}”`;
}

/** The first works of a list, a line each, and how many more there are. */
export function workLines(works: readonly Work[]): string {
  return listOf(works.map(({ text }) => quoteText(text)));
}

/** A restart cut the work off: what it was, what was allowed in it, what waits. */
export function interruptedText({ text }: Work, { allowed, waiting }: CutOff): string {
  const parts = [
    `A restart of the bot cut this off before it ended: ${quoteText(text)}`,
    allowed.length === 0 ? "" : `Allowed in it:\n${listOf(allowed)}`,
    "What was done so far is done; nothing was run again. What now?",
    waiting.length === 0 ? "" : `Behind it wait:\n${workLines(waiting)}`,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** A message came while the queue waits for an answer. */
export function heldText({ text }: Work): string {
  return `Kept: it waits until you have said what shall happen to ${quoteText(text)}, which was cut off. /status asks again, /stop drops that one.`;
}

/** A message was sent while nobody was there to run it. */
export function lateText({ text }: Work, ageMs: number): string {
  return `You sent this ${agoText(ageMs)}, while I could not run it: ${quoteText(text)}\n\nIt has not run. Shall it?`;
}

/** Labels for all of several offers at once. */
export function allLabels(count: number): { readonly run: string; readonly drop: string } {
  return { run: `Run all ${count}`, drop: `Drop all ${count}` };
}

/** A command came so late that it might hit what it was not meant for. */
export function lateCommandText(name: string, ageMs: number): string {
  return `You sent /${name} ${agoText(ageMs)}, while I could not run it. That is too long ago, so it was not carried out: send it again if you still want it.`;
}

function listOf(lines: readonly string[]): string {
  const rest = lines.length - MAX_NAMED;
  const named = lines.slice(0, MAX_NAMED).map((line) => `· ${line}`);
  return [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n");
}
