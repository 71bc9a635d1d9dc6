import { readFile, realpath } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { AppError, isErrno } from "../domain/errors.ts";

/** One of the daemon's own small programs, with all that it consists of. */
export interface SiftProgram {
  readonly node: string;
  readonly script: string;
  /** Folders and files that it loads: where each really lies, and under which path it is looked for. */
  readonly parts: readonly { readonly source: string; readonly path: string }[];
}

/** The packages that the programs in `sift/` import. */
const PACKAGES = ["file-type", "tar-stream", "yauzl"];
/** Packages with these beginnings serve another runtime. */
const NOT_NODES = /^bare-/;

/** Puts together what the program of that name needs, from wherever it was installed. Rejects with `sandbox_missing`. */
export async function findSiftProgram(name: "sniff" | "unpack"): Promise<SiftProgram> {
  const room = import.meta.dirname;
  const folder = join(room, "sift");
  const domain = join(dirname(room), "domain");
  const packages = new Map<string, string>();
  for (const each of PACKAGES) await addPackage(each, folder, packages);
  const manifest = await findUp("package.json", folder);
  const own = [folder, domain, manifest].map((path) => ({ source: path, path }));
  return {
    node: await realpath(process.execPath),
    script: join(folder, `${name}${extname(import.meta.filename)}`),
    // What lies in the folder of a package comes with it.
    parts: [...own, ...[...packages].map(([path, source]) => ({ source, path }))].filter(
      ({ path }, _, all) => !all.some((other) => path.startsWith(`${other.path}/`)),
    ),
  };
}

/** Adds a package and those that it depends on, each where Node looks for it from `from`. */
async function addPackage(name: string, from: string, found: Map<string, string>): Promise<void> {
  const path = await findUp(join("node_modules", name), from);
  if (found.has(path)) return;
  found.set(path, await realpath(path));
  const manifest: { readonly dependencies?: Readonly<Record<string, string>> } = JSON.parse(
    await readFile(join(path, "package.json"), "utf8"),
  );
  for (const needed of Object.keys(manifest.dependencies ?? {}))
    if (!NOT_NODES.test(needed)) await addPackage(needed, path, found);
}

async function findUp(name: string, from: string): Promise<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, name);
    const isThere = await realpath(path).then(
      () => true,
      (error: unknown) => {
        if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) return false;
        throw error;
      },
    );
    if (isThere) return path;
    if (folder === dirname(folder))
      throw new AppError("sandbox_missing", `Expected ${name} beside the program: install Sallyport again`);
  }
}
