/** A variable of a git config as git itself tells it: section and name in lower case, the subsection between them as written. */
export interface ConfigVariable {
  readonly key: string;
  readonly value: string;
}

/** What a git config takes from other places. `~` is not resolved. */
export interface GitConfigPaths {
  readonly hooksPaths: readonly string[];
  readonly includes: readonly string[];
  /** What git runs, by itself or when it is used: fsmonitor, filters, drivers, helpers, aliases. */
  readonly commands: readonly string[];
}

/** Section and name, without the subsection between them, of each variable of git-config(1) whose value is a program. */
const COMMAND =
  /^(core\.(fsmonitor|sshcommand|editor|pager|askpass|gitproxy|alternaterefscommand)|sequence\.editor|diff\.(external|textconv|command)|filter\.(clean|smudge|process)|merge\.driver|(diff|merge)tool\.(cmd|path)|credential\.helper|gpg\.(program|defaultkeycommand)|tar\.command|guitool\.cmd|hook\.command|sendemail\..*cmd|imap\.tunnel|instaweb\.httpd|remote\.vcs|interactive\.difffilter|trailer\.(command|cmd)|submodule\.update|remote\.(uploadpack|receivepack)|(alias|pager|browser|man)\..*)$/;
/** What parts a command into words to a shell, as far as a path can be told by it. */
const BETWEEN_WORDS = /[\s"'`;|&()<>$={}!]+/;

/** The words of a command, any of which may be a path. */
export function wordsOf(command: string): readonly string[] {
  return command.split(BETWEEN_WORDS).filter(Boolean);
}

/**
 * `core.hooksPath`, every program and every `include.path` and `includeIf.*.path` among the variables of a config. Conditions are
 * not weighed: an include that may count counts.
 */
export function gitConfigPaths(variables: readonly ConfigVariable[]): GitConfigPaths {
  const valuesOf = (isMeant: (name: string) => boolean): readonly string[] =>
    variables.filter(({ key, value }) => value !== "" && isMeant(nameOf(key))).map(({ value }) => value);
  return {
    hooksPaths: valuesOf((name) => name === "core.hookspath"),
    includes: valuesOf((name) => name === "include.path" || name === "includeif.path"),
    commands: valuesOf((name) => COMMAND.test(name)),
  };
}

/** Section and name; a subsection may hold dots. */
function nameOf(key: string): string {
  return `${key.slice(0, key.indexOf("."))}.${key.slice(key.lastIndexOf(".") + 1)}`;
}
