import type { AccessFault } from "../security/access.ts";
import { escapeInvisible } from "../security/visible.ts";

const LACKS: Readonly<Record<AccessFault["lacks"], string>> = {
  read: "I may not list it",
  enter: "I may not enter it",
  write: "I may not write in it",
  owner: "it belongs to another user, so that git refuses to work there",
};

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
