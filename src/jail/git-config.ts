/** What a git config takes from other places. Values as written, quotes and escapes resolved, `~` not. */
export interface GitConfigPaths {
  readonly hooksPaths: readonly string[];
  readonly includes: readonly string[];
  /** What git runs, by itself or when it is used: fsmonitor, filters, drivers, helpers, aliases. */
  readonly commands: readonly string[];
}

const VARIABLE = /^\s*([a-z][a-z0-9-]*)\s*=\s*(.*)$/is;
const SECTION = /^\s*\[\s*([a-z0-9.-]+)\s*(?:"(?:[^"\\]|\\.)*")?\s*\]/i;

/** Section and key, without the subsection between them, of each variable of git-config(1) whose value is a program. */
const COMMAND =
  /^(core\.(fsmonitor|sshcommand|editor|pager|askpass|gitproxy)|sequence\.editor|diff\.(external|textconv|command)|filter\.(clean|smudge|process)|merge\.driver|(diff|merge)tool\.(cmd|path)|credential\.helper|gpg\.program|interactive\.difffilter|trailer\.(command|cmd)|submodule\.update|remote\.(uploadpack|receivepack)|(alias|pager|browser|man)\..*)$/;
/** What parts a command into words to a shell, as far as a path can be told by it. */
const BETWEEN_WORDS = /[\s"'`;|&()<>$={}!]+/;

/** The words of a command, any of which may be a path. */
export function wordsOf(command: string): readonly string[] {
  return command.split(BETWEEN_WORDS).filter(Boolean);
}

/**
 * Reads `core.hooksPath`, every program and every `include.path` and `includeIf.*.path` out of a git config (git-config(1), Syntax).
 * Conditions are not weighed: an include that may count counts. Never throws.
 */
export function gitConfigPaths(text: string): GitConfigPaths {
  const hooksPaths: string[] = [];
  const includes: string[] = [];
  const commands: string[] = [];
  let section = "";
  for (const line of logicalLines(text)) {
    const header = SECTION.exec(line);
    section = header?.[1]?.toLowerCase() ?? section;
    const variable = VARIABLE.exec(header ? line.slice(header[0].length) : line);
    const key = variable?.[1]?.toLowerCase();
    if (key === undefined) continue;
    if (section === "core" && key === "hookspath") hooksPaths.push(unquoted(variable?.[2] ?? ""));
    if (COMMAND.test(`${section.split(".", 1)[0]}.${key}`)) commands.push(unquoted(variable?.[2] ?? ""));
    if (key === "path" && /^include(if)?(\.|$)/.test(section)) includes.push(unquoted(variable?.[2] ?? ""));
  }
  return {
    hooksPaths: hooksPaths.filter(Boolean),
    includes: includes.filter(Boolean),
    commands: commands.filter(Boolean),
  };
}

/** A continued line, an escape, a quoted piece, a line's end, a comment, or any other sign. */
const PIECES = /\\\r?\n|\\.|"(?:\\.|[^"\\\n])*"?|\r?\n|[#;][^\n]*|./gs;

/** The lines without comments; a backslash at the end of one carries it on, but not in a comment. */
function logicalLines(text: string): readonly string[] {
  const lines = [""];
  for (const [piece] of text.replace(/^\uFEFF/, "").matchAll(PIECES)) {
    if (piece === "\n" || piece === "\r\n") lines.push("");
    else if (!/^[#;]/.test(piece)) lines.push((lines.pop() ?? "") + piece.replace(/\\\r?\n/g, ""));
  }
  return lines;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", b: "\b" };

/** A value without its quotes and its outer blanks. */
function unquoted(raw: string): string {
  let value = "";
  let keptLength = 0;
  let isQuoted = false;
  for (const [piece] of raw.matchAll(/\\.|./gs)) {
    if (piece === '"') {
      isQuoted = !isQuoted;
      continue;
    }
    const isEscape = piece.length > 1;
    value += isEscape ? (ESCAPES[piece.charAt(1)] ?? piece.charAt(1)) : piece;
    if (isEscape || isQuoted || !/\s/.test(piece)) keptLength = value.length;
  }
  return value.slice(0, keptLength);
}
