import { isAbsolute, relative } from "node:path";
import { isInside } from "./is-inside.ts";
import { escapeInvisible, shorten } from "./visible.ts";

/** How much of an input is looked at: a secret that begins in the summary is seen to its end, or far enough. */
const LOOKED_AT = 4_096;

interface SummaryOptions {
  /** The project's absolute path; files in it are named from there. */
  readonly projectPath: string;
  /** In UTF-16 units. */
  readonly maxLength: number;
  readonly redactText: (text: string) => string;
}

/** Where a tool's input says what it works on; what is a file is marked so. Tools that are not here show no value. */
const TARGET_OF: Readonly<Record<string, readonly string[]>> = {
  Bash: ["command"],
  Read: ["file_path"],
  Edit: ["file_path"],
  MultiEdit: ["file_path"],
  Write: ["file_path"],
  NotebookEdit: ["notebook_path"],
  Glob: ["pattern", "path"],
  Grep: ["pattern", "path"],
  WebFetch: ["url"],
  Agent: ["description"],
  Task: ["description"],
};

/** The fields above that hold paths. */
const PATH_FIELDS: ReadonlySet<string> = new Set(["file_path", "notebook_path", "path"]);

/**
 * One line that says what a tool call works on, for the screen and the audit: secrets are replaced, controls and
 * bidi characters written out, the rest cut with `…`. For tools that are not known, only the names of the input's
 * fields. It is no basis for an approval, which shows the whole input.
 */
export function summariseTool(
  name: string,
  input: Readonly<Record<string, unknown>>,
  { projectPath, maxLength, redactText }: SummaryOptions,
): string {
  const fields = Object.hasOwn(TARGET_OF, name) ? TARGET_OF[name] : undefined;
  const parts = fields?.flatMap((field) => {
    const value = input[field];
    if (typeof value !== "string" || value === "") return [];
    return [PATH_FIELDS.has(field) ? shortPath(value, projectPath) : firstLine(value, redactText)];
  });
  const line = parts ? parts.join(" in ") : `{${Object.keys(input).join(", ")}}`;
  return shorten(escapeInvisible(redactText(line.slice(0, LOOKED_AT + maxLength))), maxLength);
}

/** The first line that says something, and how many follow it, so that nobody takes it for the whole. */
function firstLine(text: string, redactText: SummaryOptions["redactText"]): string {
  const lines = redactText(text.slice(0, 4 * LOOKED_AT))
    .trim()
    .split(/\r\n?|[\n\v\f\u0085\u2028\u2029]/);
  const [first = "", ...rest] = lines;
  return rest.length === 0 ? first : `${shorten(first, LOOKED_AT)} (+${rest.length} lines)`;
}

function shortPath(path: string, projectPath: string): string {
  if (!isAbsolute(path) || !isInside(projectPath, path)) return path;
  return relative(projectPath, path) || ".";
}
