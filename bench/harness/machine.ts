import { execFileSync } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { cpus, release, tmpdir, totalmem, type } from "node:os";

/** The machine that the figures are of. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly os: string;
  readonly kernel: string;
  /** The type number of the file system that the databases lie on, as statfs(2) has it. */
  readonly fileSystem: string;
  readonly node: string;
  readonly commit: string;
}

/** Names this machine. What cannot be found out is "unknown". */
export function nameMachine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? "unknown",
    cores: all.length,
    memoryMb: Math.round(totalmem() / 1024 / 1024),
    os: osName(),
    kernel: `${type()} ${release()}`,
    fileSystem: `${tmpdir()}: 0x${statfsSync(tmpdir()).type.toString(16)}`,
    node: process.version,
    commit: commitName(),
  };
}

/** One line of it. */
export function describeMachine({
  cpu,
  cores,
  memoryMb,
  os,
  kernel,
  node,
  commit,
  fileSystem,
}: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryMb} MB; ${os}, ${kernel}; Node ${node}; databases in ${fileSystem}; commit ${commit}`;
}

function osName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown";
  } catch {
    return type(); // no such file: macOS
  }
}

function commitName(): string {
  try {
    const git = (...args: readonly string[]): string =>
      execFileSync("git", [...args], { cwd: import.meta.dirname, encoding: "utf8" }).trim();
    return `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain", "--", "../../src") === "" ? "" : " with changes"}`;
  } catch {
    return "unknown"; // no git, or no repository: a package
  }
}
