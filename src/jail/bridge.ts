import { INSIDE } from "./inside-paths.ts";

/**
 * The argv that first puts a bridge from the jail's loopback to the network's socket behind it, then becomes the program.
 * The program may end the bridge: it only loses its own way out. `socat` is a path that exists in the jail.
 */
export function withBridge(socat: string, argv: readonly string[]): readonly string[] {
  const listen = `TCP-LISTEN:${INSIDE.proxyPort},bind=127.0.0.1,fork,reuseaddr`;
  const script = `"$0" ${listen} UNIX-CONNECT:${INSIDE.netSocket} </dev/null >/dev/null 2>&1 & exec "$@"`;
  return ["/bin/sh", "-c", script, socat, ...argv];
}
