import type { AccessFault } from "../security/access.ts";
import { escapeInvisible, quote } from "../security/visible.ts";
import { WORDS } from "./wording.ts";

const LACKS: Readonly<Record<AccessFault["lacks"], string>> = {
  read: "I may not list it",
  enter: "I may not enter it",
  write: "I may not write in it",
  owner: "it belongs to another user, so that git refuses to work there",
};

/** How many folders are named of those that are left out. */
const MAX_NAMED = 3;

/** What a project lacks, with the lines that mend it. */
export function accessText(project: string, faults: readonly AccessFault[]): string {
  const lacks = faults.map((fault) => LACKS[fault.lacks]).join("; ");
  const mends = [...new Set(faults.map(({ mend }) => escapeInvisible(mend)))].join("\n");
  return `${escapeInvisible(project)}: ${lacks}. At the machine:\n${mends}`;
}

/** The approved directory cannot be read just now, and what mends that. */
export function unreadableText(mend: string): string {
  return `I cannot read the approved directory just now. At the machine: ${escapeInvisible(mend)}`;
}

/** Folders that their names keep from being projects; null for none. */
export function misnamedText(names: readonly string[]): string | null {
  if (names.length === 0) return null;
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
  const list = names.slice(0, MAX_NAMED).map(quote).join(", ");
  return `Not offered, since the name of a project may have none of ~ $ \` ; | && and no control characters: ${list}${more}. Rename what shall be one.`;
}

/** There is nothing to choose from. */
export function noProjectsText(misnamed: readonly string[]): string {
  return misnamedText(misnamed) ?? WORDS.noProjects;
}
