import { access, constants, open, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { AppError } from "../domain/errors.ts";

/** Where to look. `explicit` is CLAUDE_CLI_PATH, `path` a PATH value, `home` the user's home. */
export interface ProgramPlaces {
  readonly explicit?: string | undefined;
  readonly path: string;
  readonly home: string;
}

/**
 * Finds a program and gives the real path of its native binary: the explicit one and no other when it is given, else the
 * first on PATH, else in the usual places, since a service's PATH has none of them (H80). For an npm install it is the
 * binary of the platform's package.
 * @throws AppError `claude_missing` with what to do.
 */
export async function findProgram(name: string, { explicit, path, home }: ProgramPlaces): Promise<string> {
  if (explicit !== undefined) {
    const found = isAbsolute(explicit) ? await nativeBinary(explicit, name) : null;
    if (found !== null) return found;
    throw new AppError(
      "claude_missing",
      `CLAUDE_CLI_PATH must be the absolute path of the ${name} binary, got ${explicit}: correct it, or take it out to have ${name} looked for`,
    );
  }
  const own = [".local/bin", ".claude/local", ".claude/local/node_modules/.bin"].map((folder) =>
    join(home, folder),
  );
  const usual = [...own, "/opt/homebrew/bin", "/usr/local/bin"];
  const folders = [...path.split(":").filter(isAbsolute), ...usual];
  for (const folder of folders) {
    const found = await nativeBinary(join(folder, name), name);
    if (found !== null) return found;
  }
  throw new AppError(
    "claude_missing",
    `No ${name} on PATH, nor in ${usual.join(", ")}. Install it: npm install -g @anthropic-ai/claude-code, or set CLAUDE_CLI_PATH`,
  );
}

/** The binary behind a path: itself, or what the launcher script of an npm package would start. */
async function nativeBinary(path: string, name: string): Promise<string | null> {
  const real = await realpath(path).catch(() => null); // not there, which is an answer
  if (real === null) return null;
  if (await isNative(real)) return real;
  const packageDir = dirname(real).endsWith("/bin") ? dirname(dirname(real)) : dirname(real);
  const scope = dirname(packageDir);
  for (const suffix of ["", "-musl"]) {
    const platformPackage = `${packageDir}-${process.platform}-${process.arch}${suffix}`;
    const nested = join(packageDir, "node_modules", "@anthropic-ai", platformPackage.slice(scope.length + 1));
    for (const folder of [platformPackage, nested]) {
      const binary = await realpath(join(folder, name)).catch(() => null); // as above
      if (binary !== null && (await isNative(binary))) return binary;
    }
  }
  return null;
}

const MAGIC = ["7f454c46", "cffaedfe", "cafebabe"];

/** True for an executable ELF or Mach-O file. */
async function isNative(path: string): Promise<boolean> {
  const isRunnable = await access(path, constants.X_OK).then(
    () => true,
    () => false, // the answer asked for
  );
  if (!isRunnable || !(await stat(path)).isFile()) return false;
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && MAGIC.includes(buffer.toString("hex"));
  } finally {
    await file.close();
  }
}
