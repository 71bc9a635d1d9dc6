import type { MacOSSandboxParams } from "@anthropic-ai/sandbox-runtime/dist/sandbox/macos-sandbox-utils.js";
import { AppError } from "../domain/errors.ts";
import { SECRET_FILES } from "../domain/secret-files.ts";
import type { SiftEntry } from "./host-command.ts";
import type { HostEntry } from "./host-process.ts";
import type { ProtectedPath } from "./protection.ts";

/** Regions of a Mac where people's own data lies. The rest of the system stays readable, as sandbox-runtime has it. */
export const MAC_HIDDEN: readonly string[] = [
  "/Users",
  "/Volumes",
  "/Network",
  "/Library/Keychains",
  "/private/tmp",
  "/private/var/tmp",
  "/private/var/folders",
];

/** Not writable anywhere in the project, whether they exist or not: what the host's tools would run or obey (H22, H31). */
const PROTECTED = [
  ".git/config",
  ".git/config.worktree",
  ".git/hooks",
  ".git/commondir",
  ".git/modules",
  ".git/worktrees/*/config.worktree",
  ".gitmodules",
  ".mcp.json",
  ".claude",
  ".vscode",
  ".idea",
  ".husky",
];

/** Services of macOS that hold secrets or start things outside the sandbox; the generator always allows them. */
const REFUSED_SERVICES = [
  "com.apple.SecurityServer",
  "com.apple.securityd.xpc",
  "com.apple.coreservices.launchservicesd",
];

interface SeatbeltOptions {
  /** Further paths that must not be made. */
  readonly guarded: readonly string[];
  /** Regions that are not shown. */
  readonly hidden: readonly string[];
  /** The owner's additions to the list of secrets. */
  readonly secretFiles?: readonly string[];
}

/**
 * The parameters for sandbox-runtime's profile generator. Its own protected names follow the daemon's working directory,
 * so ours are given in full; `guarded` are further paths that must not be made, `hidden` the regions that are not shown. No network: one unix socket by path, no loopback; see `withPorts`.
 * @throws AppError `path_invalid` for a project whose path would be read as a pattern.
 */
export function seatbeltParams(
  { checked, inside, argv }: HostEntry,
  protectedPaths: readonly ProtectedPath[],
  { guarded, hidden, secretFiles = [] }: SeatbeltOptions,
): MacOSSandboxParams {
  const { project, configDir, apiSocket, workshop } = checked;
  checkProject(project);
  // Not readable either. `.env.example` is among them: the profile cannot make an exception by name.
  const secrets = [...SECRET_FILES, ...secretFiles];
  const { cacheDir, uploadsDir, tools } = workshop;
  const shown = uploadsDir === null ? tools : [...tools, uploadsDir];
  const own = [project, configDir, inside.home, inside.tmp, ...(cacheDir === null ? [] : [cacheDir])];
  const pathsOf = (kind: ProtectedPath["kind"]) =>
    protectedPaths.filter((at) => at.kind === kind).map(({ path }) => path);
  return {
    ...CLOSED,
    command: `unset SANDBOX_RUNTIME; export TMPDIR=${quote(inside.tmp)}; exec ${argv.map(quote).join(" ")}`,
    allowUnixSockets: [apiSocket],
    readConfig: {
      denyOnly: [...hidden, ...secrets.map((name) => `${project}/**/${name}`)],
      literalDenyOnly: pathsOf("mask"),
      literalAllowWithinDeny: [...own, apiSocket, ...shown, ...inside.program],
    },
    writeConfig: {
      allowOnly: [],
      literalAllowOnly: own,
      denyWithinAllow: [...PROTECTED, ...secrets].map((name) => `${project}/**/${name}`),
      literalDenyWithinAllow: [...pathsOf("readonly"), ...pathsOf("mask"), ...guarded],
    },
  };
}

/** The parameters for a command that only reads a project: no other folder of people's, no network, nothing to write to. */
export function readingParams(
  project: string,
  argv: readonly string[],
  hidden: readonly string[],
): MacOSSandboxParams {
  checkProject(project);
  return {
    ...CLOSED,
    command: `exec ${argv.map(quote).join(" ")}`,
    readConfig: { denyOnly: [...hidden], literalAllowWithinDeny: [project] },
    writeConfig: { allowOnly: [], denyWithinAllow: [] },
  };
}

/** The parameters for a program of `sift/`: what it reads, one folder to fill, no network. */
export function siftParams(
  { argv, reads, target }: SiftEntry,
  hidden: readonly string[],
): MacOSSandboxParams {
  const own = target === null ? [] : [target];
  return {
    ...CLOSED,
    command: `exec ${argv.map(quote).join(" ")}`,
    readConfig: { denyOnly: [...hidden], literalAllowWithinDeny: [...reads, ...own] },
    writeConfig: { allowOnly: [], literalAllowOnly: own, denyWithinAllow: [] },
  };
}

function checkProject(project: string): void {
  if (!/[*?[\]{}]/.test(project)) return;
  throw new AppError(
    "path_invalid",
    `The macOS sandbox cannot take a project whose path has one of * ? [ ] { }: ${project}`,
  );
}

/** What is the same for every command: no network, no loopback, no service of the system's. */
const CLOSED = {
  commandId: "sallyport",
  binShell: "/bin/bash",
  needsNetworkRestriction: true,
  allowAllUnixSockets: false,
  allowLocalBinding: false,
  allowAppleEvents: false,
  allowPty: false,
  allowGitConfig: false,
  unsetEnvVars: ["JAVA_TOOL_OPTIONS"], // the generator hands the daemon's own down
} satisfies Partial<MacOSSandboxParams>;

/** Where the generator lets the API's socket through; our ports come before it. */
const SOCKET_RULE = "(allow network-outbound (remote unix-socket";

/**
 * The generated shell command, with ways out to these ports of the host's loopback. The generator knows such ports for proxies of
 * its own alone, whose variables it would set.
 * @throws AppError `sandbox_missing` when the profile is not of the form that was expected.
 */
export function withPorts(command: string, ports: readonly number[]): string {
  if (ports.length === 0) return command;
  const at = command.indexOf(SOCKET_RULE);
  if (at < 0)
    throw new AppError("sandbox_missing", "The macOS profile has no rule for sockets: report this, please");
  const rules = ports.map((port) => `(allow network-outbound (remote ip "localhost:${port}"))\n`).join("");
  return command.slice(0, at) + rules + command.slice(at);
}

/** The generated shell command without the services that no jailed program may talk to. */
export function withoutServices(command: string): string {
  return REFUSED_SERVICES.reduce(
    (text, name) =>
      text
        .replaceAll(`(allow mach-lookup (global-name "${name}"))`, "")
        .replaceAll(`(global-name "${name}")`, ""),
    command,
  );
}

/** For sh: everything between single quotes is literal. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
