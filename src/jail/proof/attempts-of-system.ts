import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Arena } from "./arena.ts";
import { type Attempt, can, connects, must, type Seen } from "./attempts.ts";

/** What is tried on this system beside the common attempts. */
export function attemptsOfSystem(arena: Arena, platform: NodeJS.Platform): readonly Attempt[] {
  if (platform === "linux") return linuxAttempts(arena);
  return platform === "darwin" ? macAttempts() : [];
}

/** More steps up than any folder is deep. */
const UP = "../".repeat(40);

function linuxAttempts({ token, canary, canaryFd, abstractName }: Arena): readonly Attempt[] {
  const proc = `/proc/${process.pid}`;
  const isRead = ({ answer }: Seen): boolean => answer.isDone && answer.text.includes(token);
  const isDone = ({ answer }: Seen): boolean => answer.isDone;
  const environment = readFileSync("/proc/self/environ", "latin1");
  const reads = (name: string, path: string): Attempt => can(name, () => ({ kind: "read", path }), isRead);
  const runs = (name: string, ...argv: readonly string[]): Attempt =>
    can(name, () => ({ kind: "run", argv, isBare: true }), isDone);

  return [
    reads("read outside through /proc/1/root", `/proc/1/root${canary}`),
    reads("read outside through the daemon's root", `${proc}/root${canary}`),
    reads("read outside through the daemon's working folder", `${proc}/cwd/${UP}${canary.slice(1)}`),
    reads("read a file that the daemon has open", `${proc}/fd/${canaryFd}`),
    can(
      "read the daemon's environment in /proc",
      () => ({ kind: "read", path: `${proc}/environ` }),
      ({ answer }) => answer.isDone && answer.text !== "" && environment.startsWith(answer.text),
    ),
    ...(abstractName === null ? [] : [connects("reach an abstract socket of the host", abstractName, token)]),
    can("see /sys", () => ({ kind: "list", path: "/sys/kernel" }), isDone),
    can(
      "write a setting of the kernel",
      () => ({ kind: "open", path: "/proc/sys/kernel/core_pattern" }),
      isDone,
    ),
    can("open the kernel's log", () => ({ kind: "open", path: "/dev/kmsg" }), isDone),
    runs("make a user namespace", "/usr/bin/unshare", "-U", "/bin/true"),
    runs(
      "mount something in a user namespace",
      "/usr/bin/unshare",
      "-Urm",
      "/bin/mount",
      "-t",
      "tmpfs",
      "x",
      "/usr",
    ),
    runs("make a sandbox of its own", "/usr/bin/bwrap", "--unshare-user", "--ro-bind", "/", "/", "/bin/true"),
    must(
      "see the daemon among the processes",
      () => ({ kind: "read", path: `${proc}/stat` }),
      ({ answer, control }) =>
        answer.isDone && control.isDone && startOf(answer.text) === startOf(control.text),
    ),
  ];
}

/** When a process began, in its line of /proc (proc(5)). */
function startOf(line: string): string | undefined {
  return line.slice(line.lastIndexOf(")") + 2).split(" ")[19];
}

/**
 * Not yet run on a Mac. Each is harmless: what it would reach answers, and nothing is changed.
 */
function macAttempts(): readonly Attempt[] {
  const isDone = ({ answer }: Seen): boolean => answer.isDone;
  const says = ({ answer, control }: Seen): boolean =>
    answer.isDone && control.isDone && answer.text !== "" && answer.text === control.text;
  const runs = (name: string, isThrough: Attempt["isThrough"], ...argv: readonly string[]): Attempt =>
    can(name, () => ({ kind: "run", argv }), isThrough);
  return [
    runs("search the keychains", says, "/usr/bin/security", "list-keychains"),
    runs(
      "read the keychain",
      isDone,
      "/usr/bin/security",
      "find-generic-password",
      "-s",
      "com.apple.scopedbookmarksagent.xpc",
    ),
    runs(
      "speak to another program",
      says,
      "/usr/bin/osascript",
      "-e",
      'tell application "Finder" to get version',
    ),
    runs("open something by its program", isDone, "/usr/bin/open", "-R", join("/", "Applications")),
    runs("read the clipboard", says, "/usr/bin/pbpaste"),
    runs("ask launchd", says, "/bin/launchctl", "print-disabled", `user/${process.getuid?.() ?? 0}`),
  ];
}
