import { INSIDE } from "./inside-paths.ts";

/** A port of the jail's own loopback and the unix socket, in the jail, to which it leads. */
export interface Bridge {
  readonly port: number;
  readonly socket: string;
}

/**
 * The argv that first puts bridges from the jail's loopback to sockets behind it, then becomes the program. The program may
 * end the bridges: it only loses its own way out. `socat` is a path that exists in the jail.
 */
export function withBridges(
  socat: string,
  bridges: readonly Bridge[],
  argv: readonly string[],
): readonly string[] {
  if (bridges.length === 0) return argv;
  const words = bridges.flatMap(({ port, socket }) => [
    `TCP-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr`,
    `UNIX-CONNECT:${socket}`,
  ]);
  const script = `n=${bridges.length}; while [ $n -gt 0 ]; do "$0" "$1" "$2" </dev/null >/dev/null 2>&1 & shift 2; n=$((n-1)); done; exec "$@"`;
  return ["/bin/sh", "-c", script, socat, ...words, ...argv];
}

/** Where the socket behind a port of the host's shows in the jail. */
export function portSocketOf(port: number): string {
  return `${INSIDE.portSockets}/${port}.sock`;
}
