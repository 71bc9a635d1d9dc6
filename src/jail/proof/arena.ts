import { randomBytes } from "node:crypto";
import { closeSync, openSync, realpathSync } from "node:fs";
import { mkdir, readdir, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import type { ApprovedPath } from "../../domain/approved-path.ts";
import type { Now } from "../../domain/clock.ts";
import { AppError } from "../../domain/errors.ts";
import { giveTo } from "../give-to.ts";
import type { Identity } from "../identity.ts";

/** A folder of a test that was killed is removed by the next one after this: one that runs now must keep its own. */
const LEFT_AFTER_MS = 600_000;
/** sockaddr_un of macOS takes 104 with the NUL, that of Linux 108. */
const MAX_SOCKET_BYTES = 103;
const NAME = /^[0-9a-f]{8}$/;

/** Where acts are done: in the project of the jail, or in its twin, where the daemon does the same. */
export interface Side {
  readonly name: "jailed" | "control";
  readonly project: ApprovedPath;
}

/** A throw-away place with all that the escape self-test is about. Disposing removes it. */
export interface Arena extends AsyncDisposable {
  /** What its secrets hold and its listeners say: who has it has read or reached what he should not. */
  readonly token: string;
  /** Holds all of it. */
  readonly root: string;
  /** A folder beside the projects; `canary` is a file in it that holds the token, and `canaryFd` is open on it. */
  readonly outside: string;
  readonly canary: string;
  readonly canaryFd: number;
  readonly jailed: Side;
  readonly control: Side;
  readonly configDir: string;
  /** The socket that the jail is given: it answers with the token, and is meant to. */
  readonly apiSocket: string;
  /** Listeners of the daemon's own that answer with the token: a loopback port, a socket file, an abstract name. */
  readonly port: number;
  readonly socketFile: string;
  /** Null where the system has no such names. */
  readonly abstractName: string | null;
}

/** Files of a project: what the jail has to mask, and what it has to keep as it is. Relative paths. */
export const SECRETS = [".env", "deep/er/.env.local", "id_ed25519"] as const;
export const SETTINGS = [
  ".mcp.json",
  ".claude/settings.json",
  ".vscode/tasks.json",
  ".idea/workspace.xml",
  ".husky/pre-commit",
  ".git/config",
  ".git/hooks/pre-commit",
  ".git/modules/sub/config",
] as const;

interface ArenaDeps {
  readonly folder: string;
  readonly platform: NodeJS.Platform;
  readonly now: Now;
  /** Whose all of it is to be, also what lies outside the project, so that no permission does the jail's work; null: the daemon's. */
  readonly owner: Identity | null;
}

/** Lays one out below `folder`, and removes what killed tests have left there. Paths are real. */
export async function createArena({ folder, platform, now, owner }: ArenaDeps): Promise<Arena> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await sweep(folder, now());
  const root = join(await realpath(folder), randomBytes(4).toString("hex"));
  await mkdir(root, { mode: 0o700 });
  await using scope = new AsyncDisposableStack();
  scope.defer(() => rm(root, { recursive: true, force: true, maxRetries: 3 }));

  const token = randomBytes(16).toString("hex");
  const outside = join(root, "outside");
  const canary = join(outside, "canary");
  const configDir = join(root, "config");
  await Promise.all([outside, configDir].map((path) => mkdir(path, { mode: 0o700 })));
  await writeFile(canary, token);
  const [jailed, control] = await Promise.all([
    layOut("jailed", { root, token, outside }),
    layOut("control", { root, token, outside }),
  ]);
  const canaryFd = openSync(canary, "r");
  scope.defer(() => closeSync(canaryFd));

  const apiSocket = join(root, "a.sock");
  const socketFile = join(root, "o.sock");
  const abstractName = platform === "linux" ? `\0sallyport-${token.slice(0, 12)}` : null;
  const listen = async (at: string | number): Promise<Server> => {
    const server = await listener(at, token);
    scope.defer(() => closed(server));
    return server;
  };
  // One after the other: of those begun together, what one that fails leaves open would hold the process.
  const tcp = await listen(0);
  for (const at of [apiSocket, socketFile, abstractName]) if (at !== null) await listen(at);
  if (owner !== null) await giveTo(root, owner, "/bin/chown");
  const address = tcp.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  const owned = scope.move();
  return {
    token,
    root,
    outside,
    canary,
    canaryFd,
    jailed,
    control,
    configDir,
    apiSocket,
    port,
    socketFile,
    abstractName,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface SidePlan {
  readonly root: string;
  readonly token: string;
  readonly outside: string;
}

/** A project with secrets, settings and a repository, which is written by hand: no git is run on the host. */
async function layOut(name: Side["name"], { root, token, outside }: SidePlan): Promise<Side> {
  const project = join(root, name);
  await mkdir(project);
  if (!isReal(project)) throw new AppError("path_invalid", `Expected a real path, got ${project}`);
  const put = async (path: string, content: string): Promise<void> => {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), content);
  };
  await mkdir(join(project, ".git/refs/heads"), { recursive: true });
  await mkdir(join(project, ".git/objects"));
  await Promise.all([
    put("ordinary.txt", token),
    put(".git/HEAD", "ref: refs/heads/main\n"),
    ...SECRETS.map((path) => put(path, token)),
    ...SETTINGS.map((path) => put(path, "")),
    symlink(join(outside, "canary"), join(project, "link-to-file")),
    symlink(outside, join(project, "link-to-folder")),
  ]);
  return { name, project };
}

/** The daemon's own project, which nobody names: it needs no more approval than to be where it says. */
function isReal(path: string): path is ApprovedPath {
  return realpathSync(path) === path;
}

async function listener(at: string | number, token: string): Promise<Server> {
  const bytes = typeof at === "number" ? 0 : Buffer.byteLength(at);
  if (bytes > MAX_SOCKET_BYTES) {
    throw new AppError(
      "config_invalid",
      `Expected a socket path of at most ${MAX_SOCKET_BYTES} bytes, got ${bytes}: choose a shorter SALLYPORT_HOME`,
    );
  }
  const server = createServer((socket) => {
    socket.on("error", () => undefined); // the other side was killed
    socket.end(token);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    if (typeof at === "number") server.listen(at, "127.0.0.1", resolve);
    else server.listen(at, resolve);
  });
  return server;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function sweep(folder: string, now: number): Promise<void> {
  for (const name of (await readdir(folder)).filter((name) => NAME.test(name))) {
    const found = await stat(join(folder, name)).catch(() => null); // removed by its own test meanwhile
    if (found === null || now - found.mtimeMs < LEFT_AFTER_MS) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
