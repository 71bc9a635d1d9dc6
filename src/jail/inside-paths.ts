import type { Jail } from "./jail.ts";

/** Fixed places of the Linux jail. A project may not lie over them. */
export const INSIDE = {
  home: "/home/bot",
  configDir: "/home/bot/.claude",
  binary: "/opt/claude",
  node: "/opt/node",
  script: "/opt/program.mts",
  apiSocket: "/run/api.sock",
  netSocket: "/run/net.sock",
  /** Where the bridge to `netSocket` listens on the jail's own loopback. */
  proxyPort: 3128,
  /** Folder of the sockets behind `localPorts`. */
  portSockets: "/run/ports",
  cacheDir: "/home/bot/.cache",
  /** What the person sent, read-only. */
  uploads: "/uploads",
  /** Of a jail of `sift/`: what its program consists of, by the host's paths; the file it is about; the folder it may fill. */
  sift: { program: "/run/sift", file: "/run/file", target: "/run/target" },
  tmp: "/tmp",
  path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
} as const;

/** Folders that the Linux jail builds itself: a project may not hold one of them, nor lie in the second list. */
const BUILT = ["/usr", "/etc", "/proc", "/dev", INSIDE.tmp, INSIDE.home];
const CLOSED = [
  "/proc",
  "/dev",
  "/sys",
  INSIDE.configDir,
  INSIDE.binary,
  INSIDE.node,
  INSIDE.script,
  INSIDE.apiSocket,
  INSIDE.netSocket,
  INSIDE.portSockets,
  INSIDE.cacheDir,
  INSIDE.uploads,
];

/** Where the programs of a jail see a folder of uploads. */
export function uploadsPath(kind: Jail["kind"], folder: string): string {
  return kind === "bwrap" ? INSIDE.uploads : folder;
}

/** True when `path` is `folder` or lies in it. Both absolute and without `..`. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** The fixed place that a project at `path` would cover or be covered by, or null when there is none. */
export function collisionWith(path: string): string | null {
  return (
    [...BUILT, ...CLOSED].find((place) => isWithin(place, path)) ??
    CLOSED.find((place) => isWithin(path, place)) ??
    null
  );
}
