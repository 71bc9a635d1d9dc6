import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A toolchain: the folder that holds it, and where its programs are. Both real paths. */
export interface ToolRoot {
  readonly root: string;
  readonly bin: string;
}

/** A version's own folder as version managers lay it out; see their documentation. Everything above it is other people's. */
const VERSION_FOLDERS: readonly RegExp[] = [
  /^.*\/\.nvm\/versions\/node\/[^/]+/,
  /^.*\/\.volta\/tools\/image\/[^/]+\/[^/]+/,
  /^.*\/fnm\/node-versions\/[^/]+\/installation/,
  /^.*\/(?:mise|rtx)\/installs\/[^/]+\/[^/]+/,
  /^.*\/\.asdf\/installs\/[^/]+\/[^/]+/,
  /^.*\/\.pyenv\/versions\/[^/]+/,
  /^.*\/uv\/python\/[^/]+/,
  /^.*\/\.rustup\/toolchains\/[^/]+/,
  /^.*\/\.sdkman\/candidates\/[^/]+\/[^/]+/,
  /^.*\/\.rbenv\/versions\/[^/]+/,
  /^.*\/\.goenv\/versions\/[^/]+/,
];
const PREFIXES: readonly RegExp[] = [/^\/opt\/homebrew(?=\/)/, /^\/home\/linuxbrew\/\.linuxbrew(?=\/)/];

/**
 * The toolchain of a program that was found at `file` and is really `real`. Shims of pyenv and rustup are followed to the
 * version that is theirs by default. Null when nothing is known but the program itself.
 */
export async function toolRootOf(file: string, real: string): Promise<ToolRoot | null> {
  const pyenv = /^(.*\/\.pyenv)\/shims\/[^/]+$/.exec(file)?.[1];
  if (pyenv !== undefined) return pyenvRoot(pyenv);
  if (basename(real) === "rustup") return rustupRoot(dirname(dirname(dirname(file))));
  for (const pattern of PREFIXES) {
    const prefix = pattern.exec(real)?.[0] ?? pattern.exec(file)?.[0];
    if (prefix !== undefined) return { root: prefix, bin: join(prefix, "bin") };
  }
  for (const pattern of VERSION_FOLDERS) {
    const root = pattern.exec(real)?.[0];
    if (root !== undefined) return { root, bin: dirname(real) };
  }
  return null;
}

/** `pyenv global` writes names of versions into one file, the first of which has `python`. */
async function pyenvRoot(pyenv: string): Promise<ToolRoot | null> {
  const text = await readFile(join(pyenv, "version"), "utf8").catch(() => ""); // none chosen: the system's, then
  const name = /^[\w.-]+$/m.exec(text)?.[0] ?? "system";
  if (name === "system") return null;
  const root = join(pyenv, "versions", name);
  return { root, bin: join(root, "bin") };
}

/** `rustup default` writes the toolchain's name into settings.toml. */
async function rustupRoot(home: string): Promise<ToolRoot | null> {
  const rustup = join(home, ".rustup");
  const text = await readFile(join(rustup, "settings.toml"), "utf8").catch(() => ""); // as above
  const name = /^default_toolchain\s*=\s*"([\w.-]+)"/m.exec(text)?.[1];
  if (name === undefined) return null;
  const root = join(rustup, "toolchains", name);
  return { root, bin: join(root, "bin") };
}
