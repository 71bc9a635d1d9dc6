import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as fc from "fast-check";
import { AppError } from "../../src/domain/errors.ts";
import { createIsSecret } from "../../src/domain/secret-files.ts";
import { createFindFile } from "../../src/security/named-file.ts";
import { createFindViolation } from "../../src/security/path-violation.ts";
import { createPathJail } from "../../src/security/paths.ts";
import { type FuzzOptions, type FuzzResult, fuzz } from "./run.ts";

const OUTSIDE = "OUTSIDE-OF-EVERYTHING";

/**
 * Paths against the real file system: what the jail of paths approves, opens or names has to be, by device and inode, one of the
 * things that stand in the approved directory; and what stands there under the real path that was asked for has to be approved.
 */
export async function fuzzPaths(options: FuzzOptions): Promise<FuzzResult> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "sallyport-fuzz-")));
  try {
    const root = plant(base);
    const inside = identities(root);
    const paths = await createPathJail(root);
    const findFile = createFindFile(paths, createIsSecret([]));
    const findViolation = createFindViolation(paths);

    async function check(path: string): Promise<readonly [string, string | null]> {
      const place = await approved(paths.approve(path));
      const asked = realOf(resolve(root, path));
      const isThere = asked !== null && inside.has(identity(asked)) && `${asked}/`.startsWith(`${root}/`);
      if (place !== null) {
        if (!inside.has(identity(place)) || realOf(place) !== place)
          return ["approved", "approved what is not inside"];
        if (!isThere) return ["approved", `approved ${place}, which is not what was asked for`];
        if (lstatSync(place).isFile()) {
          await using file = await paths.open(place);
          const { dev, ino } = await file.stat({ bigint: true });
          if (!inside.has(`${dev}:${ino}`)) return ["opened", "opened what is not inside"];
          if ((await file.readFile("utf8")).includes(OUTSIDE)) return ["opened", "read what is outside"];
        }
      } else if (isThere && !/[\p{Cc}\p{Cs}]/u.test(path) && path !== "" && Buffer.byteLength(path) < 4_096) {
        return ["refused", "refused what is inside"];
      }
      const project = await approved(paths.resolveProjectName(path));
      if (project !== null) {
        const isFolder = inside.has(identity(project)) && lstatSync(project).isDirectory();
        if (
          !isFolder ||
          project === root ||
          /(?:^|[/\\])\.\.(?:[/\\]|$)|^\//.test(path) ||
          /\/\.git(?:\/|$)/i.test(project.slice(root.length))
        )
          return ["project", `took ${project} for a project`];
      }
      const named = await findFile("app", path);
      if (named.kind === "plain" || named.kind === "secret") {
        const real = realOf(join(named.root, named.path));
        if (real === null || !real.startsWith(`${join(root, "app")}/`) || !inside.has(identity(real)))
          return ["named", `named ${named.path}, which is not of the project`];
      }
      await findViolation("app", path);
      return [place === null ? "refused" : "approved", null];
    }

    return await fuzz(
      options,
      (seed, count) => fc.sample(pathsOf(base, root), { seed, numRuns: count }),
      check,
    );
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** A tree with links of every kind, inside and out; gives the approved directory. */
function plant(base: string): string {
  const root = join(base, "projects");
  for (const folder of [
    "outside/deep",
    "projects-other",
    "projects/app/src",
    "projects/app/.git/hooks",
    "projects/group/web",
    "projects/über",
    "projects/sp ace",
  ])
    mkdirSync(join(base, folder), { recursive: true });
  for (const file of ["outside/secret.txt", "outside/deep/key", "projects-other/x"])
    writeFileSync(join(base, file), OUTSIDE);
  for (const file of [
    "notes.txt",
    "app/src/main.ts",
    "app/.env",
    "group/web/a",
    "über/ä",
    "app/..x",
    "app/...",
    "app/-rf",
    `app/${"n".repeat(255)}`,
  ])
    writeFileSync(join(root, file), "inside");
  const links: readonly (readonly [string, string])[] = [
    ["in", "app"],
    ["out", "../outside"],
    ["up", ".."],
    ["top", "/"],
    ["dangling", "nowhere"],
    ["loop", "loop"],
    ["loop-a", "loop-b"],
    ["loop-b", "loop-a"],
    ["file-out", "../outside/secret.txt"],
    ["abs-in", join(root, "group")],
    ["abs-out", join(base, "outside")],
    ["self", "."],
    ["proc", "/proc/self/root"],
    ["chain", "in"],
    ["chain-out", "out/deep"],
    ["round", "../projects/app"],
    ["dangling-out", "../outside/none"],
    ["app/back", "../group"],
    ["app/leaves", "../../outside/secret.txt"],
    ["app/src/up", "../.."],
    ["app/own", "src/main.ts"],
  ];
  for (const [name, target] of links) symlinkSync(target, join(root, name));
  linkSync(join(root, "notes.txt"), join(root, "hard"));
  symlinkSync("projects", join(base, "alias"));
  return root;
}

const PIECES = [
  "app",
  "src",
  "main.ts",
  "in",
  "out",
  "up",
  "top",
  "dangling",
  "loop",
  "loop-a",
  "file-out",
  "abs-in",
  "abs-out",
  "self",
  "proc",
  "chain",
  "chain-out",
  "round",
  "back",
  "leaves",
  "own",
  "group",
  "web",
  "über",
  "u\u0308ber",
  "ÜBER",
  "APP",
  "sp ace",
  "notes.txt",
  "hard",
  "hooks",
  ".git",
  ".GIT",
  ".env",
  "..x",
  "...",
  "-rf",
  "..",
  ".",
  "",
  "a",
  "deep",
  "key",
  "secret.txt",
  "outside",
  "projects",
  "projects-other",
  "dangling-out",
  "n".repeat(255),
  "n".repeat(256),
  "x".repeat(5_000),
  "~",
  "$HOME",
  "`id`",
  "%2e%2e",
  "..%2f",
  "..\\..",
  "．．",
  "‥",
  "\u202e..",
  "..\0",
  "\0",
  "\u{D800}",
  "CON",
  "app.",
  "app ",
  "*",
  "a\nb",
] as const;

function pathsOf(base: string, root: string): fc.Arbitrary<string> {
  const segment = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...PIECES) },
    fc.string({ maxLength: 6, unit: "binary" }),
  );
  const start = fc.constantFrom(
    "",
    "",
    "",
    "",
    "/",
    "//",
    "./",
    "../",
    "~/",
    `${root}/`,
    `${base}/`,
    `${base}/alias/`,
    `${root}-other/`,
    "/proc/self/root/",
    `/proc/self/root${root}/`,
    "/proc/self/cwd/",
    "file://",
    "\\\\?\\",
  );
  return fc
    .tuple(start, fc.array(segment, { maxLength: 7 }), fc.constantFrom("/", "/", "/", "//", "\\", "/./"))
    .map(([first, segments, between]) => first + segments.join(between));
}

/** What is refused is null; anything but a refusal in the jail's own words is a fault. */
async function approved<Path extends string>(place: Promise<Path>): Promise<Path | null> {
  return place.catch((error: unknown) => {
    if (error instanceof AppError && (error.code === "path_outside" || error.code === "path_invalid"))
      return null;
    throw error;
  });
}

/** Device and inode of all that stands in a tree, links themselves included; no link is followed. */
function identities(folder: string): ReadonlySet<string> {
  const below = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? [...identities(path)] : [identity(path)];
  });
  return new Set([identity(folder), ...below]);
}

function identity(path: string): string {
  const { dev, ino } = lstatSync(path, { bigint: true });
  return `${dev}:${ino}`;
}

/** By the file system alone; null for what is not there. */
function realOf(path: string): string | null {
  try {
    statSync(path);
    return realpathSync.native(path);
  } catch {
    return null; // not there, a loop, too long, or no path: the file system says no
  }
}
