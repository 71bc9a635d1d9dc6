import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";
import { HOLES, numbersOf } from "./holes.ts";

/** A run of fewer files is one of some tests, of which a list of holes would say nothing. */
const MIN_FILES = 100;

type Outcome = ReturnType<TestCase["result"]>["state"];

/**
 * Prints at the end of a whole run, for each hole that others have shipped, the tests that bear its number: how many passed, and
 * which did not. Of those that have cases the cases are counted.
 */
export function createHolesReporter(say = (text: string): void => void process.stdout.write(text)): Reporter {
  return {
    onTestRunEnd: (modules) => {
      if (modules.length < MIN_FILES) return;
      say(`\nHoles that others have shipped, and the tests that bear their numbers:\n${listOf(modules)}\n`);
    },
  };
}

/** Its own name, and those of the groups that it stands in. */
function namesOf(test: TestCase | TestSuite | TestModule): readonly string[] {
  return test.type === "module" ? [] : [test.name, ...namesOf(test.parent)];
}

function listOf(modules: readonly TestModule[]): string {
  const found = new Map<string, { readonly name: string; readonly state: Outcome }[]>();
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      for (const number of new Set(namesOf(test).flatMap(numbersOf))) {
        const all = found.get(number) ?? [];
        all.push({ name: test.name, state: test.result().state });
        found.set(number, all);
      }
    }
  }
  return HOLES.map(({ number, title, isRequired }) => {
    const tests = found.get(number) ?? [];
    const count = (state: Outcome): number => tests.filter((test) => test.state === state).length;
    const counts = [`${count("passed")} passed`];
    if (count("skipped") > 0) counts.push(`${count("skipped")} not for this system`);
    if (tests.length === 0) counts[0] = isRequired ? "NO TEST" : "no test yet";
    const failed = tests
      .filter(({ state }) => state === "failed")
      .map(({ name }) => `\n       FAILED: ${name}`);
    return `  ${number}  ${title}: ${counts.join(", ")}${failed.join("")}`;
  }).join("\n");
}
