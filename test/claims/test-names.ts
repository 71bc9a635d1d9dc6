import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A file of tests, by its path from the root, and what stands in it. */
export interface TestFile {
  readonly path: string;
  readonly text: string;
}

/** All files of tests under `test` of `root`, but the one that checks SECURITY.md itself. */
export function readTestFiles(root: string): readonly TestFile[] {
  return readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts") && file !== "security-claims.test.ts")
    .map((file) => ({ path: `test/${file}`, text: readFileSync(join(root, "test", file), "utf8") }));
}

/** The files in which a test of that name is written, as a string of its own; a name with %s or $x is a template. */
export function filesOf(name: string, files: readonly TestFile[]): readonly string[] {
  const spellings = [name, name.replaceAll('"', '\\"'), name.replaceAll("'", "\\'")];
  return files
    .filter(({ text }) => spellings.some((it) => text.includes(`"${it}"`) || text.includes(`'${it}'`)))
    .map(({ path }) => path);
}

/** What a template (`%s is refused`, `with $name`) is printed as, as the source of a regular expression. */
export function patternOf(name: string): string {
  return name
    .split(/%[sdifjoO#]|\$[\w.]+/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[\\s\\S]*");
}

/** Says whether `title` is what the test of that name, or one case of it, is called when it runs. */
export function isCaseOf(name: string, title: string): boolean {
  return name === title || new RegExp(`^${patternOf(name)}$`).test(title);
}
