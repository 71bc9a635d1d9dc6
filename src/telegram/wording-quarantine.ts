import { textOfPath } from "../domain/finding.ts";
import type { Quarantined, QuarantineState } from "../domain/quarantine.ts";
import { escapeInvisible, shorten } from "../security/visible.ts";

const MAX_PATH = 150;

const STATES: Readonly<Record<QuarantineState, string>> = {
  moving: "",
  held: "",
  accepting: " — accepted: it comes back as soon as nothing runs in the project",
  accepted: " — ✅ accepted, and back in its place",
  dropped: " — left out",
};

/** Labels of the keys under what was taken out. */
export const QUARANTINE_LABELS = { accept: "Accept", drop: "Leave it out" } as const;

/** Labels for all that one message tells of. */
export function allLabels(count: number): { readonly accept: string; readonly drop: string } {
  return { accept: `Accept all ${count}`, drop: `Leave all ${count} out` };
}

/** A path as a person may read it: nothing hidden in it, not too long. */
function pathText(path: string): string {
  return shorten(escapeInvisible(textOfPath(path)), MAX_PATH);
}

/** What was taken out of a project, a line each, and what happens to it. */
export function quarantineText(
  project: string,
  { items, keepDays, hasKeys }: { items: readonly Quarantined[]; keepDays: number; hasKeys: boolean },
): string {
  const lines = items.map(
    (item, index) => `${index + 1}. ${pathText(item.path)}: ${meaningOf(item)}${STATES[item.state]}`,
  );
  const isOpen = items.some(({ state }) => state === "held");
  return [
    `⚠️ This was made in ${project}, and programs of yours would obey it. I took it out:`,
    lines.join("\n"),
    isOpen
      ? `Claude finds it gone until an owner accepts it${hasKeys ? "" : ", which an owner has to do in a chat of his own with me"}. What is not accepted is deleted after ${keepDays} days.`
      : "",
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** What an owner accepted has no place to go back to. */
export function notReturnedText(path: string): string {
  return `${pathText(path)} could not be put back: something else is in its place, or its folder is gone. Make room for it and accept it once more.`;
}

/** A project could not be looked through. */
export function unseenText(project: string, reason: string): string {
  return `⚠️ I could not see whether this turn left something in ${project} that git or your editor would obey: ${shorten(escapeInvisible(reason), 300)}\n\nLook at it before you run git or open it there.`;
}

function meaningOf({ kind, path }: Quarantined): string {
  switch (kind) {
    case "repository":
      return path === "HEAD" || path.endsWith("/HEAD")
        ? "makes its folder a repository; git obeys commands that stand in its config"
        : "a repository; git obeys commands that stand in its config";
    case "link":
      return "leads git to a repository of the turn's choice, whose commands it obeys";
    case "settings":
      return path.endsWith(".gitmodules")
        ? "tells git which repositories to fetch"
        : "settings; editors, Claude Code or git hooks may run what stands in them";
  }
}
