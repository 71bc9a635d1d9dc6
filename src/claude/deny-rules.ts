import { isCovered, SECRET_FILES } from "../domain/secret-files.ts";

/**
 * Files that run or decide something later, outside the jail or at the CLI's next start (H22, H31): not to be written, at any
 * depth. A change of `.gitmodules` runs nothing by itself and shows in the diff, so it is not among them.
 */
const PROTECTED_PATHS = [
  ".git/config",
  ".git/config.worktree",
  ".git/commondir",
  ".git/hooks/**",
  ".git/modules/**",
  ".claude/**",
  ".mcp.json",
  ".vscode/**",
  ".idea/**",
  ".husky/**",
] as const;

const ENVIRONMENTS: readonly string[] = [
  ".env",
  ".envrc",
  ".env.local",
  ".env.*.local",
  ".env.dev",
  ".env.development",
  ".env.test",
  ".env.staging",
  ".env.prod",
  ".env.production",
];

/**
 * The CLI's deny rules, for the list of secret files with the owner's additions and for the protected paths; relative to the
 * project, at any depth. An `Edit` rule holds for every tool that writes. They also stop plainly written commands (`cat .env`);
 * what a shell or a program finds by itself (`cat .e*v`) only the jail's masks stop. The CLI drops a rule that it does not
 * understand without a word, so what it took is compared with this list after every start.
 *
 * A rule cannot except a file, so one that covers an exposed file (absolute paths) is left out: the hook and the masks, which
 * know files one by one, still keep the others of that name.
 */
export function denyRules(
  additions: readonly string[] = [],
  exposed: readonly string[] = [],
): readonly string[] {
  const secrets = [...SECRET_FILES, ...additions]
    .flatMap(withoutTemplates)
    .filter((pattern) => !exposed.some((path) => isCovered(path, pattern)));
  return [
    ...secrets.flatMap((pattern) => [`Read(**/${pattern})`, `Edit(**/${pattern})`]),
    ...PROTECTED_PATHS.map((path) => `Edit(**/${path})`),
  ];
}

/** Rules know no exceptions: in place of a pattern that covers a template stand the usual names. The hook knows them all. */
function withoutTemplates(pattern: string): readonly string[] {
  return pattern === ".env*" ? ENVIRONMENTS : [pattern];
}
