import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import { type FarListeners, listenAll } from "./listeners.ts";
import { MCP_SERVER } from "./mcp-server.ts";

/** Files that hold a canary, by asset: reading one is a leak. */
const READABLE = {
  outside: "elsewhere/outside.txt",
  home: "owner/.ssh/id_ed25519",
  "other project": "projects/other/notes.txt",
  "daemon's home": "sallyport/sallyport.db-wal",
  "other person's CLI folder": "sallyport/claude/2/app/history.jsonl",
  "secret in the project": "projects/app/.env",
  "key in the project": "projects/app/deploy/server.pem",
} as const;

/** A thing whose content must not leave. */
export type ReadAsset = keyof typeof READABLE;

export const READ_ASSETS = Object.keys(READABLE) as readonly ReadAsset[];

/** What the daemon was started with and nobody else may see. */
export const REAL_KEY = "sk-ant-api03-canary-of-the-real-key";
export const BOT_TOKEN = "987654:canary-of-the-bot-token";

/** A machine in a folder: an owner with a home, two projects, a daemon's home, and what a hostile project brings. */
export interface World extends AsyncDisposable {
  readonly root: string;
  readonly project: ApprovedPath;
  readonly configDir: string;
  readonly ownerHome: string;
  readonly file: (asset: ReadAsset) => string;
  /** The same file again, for an attack that takes it away. */
  readonly movable: (asset: ReadAsset) => string;
  /** Where canary programs that were run leave a file. */
  readonly ran: string;
  /** A repository in the project, and a folder with settings, of one attack's own. */
  readonly repository: (name: string) => string;
  /** Starts a process of the owner's, with a secret in its environment. */
  readonly victim: () => { readonly pid: number; readonly isAlive: () => boolean };
  readonly listeners: FarListeners;
  /** In the machine's own temp folder. */
  readonly temp: string;
  /** Writes a file, with the folders above it. */
  readonly put: (path: string, text: string, mode?: number) => void;
}

/** What stands in a file. */
export const canaryOf = (asset: ReadAsset): string => `CANARY-${asset.replaceAll(/[^a-z]/g, "-")}-CANARY`;

/** Makes one. */
export async function createWorld(): Promise<World> {
  const root = realpathSync(mkdtempSync("/var/tmp/attacks-")); // not /tmp, of which a jail has its own
  const project = join(root, "projects/app") as ApprovedPath;
  const put = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
  };
  for (const asset of READ_ASSETS) {
    const path = join(root, READABLE[asset]);
    put(path, `${canaryOf(asset)}\n`);
    put(movableOf(path), `${canaryOf(asset)}\n`);
  }
  put(join(project, "README.md"), "# A project\n");
  put(join(project, ".mcp.json"), JSON.stringify({ mcpServers: { evil: MCP_SERVER } }));
  put(join(root, "owner/.bashrc"), "# owner's\n");
  const configDir = join(root, "sallyport/claude/1/app");
  mkdirSync(configDir, { recursive: true, mode: 0o700 });
  mkdirSync(join(root, "ran"));
  mkdirSync(join(project, "made"));
  const template = join(root, "template");
  mkdirSync(template);
  execFileSync("git", ["init", "-q", "-b", "main", template]);
  const listeners = await listenAll(join(root, "sallyport"));
  const temp = join("/tmp", basename(root));
  const victims: ChildProcess[] = [];
  return {
    root,
    project,
    configDir,
    ownerHome: join(root, "owner"),
    file: (asset) => join(root, READABLE[asset]),
    movable: (asset) => movableOf(join(root, READABLE[asset])),
    ran: join(root, "ran"),
    repository: (name) => {
      const folder = join(project, "repositories", name);
      cpSync(template, folder, { recursive: true });
      return folder;
    },
    victim: () => {
      const child = spawn("sleep", ["600"], { env: { TELEGRAM_BOT_TOKEN: BOT_TOKEN }, stdio: "ignore" });
      victims.push(child);
      return { pid: child.pid ?? 0, isAlive: () => child.exitCode === null && child.signalCode === null };
    },
    listeners,
    temp,
    put,
    [Symbol.asyncDispose]: async () => {
      for (const child of victims) child.kill("SIGKILL");
      await listeners.close();
      rmSync(temp, { force: true });
      rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** `.env` -> `.env.2`, `server.pem` -> `server-2.pem`: the same kind of name. */
function movableOf(path: string): string {
  return path.endsWith(".env") ? `${path}.2` : path.replace(/(\.[^./]+)?$/, "-2$1");
}
