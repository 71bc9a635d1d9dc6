import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const KB_PER_MB = 1024;

/** What a process takes of the machine. */
export interface Usage {
  /** Resident memory. */
  readonly rssMb: number;
  /** Resident memory with what is shared divided by those who share it; null where the system does not tell. */
  readonly pssMb: number | null;
  /** Processor time since its start. */
  readonly cpuMs: number;
}

/** Reads it from /proc; on systems without one from ps(1), whose processor time counts in hundredths of seconds. */
export function usageOf(pid: number): Usage {
  return process.platform === "linux" ? linuxUsage(pid) : psUsage(pid);
}

function linuxUsage(pid: number): Usage {
  const number = (file: string, pattern: RegExp): number =>
    Number(pattern.exec(readFileSync(`/proc/${pid}/${file}`, "utf8"))?.[1]);
  return {
    rssMb: number("status", /^VmRSS:\s+(\d+)/m) / KB_PER_MB,
    pssMb: number("smaps_rollup", /^Pss:\s+(\d+)/m) / KB_PER_MB,
    cpuMs: cpuMsOf(pid),
  };
}

/** Over all its threads, in nanoseconds as the scheduler counts: /proc/<pid>/stat counts in ticks, too coarse for an idle one. */
function cpuMsOf(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const spent = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]),
  );
  return spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6;
}

function psUsage(pid: number): Usage {
  const text = execFileSync("ps", ["-o", "rss=,time=", "-p", String(pid)], { encoding: "utf8" });
  const [, rss, minutes, seconds] = /(\d+)\s+(\d+):([\d.]+)/.exec(text) ?? [];
  return {
    rssMb: Number(rss) / KB_PER_MB,
    pssMb: null,
    cpuMs: (Number(minutes) * 60 + Number(seconds)) * 1000,
  };
}
