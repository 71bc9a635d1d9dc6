import { resolve } from "node:path";
import type { ApprovedPath } from "../domain/approved-path.ts";
import type { ToolAsk, ToolDenial } from "../domain/claude-event.ts";
import { foldPath } from "../domain/fold-path.ts";
import type { IsSecret } from "../domain/secret-files.ts";
import { isProtected } from "./protected-path.ts";

/** A tool call with what is known about where it is made. */
export interface ToolCall extends ToolAsk {
  /** Where relative paths begin, as the CLI says. */
  readonly cwd: string;
  /** The CLI's permission mode at the time of the call; anything may come. */
  readonly cliMode: string;
  /** A tool of an MCP server, whatever its name. */
  readonly isMcp: boolean;
}

/**
 * What our policy says of a call. `allow`: it runs unasked. `leave`: no opinion, so the CLI's own rules say whether a person is
 * asked. `ask`: a person is asked, whatever the CLI would do.
 */
export type Judgement =
  | { readonly kind: "allow" | "leave" | "ask" }
  | { readonly kind: "deny"; readonly cause: ToolDenial };

/** Judges a call. Pure, and quick: the CLI waits for it. */
export type Judge = (call: ToolCall, project: ApprovedPath) => Judgement;

interface JudgeDeps {
  readonly mode: "jail" | "ask" | "plan";
  readonly isSecret: IsSecret;
  /** Secret files that an owner has shown: absolute, spelled as on disk. */
  readonly exposed?: readonly string[];
  /** The folder of what the person sent; null for none. */
  readonly uploads?: string | null;
}

const ALLOW = { kind: "allow" } as const;
const LEAVE = { kind: "leave" } as const;
const ASK = { kind: "ask" } as const;

/** Tools that read or write files, with the fields that may name one; the first is required of those that take one file. */
const READERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["Read", ["file_path"]],
  ["Glob", ["path", "pattern"]],
  ["Grep", ["path", "glob"]],
]);
const WRITERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["Edit", ["file_path"]],
  ["MultiEdit", ["file_path"]],
  ["Write", ["file_path"]],
  ["NotebookEdit", ["notebook_path"]],
]);

/** Tools that ask a person by what they are. */
const QUESTIONS: ReadonlySet<string> = new Set(["AskUserQuestion", "EnterPlanMode", "ExitPlanMode"]);
/** Tools whose reach is that of the jail. The text of a command is never judged (H03). */
const JAILED: ReadonlySet<string> = new Set(["Bash", "Agent", "Task"]);

/**
 * The policy round every tool call. Secret names and protected paths are denied to the file tools in every mode. In mode
 * `jail` reading, edits in the project, commands and subagents are allowed; a file outside the project is written only when a
 * person says so. Reading outside is left to the jail, in which nothing is but the system's own folders. In the other modes,
 * and while the CLI plans, the CLI's rules decide what is asked. What the person sent is read unasked and written by nobody, in
 * every mode. What is not known is asked (H02).
 */
export function createJudge({ mode, isSecret, exposed = [], uploads = null }: JudgeDeps): Judge {
  const isUpload = (path: string): boolean => uploads !== null && isBelow(path, uploads);

  return (call, project) => {
    const { toolName: name, cliMode } = call;
    if (name === "SandboxNetworkAccess") return deny("network");
    if (call.isMcp) return ASK;
    const isWriter = WRITERS.has(name);
    const fields = READERS.get(name) ?? WRITERS.get(name);
    const paths = fields ? pathsOf(call, fields) : [];
    if (paths === null) return deny("malformed");
    if (paths.some((path) => isSecretPath(path, project))) return deny("secret");
    if (isWriter && paths.some((path) => isProtected(foldPath(path)))) return deny("protected");
    if (isWriter && paths.some(isUpload)) return deny("uploads");

    const isPlanning = cliMode === "plan";
    if (!isPlanning && cliMode !== "default") return ASK;
    if (QUESTIONS.has(name)) return LEAVE;
    if (name === "Read" && paths.every(isUpload)) return ALLOW;
    if (READERS.has(name)) return mode === "jail" ? ALLOW : LEAVE;
    const inJail = mode === "jail" && !isPlanning ? ALLOW : LEAVE;
    if (JAILED.has(name)) return inJail;
    if (isWriter) return paths.every((path) => isBelow(path, project)) ? inJail : LEAVE;
    return ASK;
  };

  /** A file of that name, a folder of such files, or anything below; folders above the project do not count. */
  function isSecretPath(path: string, project: string): boolean {
    if (exposed.includes(path)) return false;
    if (isSecret(`${path}/x`) || isSecret(`${foldPath(path)}/x`)) return true;
    const above = isBelow(path, project) ? project.length : 0;
    for (let at = path; at.length > above; at = at.slice(0, at.lastIndexOf("/"))) {
      if (isSecret(at) || isSecret(foldPath(at))) return true;
    }
    return false;
  }
}

/**
 * The paths that a call names, absolute; null when they cannot be told. The CLI cuts white space off both ends and knows `~`.
 * A pattern with wildcards is taken by its letters: what it finds is for the rules and the masks.
 */
function pathsOf({ input, cwd }: ToolCall, fields: readonly string[]): readonly string[] | null {
  const values = fields.map((field) => input[field] ?? null);
  if (values.some((value) => value !== null && typeof value !== "string")) return null;
  if (fields.length === 1 && values[0] === null) return null;
  return values.flatMap((value) => {
    if (typeof value !== "string") return [];
    const path = value.trim();
    return [path === "~" || path.startsWith("~/") ? resolve("/", path) : resolve(cwd, path)];
  });
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function deny(cause: ToolDenial): Judgement {
  return { kind: "deny", cause };
}
