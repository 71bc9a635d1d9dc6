import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import type { Judge } from "../../src/claude/judge.ts";
import type { ClaudeTurn } from "../../src/claude/types.ts";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import type { JailRequest } from "../../src/jail/jail.ts";
import type { FindAccessFaults } from "../../src/security/access.ts";
import type { PathJail } from "../../src/security/paths.ts";
import type { ProjectGit } from "../../src/turns/git-policy.ts";

const SRC = resolve(import.meta.dirname, "../../src");

/** What takes a project: Claude, its policy, the jail, git, files. The type checker of `npm run check` judges these lines. */
function nothingTakesAnUncheckedPath(
  { session }: ClaudeTurn,
  { project }: JailRequest,
  call: { judge: Judge; git: ProjectGit; open: PathJail["open"]; faults: FindAccessFaults },
): void {
  const path: string = session.project;
  const approved: ApprovedPath = session.project;
  // @ts-expect-error a text is no approved path
  const claude: ClaudeTurn["session"] = { ...session, project: path };
  // @ts-expect-error a text is no approved path
  const jail: Pick<JailRequest, "project"> = { project: path };
  // @ts-expect-error a text is no approved path
  void call.git.remotes(path);
  // @ts-expect-error a text is no approved path
  void call.open(path);
  // @ts-expect-error a text is no approved path
  void call.faults(path);
  // @ts-expect-error a text is no approved path
  call.judge({} as never, path);
  void [claude, jail, project, call.open(approved)];
}

test("a path is approved in one place, and the self-test's own project in another; nowhere by a mere word", () => {
  const makers = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .filter((file) => /(?:as|is) ApprovedPath\b/.test(readFileSync(join(SRC, file), "utf8")));
  expect(nothingTakesAnUncheckedPath).toBeTypeOf("function");
  expect(makers.toSorted()).toEqual(["jail/proof/arena.ts", "security/paths.ts"]);
  for (const file of makers) expect(readFileSync(join(SRC, file), "utf8")).not.toMatch(/as ApprovedPath\b/);
});
