import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { compileAll } from "./compile.ts";
import { type Copy, copyTree } from "./copy.ts";
import type { Mutation } from "./mutation.ts";
import { MUTATIONS } from "./mutations.ts";
import { readClaims } from "./read-claims.ts";
import { runTests } from "./run-tests.ts";
import { filesOf, isCaseOf, readTestFiles } from "./test-names.ts";
import { UNPROVEN } from "./unproven.ts";

/**
 * Takes one mechanism after the other out of a copy of the source, and demands that the tests which SECURITY.md names for it turn red.
 * `--only <pattern>` takes the claims, mutations and tests alone that match it; `--baseline` runs the named tests unpatched first, and
 * nothing else. Ends with 1 when a test stays green, did not run, or failed of a program that does not compile.
 */
const ROOT = resolve(import.meta.dirname, "../..");
const MAX_RUN_MS = 480_000;
/** More than twice the cores of the smallest machine: most of the time is a wait for what does not come. */
const WORKERS = 5;

interface Result {
  readonly mutation: Mutation;
  /** Empty when all went as it must. */
  readonly fault: string;
  readonly reds: readonly string[];
  readonly ms: number;
}

const files = readTestFiles(ROOT);
const named = readClaims(ROOT).flatMap(({ tests }) => tests);
const namedFiles = (names: readonly string[]): readonly string[] => [
  ...new Set(names.flatMap((name) => filesOf(templateOf(name), files))),
];

/** The name as SECURITY.md and the source of the test have it, where `red` writes out one case of a template. */
function templateOf(title: string): string {
  return named.find((name) => isCaseOf(name, title)) ?? title;
}

async function judge(copy: Copy, mutation: Mutation): Promise<Omit<Result, "ms" | "mutation">> {
  const restore = copy.patch(mutation.edits);
  try {
    const outcomes = await runTests({
      root: copy.root,
      files: namedFiles(mutation.red),
      names: mutation.red,
      isFirstEnough: mutation.red.length === 1,
      timeoutMs: MAX_RUN_MS,
      env: mutation.env ?? {},
    });
    if (outcomes === null) return { fault: `no end within ${MAX_RUN_MS / 1000} s`, reds: [] };
    const green = mutation.red.filter(
      (name) =>
        !outcomes.some(
          ({ title, status, why }) => status === "failed" && why !== "" && isCaseOf(name, title),
        ),
    );
    const ran = green.filter((name) => outcomes.some(({ title }) => isCaseOf(name, title)));
    const reds = outcomes
      .filter(({ status }) => status === "failed")
      .map(({ title, why }) => `${title} (${why})`);
    const fault = green
      .map((name) => `${ran.includes(name) ? "stays green" : "did not run"}: ${name}`)
      .join("; ");
    return { fault, reds };
  } finally {
    restore();
  }
}

const faultOf = (error: unknown) => ({ fault: String(error), reds: [] });

const { values } = parseArgs({ options: { only: { type: "string" }, baseline: { type: "boolean" } } });
const only = new RegExp(values.only ?? "");
const wanted = MUTATIONS.filter(({ claim, gone, red }) => [claim, gone, ...red].some((it) => only.test(it)));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (values.baseline) {
  using copy = copyTree(ROOT);
  const names = [...new Set(wanted.flatMap(({ red }) => red))];
  const outcomes = await runTests({
    root: copy.root,
    files: namedFiles(names),
    names,
    isFirstEnough: false,
    timeoutMs: 3_600_000,
  });
  const bad = names.filter(
    (name) => !outcomes?.some(({ title, status }) => status === "passed" && isCaseOf(name, title)),
  );
  const failed = outcomes?.filter(({ status }) => status === "failed") ?? [];
  for (const { title, why } of failed) say(`red without any patch: ${title} (${why})`);
  for (const name of bad) say(`not seen green without any patch: ${name}`);
  process.exitCode = bad.length + failed.length > 0 ? 1 : 0;
} else {
  const queue = [...wanted];
  const results: Result[] = [];
  const work = async (): Promise<void> => {
    using copy = copyTree(ROOT);
    for (let mutation = queue.shift(); mutation; mutation = queue.shift()) {
      const start = performance.now();
      const result = {
        mutation,
        ...(await judge(copy, mutation).catch(faultOf)),
        ms: performance.now() - start,
      };
      results.push(result);
      say(
        `${result.fault ? "FAIL" : "red "} ${(result.ms / 1000).toFixed(0).padStart(3)} s  ${mutation.claim} | ${mutation.gone}`,
      );
      for (const red of result.reds) say(`             ${red}`);
      if (result.fault) say(`      ${result.fault}`);
    }
  };
  const compileThem = async (): Promise<ReadonlyMap<Mutation, string>> => {
    using copy = copyTree(ROOT);
    return await compileAll(copy, wanted);
  };
  const [complaints] = await Promise.all([compileThem(), ...Array.from({ length: WORKERS }, work)]);
  for (const [{ claim, gone }, complaint] of complaints)
    say(`FAIL  ${claim} | ${gone}\n      does not compile: ${complaint}`);
  const failed = results.filter(({ mutation, fault }) => fault !== "" || complaints.has(mutation));
  say(`\n${results.length} mechanisms patched out, ${failed.length} of them not noticed as they must be.`);
  if (UNPROVEN.length > 0) say(`${UNPROVEN.length} tests that SECURITY.md names are not proven yet.`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
