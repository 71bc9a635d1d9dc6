import { whenText } from "./wording-time.ts";

/** What people read about a bot that is locked. */
export const LOCK_WORDS = {
  waitsForUnlock:
    "Kept: an owner has locked the bot. Once that is undone at the machine it runs, or is offered if it is old by then.",
  isForOwners: "Only an owner may lock the bot. Nothing was locked.",
  endedHere:
    "🔒 An owner has locked the bot. What ran here was ended; what waits here is kept until it is unlocked.",
  unlocked: "🔓 Unlocked at the machine. What was kept goes on; what has become old meanwhile is offered.",
} as const;

/** Somebody wants work done while the bot is locked. */
export function lockedText(since: number): string {
  return `Locked by an owner ${whenText(since)}: \`sallyport unlock\` at the machine opens it.`;
}

/** What a lock did, to the owner who set it; and to the others, with `by`. */
export function lockDoneText(endedTurns: number, waiting: number, by: string | null): string {
  const begin = by === null ? "🔒 Locked." : `🔒 ${by} has locked the bot.`;
  const ended = endedTurns === 1 ? "1 turn was ended" : `${endedTurns} turns were ended`;
  const kept = waiting === 1 ? "1 waiting message is kept" : `${waiting} waiting messages are kept`;
  return `${begin} ${ended}, ${kept}. \`sallyport unlock\` at the machine opens it.`;
}
