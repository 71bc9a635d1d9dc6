import type { Socket } from "node:net";

/** A host by name, lower case, without a trailing dot; and a port. */
export interface NetTarget {
  readonly host: string;
  readonly port: number;
}

/** The name under which a person is asked about a host, as if it were a tool; its input is a `NetTarget`. */
export const NETWORK_ACCESS = "NetworkAccess";

/** The names under which a person is asked about a repository, and about a push to it. */
export const GIT_REMOTE = "GitRemote";
export const GIT_PUSH = "GitPush";

/** What may be reached. The reason of a denial is shown to the program that asked. */
export type NetVerdict =
  | { readonly kind: "allow" }
  | { readonly kind: "deny"; readonly reason: string; readonly cause: NetRefusal };

/** Why something was not reached, for the record: no words of a program's get into it. */
export type NetRefusal =
  | "closed"
  | "unrecorded"
  | "denied"
  | "unanswered"
  | "too_many"
  | "no_public_name"
  | "private_address"
  | "not_https"
  | "no_git_request"
  | "no_remote"
  | "not_accepted"
  | "for_owners"
  | "no_token"
  | "unreadable_push";

/** What was refused: a host, or `host/owner/name` for a repository; the port is null where there was none to read. */
export interface NetRefused {
  readonly host: string;
  readonly port: number | null;
  readonly reason: NetRefusal;
}

/** A connection that was let through and is over. */
export interface Tunnel extends NetTarget {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
}

/** A repository on a git host, such as `github.com` and `owner/name`. */
export interface GitRemote {
  readonly host: string;
  /** The path without a leading slash and without `.git`. */
  readonly repository: string;
}

/** One line of a push: a ref and its object ids, in hex; all zeros stand for "does not exist". */
export interface RefUpdate {
  readonly ref: string;
  readonly oldId: string;
  readonly newId: string;
}

/** Who decides, while a turn runs, what the programs of its jail may reach. Each may wait for a person. Never rejects. */
export interface NetPolicy {
  readonly mayConnect: (target: NetTarget, signal: AbortSignal) => Promise<NetVerdict>;
  readonly mayFetch: (remote: GitRemote, signal: AbortSignal) => Promise<NetVerdict>;
  readonly mayPush: (
    remote: GitRemote,
    updates: readonly RefUpdate[],
    signal: AbortSignal,
  ) => Promise<NetVerdict>;
  readonly onTunnel: (tunnel: Tunnel) => void;
  /** The gate itself refused something, without a verdict. As often as a program likes. */
  readonly onRefused: (refused: NetRefused) => void;
  /** The git host took a push that was allowed. */
  readonly onPushed: (remote: GitRemote, updates: readonly RefUpdate[]) => void;
}

/** How the daemon itself reaches other machines for a jail. Tests put machines of their own in its place. */
export interface Internet {
  /** All addresses of a name. Rejects when there is none. */
  readonly lookup: (host: string) => Promise<readonly string[]>;
  /** Begins to connect to an address. */
  readonly connect: (target: { readonly address: string; readonly port: number }) => Socket;
  /** Certificates to trust beside the system's own, in PEM. */
  readonly extraCa?: string;
}
