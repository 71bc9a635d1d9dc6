import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join, resolve } from "node:path";

/** The program's own folder. */
export const ROOT = resolve(import.meta.dirname, "../..");
/** The built entry of the program. */
export const DIST_BIN = join(ROOT, "dist", "bin.js");
/** As the program runs itself; the bare programs get the same, so that they differ in nothing but what they do. */
export const NODE_FLAGS = ["--max-semi-space-size=2", "--disable-warning=DEP0040"] as const;

/** The programs that the benches start beside the daemon. */
export type ProgramName = "bare-echo" | "bare-node" | "daemon-entry" | "stand-in";

/**
 * Strips a program of `bench/programs` of its types, and gives the path of the JavaScript: it would pay for the stripping
 * with time and memory at its start, which the daemon, built as it is, does not.
 */
export function builtProgram(name: ProgramName): string {
  const folder = resolve(import.meta.dirname, "../.built");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.mjs`);
  const source = readFileSync(resolve(import.meta.dirname, `../programs/${name}.ts`), "utf8");
  writeFileSync(path, stripTypeScriptTypes(source));
  return path;
}
