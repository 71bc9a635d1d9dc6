import { AppError } from "../domain/errors.ts";
import { INSIDE } from "./inside-paths.ts";
import type { Program } from "./program.ts";
import type { ProtectedPath } from "./protection.ts";
import type { SystemBinds } from "./system-binds.ts";

const MIB = 1024 * 1024;
/** Memory that a jail may fill with files: tmpfs takes half of the machine's by default. */
const TMP_BYTES = 1024 * MIB;
const SMALL_BYTES = 256 * MIB;

const NAMESPACES = [
  ...words("--unshare-user --disable-userns --assert-userns-disabled"),
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
export function bwrapOptions({ system, binds, protectedPaths, env, cwd }: BwrapPlan): readonly string[] {
  const options = [
    ...NAMESPACES,
    ...system.options,
    ...words("--proc /proc --remount-ro /proc --dev /dev"),
    ...tmpfs("/dev/shm", SMALL_BYTES, "1777"),
    ...words("--remount-ro /dev"),
    ...tmpfs(INSIDE.tmp, TMP_BYTES, "1777"),
    ...tmpfs(INSIDE.home, SMALL_BYTES, "0700"),
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
