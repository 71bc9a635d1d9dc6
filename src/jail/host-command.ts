/** Without a mount namespace a program sees the host's paths; these folders are searched for programs. */
export const HOST_PATH = "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/** What is to be spawned for a request. */
export interface HostCommand {
  readonly file: string;
  readonly argv: readonly string[];
}

/** A program of `sift/` made ready: its whole argv, what it may read, and the one folder that it may fill. */
export interface SiftEntry {
  readonly argv: readonly string[];
  readonly reads: readonly string[];
  readonly target: string | null;
}
