import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { patternOf } from "./test-names.ts";

/** Of one test, or of one case of a template. */
export interface Outcome {
  readonly title: string;
  readonly status: "passed" | "failed";
  /** Why it failed, in one line; empty when it passed. */
  readonly why: string;
}

/** All that ran of the named tests; null when the run came to no end in time. */
export type Outcomes = readonly Outcome[] | null;

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
}

/** Most waits are in vain here; where nothing is broken a message takes a second or two. */
const WAIT_MS = 10_000;

interface Run {
  /** The copy of the tree. */
  readonly root: string;
  readonly files: readonly string[];
  readonly names: readonly string[];
  /** True ends the run at the first failure. */
  readonly isFirstEnough: boolean;
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs those tests and no others, in a process of their own. A test that waits for what does not come any more fails after its own
 * time, or after 90 seconds where it names none: that is red as well. A run that takes longer than `timeoutMs` says nothing.
 */
export async function runTests({
  root,
  files,
  names,
  isFirstEnough,
  timeoutMs,
  env = {},
}: Run): Promise<Outcomes> {
  const report = join(root, "report.json");
  rmSync(report, { force: true });
  const pattern = names.map((name) => `(?:^|\\s)${patternOf(name)}$`).join("|");
  const argv = [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    ...files,
    "--testNamePattern",
    pattern,
    "--reporter=json",
    `--outputFile=${report}`,
    "--testTimeout=90000",
    "--maxWorkers=1",
    `--fsModuleCachePath=${join(root, ".modules")}`,
    ...(isFirstEnough ? ["--bail=1"] : []),
  ];
  const child = spawn(process.execPath, argv, {
    cwd: root,
    stdio: "ignore",
    detached: true,
    env: { ...process.env, TEST_WAIT_MS: String(WAIT_MS), ...env },
  });
  const ended = Promise.withResolvers<boolean>();
  child.once("exit", () => ended.resolve(true));
  child.once("error", (error) => ended.reject(error));
  const timer = setTimeout(() => ended.resolve(false), timeoutMs);
  const isEnded = await ended.promise;
  clearTimeout(timer);
  if (!isEnded) {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    return null;
  }
  return readReport(report);
}

function readReport(path: string): readonly Outcome[] {
  const report: Report = JSON.parse(readFileSync(path, "utf8"));
  const outcomes: Outcome[] = [];
  for (const { title, status, failureMessages } of report.testResults.flatMap((it) => it.assertionResults)) {
    if (status !== "passed" && status !== "failed") continue;
    outcomes.push({ title, status, why: failureMessages?.[0]?.split("\n")[0]?.slice(0, 160) ?? "" });
  }
  return outcomes;
}
