import type { Readable, Writable } from "node:stream";
import type { ApprovedPath } from "../domain/approved-path.ts";

/** Where things are, as the jailed program sees them. `path` is a PATH value; `program` is the head of its argv. */
export interface InsidePaths {
  readonly program: readonly string[];
  readonly project: string;
  readonly configDir: string;
  readonly apiSocket: string;
  readonly home: string;
  readonly tmp: string;
  readonly path: string;
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
}

/** The one way to run anything that touches a project. */
export interface Jail {
  readonly kind: "bwrap" | "seatbelt" | "none";
  /**
   * Resolves when the program runs inside a sandbox whose mounts were checked.
   * @throws AppError `path_invalid`, `path_outside` for a request that cannot be jailed soundly, `sandbox_missing` when
   * the system's sandbox failed, `claude_missing` when the program is not there.
   */
  readonly start: (request: JailRequest) => Promise<JailedProcess>;
  /** Kills all, removes the guards. After it, `start` is refused. */
  readonly close: () => Promise<void>;
}

/** The two levels the jail logs at; pino's logger fits. */
export interface JailLog {
  readonly info: (fields: object, message: string) => void;
  readonly warn: (fields: object, message: string) => void;
}
