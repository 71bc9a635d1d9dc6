import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, relative, sep } from "node:path";
import { type Arena, SECRETS, SETTINGS, type Side } from "./arena.ts";
import type { Act, Answer } from "./probe.ts";

/** What an attempt is judged by, when all is over: what it answered, and what the same act answered without the jail. */
export interface Seen {
  readonly answer: Answer;
  readonly control: Answer;
  readonly side: Side;
}

/** One way out that the self-test tries. */
export interface Attempt {
  /** What would be lost, in words. */
  readonly name: string;
  readonly act: (side: Side) => Act;
  /** True when the act had its effect; looks at the disk where the answer could lie. */
  readonly isThrough: (seen: Seen) => boolean;
  /**
   * `always`: the control must succeed, else the attempt proves nothing. `where possible`: not every machine and user can
   * do it without a jail either, and then there is nothing to hold.
   */
  readonly control: "always" | "where possible";
  /** `held`: the jail must stop it. `done`: the jail must let it pass, which shows that the probe works in there. */
  readonly wanted: "held" | "done";
}

/** Text that an attempt writes where it should not. */
const MARK = "made by the self-test";
/** Folders in the home of the jail that are its own. */
const OWN_FOLDERS = [".claude", ".cache"];
/** Variables that a shell sets itself. */
const SHELL_VARIABLES = ["PWD", "OLDPWD", "SHLVL", "_"];

/** What is tried on every system. Acts on files are done in this order. */
export function commonAttempts(arena: Arena, sallyportHome: string): readonly Attempt[] {
  const { token, outside, canary } = arena;
  const isRead = ({ answer }: Seen): boolean => answer.isDone && answer.text.includes(token);
  const reads = (name: string, path: (side: Side) => string): Attempt =>
    must(name, (side) => ({ kind: "read", path: path(side) }), isRead);
  const writes = (name: string, path: (side: Side) => string): Attempt =>
    must(
      name,
      (side) => ({ kind: "write", path: path(side), text: MARK }),
      ({ side }) => isMarked(path(side)),
    );
  const made = (side: Side, kind: string): string => join(outside, `${kind}-${side.name}`);
  const inProject = (path: string) => (side: Side) => join(side.project, path);

  return [
    works(
      "read a file of the project",
      (side) => ({ kind: "read", path: inProject("ordinary.txt")(side) }),
      isRead,
    ),
    works(
      "write a file of the project",
      (side) => ({ kind: "write", path: inProject("new.txt")(side), text: MARK }),
      ({ side }) => isMarked(inProject("new.txt")(side)),
    ),
    reads("read a file outside the project", () => canary),
    reads("read outside through a link", inProject("link-to-file")),
    reads("read outside through a linked folder", inProject("link-to-folder/canary")),
    must(
      "read outside through a link made inside",
      (side) => ({ kind: "symlink", path: canary, at: inProject("made-link")(side) }),
      isRead,
    ),
    must(
      "list a folder outside the project",
      () => ({ kind: "list", path: outside }),
      ({ answer }) => answer.isDone && answer.text.includes("canary"),
    ),
    folder("list the daemon's own folder", sallyportHome, arena),
    folder("list the home folder of the daemon's user", homedir(), arena),
    can(
      "read the password hashes of the machine",
      () => ({ kind: "read", path: "/etc/shadow" }),
      ({ answer }) => answer.isDone && answer.text !== "",
    ),
    writes("make a file outside the project", (side) => made(side, "new")),
    writes("make a file outside through a linked folder", (side) =>
      join(side.project, "link-to-folder", `linked-${side.name}`),
    ),
    ...SECRETS.flatMap((path) => [
      reads(`read the secret ${path}`, inProject(path)),
      must(
        `read the secret ${path} through a hard link`,
        (side) => ({
          kind: "link",
          path: inProject(path)(side),
          at: inProject(`hard-${basename(path).slice(1)}`)(side),
        }),
        isRead,
      ),
    ]),
    ...SETTINGS.flatMap((path) => [
      writes(`write ${path}`, inProject(path)),
      must(
        `replace ${path}`,
        (side) => ({
          kind: "replace",
          path: inProject(path)(side),
          beside: inProject(`beside-${SETTINGS.indexOf(path)}`)(side),
          text: MARK,
        }),
        ({ side }) => isMarked(inProject(path)(side)),
      ),
    ]),
    writes("make a hook", inProject(".git/hooks/post-checkout")),
    writes("make .git/commondir", inProject(".git/commondir")),
    connects("reach a loopback port of the host", arena.port, token),
    connects("reach a socket outside the project", arena.socketFile, token),
    signals(),
    can("get the daemon's environment", () => ({ kind: "run", argv: ["/usr/bin/env"] }), isInherited),
    can(
      "open the daemon's terminal",
      () => ({ kind: "open", path: "/dev/tty" }),
      ({ answer }) => answer.isDone,
    ),
    ...[".git/hooks", ".git/config", ".claude", ".husky", ".git"].map((path) => moves(path)),
  ];
}

/** An attempt whose control must succeed everywhere. */
export function must(name: string, act: Attempt["act"], isThrough: Attempt["isThrough"]): Attempt {
  return { name, act, isThrough, control: "always", wanted: "held" };
}

/** An attempt that some machines and users cannot make without a jail either. */
export function can(name: string, act: Attempt["act"], isThrough: Attempt["isThrough"]): Attempt {
  return { name, act, isThrough, control: "where possible", wanted: "held" };
}

/** Something that the jail must let pass. */
function works(name: string, act: Attempt["act"], isThrough: Attempt["isThrough"]): Attempt {
  return { name, act, isThrough, control: "always", wanted: "done" };
}

/** A connection to a listener that answers with the token. */
export function connects(name: string, to: number | string, token: string): Attempt {
  return must(
    name,
    () => ({ kind: "connect", to }),
    ({ answer }) => answer.isDone && answer.text === token,
  );
}

/** Beside itself, since a move into another mount fails whatever is held. */
function moves(path: string): Attempt {
  return must(
    `move ${path} away`,
    ({ project }) => ({ kind: "move", path: join(project, path), to: join(project, `${path}-moved`) }),
    ({ answer }) => answer.isDone,
  );
}

/** Lists a folder that the way to the project leads through, perhaps: more in it than that way is too much. */
function folder(name: string, path: string, arena: Arena): Attempt {
  const [onTheWay = ""] = relative(path, arena.root).split(sep);
  return can(
    name,
    () => ({ kind: "list", path }),
    ({ answer }) => {
      if (!answer.isDone) return false;
      return answer.text
        .split("\n")
        .some((entry) => entry !== "" && entry !== onTheWay && !OWN_FOLDERS.includes(entry));
    },
  );
}

/** A process of the jail may have the daemon's number; /proc's line on it, with its start time, tells them apart. */
function signals(): Attempt {
  const identityOf = (line: string): string => line.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return must(
    "signal the daemon",
    () => ({ kind: "signal", pid: process.pid }),
    ({ answer, control }) =>
      answer.isDone &&
      control.isDone &&
      (answer.text === "" || identityOf(answer.text) === identityOf(control.text)),
  );
}

/** Anything that stands in the daemon's environment with the same value. */
function isInherited({ answer, control }: Seen): boolean {
  if (!answer.isDone || !control.isDone) return false;
  const own = control.text.split("\n").filter((line) => !SHELL_VARIABLES.includes(line.split("=")[0] ?? ""));
  return answer.text.split("\n").some((line) => line !== "" && own.includes(line));
}

function isMarked(path: string): boolean {
  return existsSync(path) && readFileSync(path, "utf8").includes(MARK);
}
