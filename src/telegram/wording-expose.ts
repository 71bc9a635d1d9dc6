import { escapeInvisible } from "./render/invisible.ts";

/** Answers to /expose. */
export const EXPOSE_WORDS = {
  noProject: "Choose a project first: /repo.",
  ownersOnly: "Only owners may show a file that may hold secrets.",
  missing: "There is no such file in this project. Send its path below it, such as /expose config/.env.test",
  tooMany: "So many files of this project are shown that no more may be: hide one first.",
} as const;

/** Which files of a project are shown. */
export function exposedText(project: string, paths: readonly string[]): string {
  const name = escapeInvisible(project);
  const how = "Owners show one with /expose and its path below the project.";
  if (paths.length === 0) return `Files that may hold secrets read as empty in ${name}. ${how}`;
  const list = paths.map((path) => `• ${escapeInvisible(path)}`).join("\n");
  return `Shown to Claude in ${name}, though they may hold secrets:\n${list}\n${how}`;
}

/** The file is shown from now on. */
export function shownText(path: string): string {
  return `${escapeInvisible(path)} is shown to Claude from the next turn on, whoever works in this project: what it holds may reach the model and every host that is allowed. /expose lists what is shown, and hides it again.`;
}

/** It was shown before. */
export function shownBeforeText(path: string): string {
  return `${escapeInvisible(path)} is shown already.`;
}

/** It is not on the list of secrets. */
export function plainText(path: string): string {
  return `${escapeInvisible(path)} is not hidden: by its name it holds no secret.`;
}

/** The file is hidden again. */
export function hiddenText(path: string): string {
  return `${escapeInvisible(path)} is hidden again. A turn that runs just now sees it until it ends.`;
}

/** The key that hides a file again. */
export function hideLabel(path: string): string {
  return `Hide ${escapeInvisible(path)}`;
}
