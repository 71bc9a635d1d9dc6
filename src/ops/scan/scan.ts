import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { LoadedConfig } from "../../config/load.ts";
import { scanFiles } from "./files.ts";
import { scanHistories } from "./histories.ts";
import { scanHome } from "./home.ts";
import type { ScanResult } from "./leak.ts";
import { distinctRepositories, type FoundRepository } from "./repositories.ts";
import { needlesOf } from "./search.ts";

interface ScanDeps {
  readonly loaded: Pick<LoadedConfig, "config"> & {
    readonly secrets: Pick<LoadedConfig["secrets"], "named">;
  };
  /** The person's home, for the histories of shells. */
  readonly homeDir: string;
  /** The program's own folder. */
  readonly programDir: string;
  /** Of each part, and of each git history. */
  readonly maxBytes: number;
}

/** Where shells and their like keep what was typed. */
const TYPED = [
  ".bash_history",
  ".zsh_history",
  ".sh_history",
  ".history",
  ".local/share/fish/fish_history",
  ".python_history",
  ".node_repl_history",
  ".psql_history",
  ".mysql_history",
  ".sqlite_history",
  // A file for each window, of Terminal on macOS.
  ".zsh_sessions",
  ".bash_sessions",
];
/** Folders of installed packages: large, and made of what others published. */
const INSTALLED = ["node_modules", ".venv", "venv", "site-packages", "dist-packages"];
const MAX_REPOSITORIES = 200;
const NEVER =
  "never looked through: what is compressed or encrypted, other programs' databases but as bytes, installed packages, the journal of systemd, and what lies elsewhere";

/**
 * Looks for the credentials where they should not stand: the home folder with its logs, backups and the CLI's sessions, the database,
 * the projects, the histories of shells, and git histories of projects and of the program. Tells where, never what.
 */
export async function scan({ loaded, homeDir, programDir, maxBytes }: ScanDeps): Promise<ScanResult> {
  const { config, secrets } = loaded;
  const needles = needlesOf(secrets.named);
  const ownFiles = [config.settingsFile, ...secrets.named.map(({ file }) => file)].filter(
    (file) => file !== null,
  );
  const own = new Set(await Promise.all(ownFiles.map((file) => realpath(file))));
  const home = await realpath(config.home).catch(() => config.home); // not there before the first start
  const isOwn = (path: string): boolean => own.has(path);

  const ofHome = await scanHome({ home, isOwn, needles, maxBytes });
  const typed = await scanFiles({
    roots: TYPED.map((name) => join(homeDir, name)),
    isLeftOut: isOwn,
    needles,
    maxBytes,
  });
  const found: FoundRepository[] = [];
  const ofProjects = await scanFiles({
    roots: [config.approvedDirectory],
    isLeftOut: (path, { name }) => isOwn(path) || INSTALLED.includes(name),
    needles,
    maxBytes,
    onRepository: (repository) => found.push(repository),
  });
  if (existsSync(join(programDir, ".git")))
    found.push({ folder: await realpath(programDir), gitDir: ".git" });
  const repositories = await distinctRepositories(found);
  const histories = await scanHistories({
    repositories: repositories.slice(0, MAX_REPOSITORIES),
    approvedDirectory: config.approvedDirectory,
    home,
    needles,
    maxBytes,
  });

  const parts = [ofHome, typed, ofProjects, histories];
  const gaps = [
    ...parts.flatMap(({ notes }) => notes),
    ...needles.tooShort.map((name) => `${name} is too short to be looked for`),
    ...(repositories.length > MAX_REPOSITORIES
      ? [`of ${repositories.length} git histories ${MAX_REPOSITORIES} were looked through`]
      : []),
  ];
  const reach = gaps.length === 0 ? "whole" : "partial";
  return {
    leaks: parts.flatMap(({ leaks }) => leaks),
    files: parts.reduce((sum, part) => sum + part.files, 0),
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    notes: [...gaps, NEVER],
    reach: ofHome.isDatabaseRead ? reach : "no_database",
  };
}
