import { dirname } from "node:path";
import { AppError } from "../domain/errors.ts";
import { BECOMING_CAPABILITIES, type Identity } from "./identity.ts";
import { INSIDE, isWithin } from "./inside-paths.ts";
import type { Program } from "./program.ts";
import type { ProtectedPath } from "./protection.ts";
import type { SystemBinds } from "./system-binds.ts";

/** Are there, with all that is in them, before anything is bound. */
const BUILT = ["/usr", "/etc", "/proc", "/dev"];

const MIB = 1024 * 1024;
/** Memory that a jail may fill with files: tmpfs takes half of the machine's by default. */
const TMP_BYTES = 1024 * MIB;
const SMALL_BYTES = 256 * MIB;

/** A user namespace would know no user but the daemon's own: who becomes another does without, and the filter forbids it one. */
const USER_NAMESPACE = words("--unshare-user --disable-userns --assert-userns-disabled");
const NAMESPACES = [
  ...words("--unshare-pid --unshare-ipc --unshare-uts --unshare-net --unshare-cgroup-try"),
  ...words("--die-with-parent --new-session --cap-drop ALL"),
];

/** A folder or file of the host, and where it shows. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly isWritable: boolean;
}

/** All that one jail consists of. */
export interface BwrapPlan {
  readonly system: SystemBinds;
  readonly binds: readonly Bind[];
  /** Sorted, parents first. */
  readonly protectedPaths: readonly ProtectedPath[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The user that the program becomes by itself; the daemon's own when left out. */
  readonly identity?: Identity | null;
}

/** The host files that a program consists of, at their places in the jail. */
export function programBinds(program: Program): readonly Bind[] {
  const bind = (source: string, target: string): Bind => ({ source, target, isWritable: false });
  if (program.kind === "binary") return [bind(program.file, INSIDE.binary)];
  return [bind(program.node, INSIDE.node), bind(program.file, INSIDE.script)];
}

/** The head of that program's argv in the jail. */
export function insideArgv(program: Program): readonly string[] {
  return program.kind === "binary" ? [INSIDE.binary] : [INSIDE.node, INSIDE.script];
}

/**
 * bwrap's options for a plan, to be handed over in a file, since a command line shows in `ps` (H28). Order counts: later
 * mounts cover earlier ones.
 * Besides what bwrap(1) explains: /proc is read-only as a whole, because a jail started by root has the host's uid 0 and
 * could write /proc/sys/kernel/core_pattern without any capability; /dev, because its tmpfs has no size.
 * @throws AppError `path_invalid` when a path or a variable holds a NUL, which would start a new option.
 */
export function bwrapOptions({
  system,
  binds,
  protectedPaths,
  env,
  cwd,
  identity = null,
}: BwrapPlan): readonly string[] {
  const options = [
    ...(identity === null ? USER_NAMESPACE : []),
    ...NAMESPACES,
    ...(identity === null ? [] : BECOMING_CAPABILITIES.flatMap((name) => ["--cap-add", name])),
    ...system.options,
    ...words("--proc /proc --remount-ro /proc --dev /dev"),
    ...tmpfs("/dev/shm", SMALL_BYTES, "1777"),
    ...words("--remount-ro /dev"),
    ...(identity === null ? [] : ways([INSIDE.home])),
    ...tmpfs(INSIDE.tmp, TMP_BYTES, "1777"),
    ...tmpfs(INSIDE.home, SMALL_BYTES, "0700"),
    ...(identity === null ? [] : ways(binds.map(({ target }) => target))),
    ...binds.flatMap(({ source, target, isWritable }) => [
      isWritable ? "--bind" : "--ro-bind",
      source,
      target,
    ]),
    ...protectedPaths.flatMap((path) => mountOf(path, system.emptyFile)),
    ...words("--remount-ro / --clearenv"),
    ...Object.entries(env).flatMap(([name, value]) => ["--setenv", variableName(name), value]),
    "--chdir",
    cwd,
  ];
  const broken = options.find((option) => option.includes("\0"));
  if (broken === undefined) return options;
  throw new AppError("path_invalid", "Paths and environment of a jail must not hold a NUL character");
}

/** The folders on the way to those places, which bwrap makes root's and closed to others where it is not told. */
function ways(targets: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const target of targets) {
    for (let at = dirname(target); at !== "/"; at = dirname(at)) folders.add(at);
  }
  for (const own of [INSIDE.tmp, INSIDE.home]) folders.delete(own);
  const missing = [...folders].filter((folder) => !BUILT.some((own) => isWithin(folder, own)));
  return missing.sort().flatMap((folder) => ["--perms", "0755", "--dir", folder]);
}

function words(text: string): readonly string[] {
  return text.split(" ");
}

function tmpfs(path: string, sizeBytes: number, mode: string): readonly string[] {
  return ["--perms", mode, "--size", String(sizeBytes), "--tmpfs", path];
}

function mountOf({ path, kind }: ProtectedPath, emptyFile: string): readonly string[] {
  switch (kind) {
    case "pin":
      return ["--bind", path, path];
    case "readonly":
      return ["--ro-bind", path, path];
    case "mask":
      return ["--ro-bind", emptyFile, path];
  }
}

function variableName(name: string): string {
  if (/^[^=\0]+$/.test(name)) return name;
  throw new AppError(
    "path_invalid",
    `Expected the name of an environment variable, got ${JSON.stringify(name)}`,
  );
}
