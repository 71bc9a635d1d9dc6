import type { StoreTrouble } from "../store/fault.ts";
import { momentText, zone } from "./wording-time.ts";

const CAUSES: Readonly<Record<StoreTrouble["kind"], string>> = {
  full: "the disk of my home folder was full",
  locked: "another program kept my database locked",
  read_only: "my database could not be written by me",
  broken: "my database was damaged",
  io: "the disk of my home folder did not take my database",
};

/** For owners, when it is over: from when to when nothing could be put on record, and what that means. */
export function storeTroubleText(
  kind: StoreTrouble["kind"],
  { since, until }: { readonly since: number; readonly until: number },
): string {
  const when = `From ${momentText(since)} to ${momentText(until)} (${zone()})`;
  return `${when} I could put nothing on record, because ${CAUSES[kind]}. So nothing was done meanwhile: tool calls of Claude's were denied, and what you sent or pressed has waited until now.`;
}

/** For owners: the machine's clock has jumped by so many days. */
export function clockJumpedText(days: number): string {
  const way = days > 0 ? "forward" : "back";
  return `This machine's clock has jumped ${way} by ${Math.abs(days)} days, or I was off for that long. Until it has kept to the new time for a day I forget nothing by it. If it is wrong, set it right.`;
}
