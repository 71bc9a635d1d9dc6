import type { Readable, Writable } from "node:stream";
import type { ApprovedPath } from "../domain/approved-path.ts";
import type { JailLossCause } from "../domain/claude-event.ts";
import type { ProjectEntry } from "../domain/finding.ts";

/** Where things are, as the jailed program sees them. `path` is a PATH value; `program` is the head of its argv. */
export interface InsidePaths {
  readonly program: readonly string[];
  readonly project: string;
  readonly configDir: string;
  readonly apiSocket: string;
  readonly home: string;
  readonly tmp: string;
  readonly path: string;
  /** The loopback port of the way to the network, for `HTTP_PROXY`; null when there is none. */
  readonly proxyPort: number | null;
  /** The workshop's cache folder; null when there is none. */
  readonly cacheDir: string | null;
}

/** What a jail offers beside the project, so that work gets done in it. Host paths, absolute and real. */
export interface Workshop {
  /** Folders and files that show at their own places, read-only: toolchains. */
  readonly tools: readonly string[];
  /** Folders that are looked through for programs before the system's own. */
  readonly path: readonly string[];
  /** A folder (0700) for caches of package managers, bound read-write; null for none. One for each person and project. */
  readonly cacheDir: string | null;
  /** A folder (0700) with the files that the person sent, bound read-only; null for none. One for each person and project. */
  readonly uploadsDir: string | null;
  /** Variables beside those that the jailed program itself needs. */
  readonly env: (inside: InsidePaths) => Readonly<Record<string, string>>;
  /** Files of the project that match the list of secrets and are shown all the same, because an owner said so. */
  readonly exposed: readonly string[];
}

/** A workshop with nothing in it. */
export const BARE_WORKSHOP: Workshop = {
  tools: [],
  path: [],
  cacheDir: null,
  uploadsDir: null,
  env: () => ({}),
  exposed: [],
};

/**
 * Why a jail no longer holds and is killed: a secret file appeared in it, what protects a path was lost, or a folder can no
 * longer be watched for secrets.
 */
export interface JailLoss {
  readonly kind: JailLossCause;
  /** On the host. */
  readonly path: string;
}

/** A loopback port of the host and the unix socket through which it is reached. */
export interface LocalPort {
  readonly port: number;
  readonly socket: string;
}

/** What to run, where, with what. All paths are absolute host paths; none but the project may lie in the project. */
export interface JailRequest {
  /** Bound read-write at its own path. Looked up again at every start: a path that leads elsewhere now is refused. */
  readonly project: ApprovedPath;
  /**
   * A binary, or a one-file ES module (`.ts .mts .js .mjs`; it may import `node:` only) for the daemon's own Node.
   * In the Linux jail it is the only file of its folder that exists.
   */
  readonly program: string;
  /** A folder (0700) that outlives the jail, bound read-write at the CLI's CLAUDE_CONFIG_DIR. */
  readonly configDir: string;
  /** A listening unix socket. It must stay the same file for the life of the jail. */
  readonly apiSocket: string;
  readonly args: (inside: InsidePaths) => readonly string[];
  /** A listening unix socket that leads to the daemon's filter for the network; without it there is no network. */
  readonly netSocket?: string;
  /** The port of the host's loopback that leads to the same filter, for a jail that shares the loopback. */
  readonly netPort?: number;
  /** Loopback ports of the host that show on the jail's own loopback, each by a listening unix socket that leads there. */
  readonly localPorts?: readonly LocalPort[];
  /** Nothing beside the project when left out. */
  readonly workshop?: Workshop;
  /** Told at once that the jail no longer holds, before it is killed: whatever it may use is to be shut. Must not throw. */
  readonly onLoss?: (loss: JailLoss) => void;
  /** The whole environment: nothing is inherited. The jail itself adds PWD and its own mark. */
  readonly env: (inside: InsidePaths) => Readonly<Record<string, string>>;
}

/**
 * How it ended. Under bwrap a program ended by a signal shows as code 128 + number, and so does `kill`: 137.
 * Both are null only when it could not be learnt.
 */
export interface JailExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A program in its jail. */
export interface JailedProcess {
  /** The host's pid of the outermost process. */
  readonly pid: number;
  readonly stdin: Writable;
  /** Not buffered and not read by the jail: what is not read holds the program back. May hold data after the exit. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves once the program and all its descendants are gone and the jail's traces are removed. Never rejects. */
  readonly exited: Promise<JailExit>;
  /** Ends it at once with all its descendants; resolves with `exited`. May be called again. */
  readonly kill: () => Promise<void>;
  /**
   * Resolves when all that happened to the project's files until now was looked at and `onLoss` was told of what it means:
   * to be waited for before anything that the jail says is passed on.
   */
  readonly settle: () => Promise<void>;
  /** What stood in the project, when the jail began, of the kind that is to be told when it is made anew (H31). */
  readonly baseline: readonly ProjectEntry[];
}

/** A small program of the daemon's own (`sift/`) over one file of somebody else's. Paths are the host's, in a folder of the daemon's own. */
export interface SiftRequest {
  readonly program: "sniff" | "unpack";
  /** Read-only to the program. */
  readonly file: string;
  /** An empty folder that it may fill; null for none. */
  readonly target: string | null;
  /** What it is told beside the two. */
  readonly order: object;
  /** The largest file that it may write. */
  readonly maxFileBytes: number;
  /** It runs as the programs of this project do, and what it writes is theirs. */
  readonly project: ApprovedPath;
  /** Aborted = it is ended. */
  readonly signal: AbortSignal;
}

/** How such a program ended, and what it printed. */
export type Sift = (
  request: SiftRequest,
) => Promise<{ readonly code: number | null; readonly stdout: string }>;

/** The one way to run anything that touches a project. */
export interface Jail {
  readonly kind: "bwrap" | "seatbelt" | "none";
  /** True when the daemon is root and its jails run as the owners of their projects; false when left out. */
  readonly dropsRoot?: boolean;
  /**
   * Resolves when the program runs inside a sandbox whose mounts were checked.
   * @throws AppError `path_invalid`, `path_outside` for a request that cannot be jailed soundly, `sandbox_missing` when
   * the system's sandbox failed, `claude_missing` when the program is not there.
   */
  readonly start: (request: JailRequest) => Promise<JailedProcess>;
  /**
   * Runs such a program in a jail that has nothing but it, the system, the file and the folder: no project, no socket, no network;
   * with limits on time, memory and the size of files. Rejects with `sandbox_missing`.
   */
  readonly sift: Sift;
  /** Kills all, removes the guards. After it, `start` is refused. */
  readonly close: () => Promise<void>;
}

/** The two levels the jail logs at; pino's logger fits. */
export interface JailLog {
  readonly info: (fields: object, message: string) => void;
  readonly warn: (fields: object, message: string) => void;
}
