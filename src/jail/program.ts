import { access, constants, realpath, stat } from "node:fs/promises";
import { extname, isAbsolute } from "node:path";
import { AppError } from "../domain/errors.ts";

const SCRIPTS = [".ts", ".mts", ".js", ".mjs"];

/** What is to be run: a binary, or a script together with the Node that runs it. Real absolute paths. */
export type Program =
  | { readonly kind: "binary"; readonly file: string }
  | { readonly kind: "script"; readonly file: string; readonly node: string };

/**
 * Finds out how to run `path`; a script is told by its extension and run by the Node that runs us.
 * @throws AppError `claude_missing` when it is not there or may not be run.
 */
export async function resolveProgram(path: string): Promise<Program> {
  const isScript = SCRIPTS.includes(extname(path));
  const mode = isScript ? constants.R_OK : constants.X_OK;
  const file = isAbsolute(path) ? await realpath(path).catch(() => null) : null; // told just below
  if (file === null || !(await isFile(file)) || !(await mayAccess(file, mode))) {
    throw new AppError("claude_missing", `Expected an executable file by its absolute path, got ${path}`);
  }
  return isScript
    ? { kind: "script", file, node: await realpath(process.execPath) }
    : { kind: "binary", file };
}

/** The head of the argv of a program that runs at its host path. */
export function hostArgv(program: Program): readonly string[] {
  return program.kind === "binary" ? [program.file] : [program.node, program.file];
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path)).isFile();
}

async function mayAccess(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false, // the answer asked for
  );
}
