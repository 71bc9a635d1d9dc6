import type { Attack } from "./attack.ts";

/** The columns that an asset is attacked by. */
export const ROUTE_KINDS = [
  "file tools",
  "Bash, plain",
  "Bash, disguised",
  "link made, then used",
  "link swapped while running",
  "hard link or rename",
  "/proc",
  "child that outlives the command",
  "subagent",
  "MCP tool",
  "prompt",
] as const;
type RouteKind = (typeof ROUTE_KINDS)[number];

/** Which of them a route is. */
export function kindOf({ route }: Pick<Attack, "route">): RouteKind {
  if (route.startsWith("link swapped")) return "link swapped while running";
  if (/^linked? /.test(route) || route.startsWith("link,")) return "link made, then used";
  if (/hard link|rename|remove|move/.test(route)) return "hard link or rename";
  if (route.includes("/proc")) return "/proc";
  if (route.includes("session of its own")) return "child that outlives the command";
  if (route.startsWith("subagent")) return "subagent";
  if (route === "MCP tool") return "MCP tool";
  if (route.endsWith("in the prompt")) return "prompt";
  if (/^(Read|Write)/.test(route)) return "file tools";
  return ["Bash: plain", "Bash: redirection"].includes(route) ? "Bash, plain" : "Bash, disguised";
}

const NOT_A_FILE = "no file: nothing to read, write, link or rename";
const ONE_RACE =
  "the race is that of the link, not of what it leads to: tried for another project's files and a folder outside";
const WRITTEN_BY_PROMPT = "a prompt writes nothing by itself";

/** Why a cell is empty, by asset and kind. */
export function reasonFor(asset: string, kind: RouteKind): string | null {
  if (kind === "link swapped while running") return ONE_RACE;
  if (kind === "prompt" && /write|code|hooks/.test(asset)) return WRITTEN_BY_PROMPT;
  if (/^network|socket|processes|keyring/.test(asset)) {
    if (kind === "MCP tool")
      return "a server of the project runs in the same jail: what Bash cannot reach it cannot";
    if (kind === "prompt") return "a prompt reaches what a command in it reaches, which is Bash";
    if (kind === "/proc") return "a socket or signal has no way through /proc that a file has not";
    if (kind === "subagent") return "tried for the other families, which fail or hold alike";
    if (kind === "Bash, plain" || kind === "child that outlives the command")
      return "the shell has no words for it: a program makes the call, Perl stands for all";
    return NOT_A_FILE;
  }
  if (asset === "API credential" || asset === "daemon's environment") {
    if (kind === "MCP tool") return "a server of the project has the environment that Bash has";
    if (kind === "file tools") return "Read refuses /proc/*/environ by itself";
    if (kind === "prompt") return "a prompt reaches what a command in it reaches, which is Bash";
    return NOT_A_FILE;
  }
  if (asset === "secret that appears")
    return "it is read the moment it is there: a command that waits for it stands for every way to read it";
  if (["the next session", "the owner's own git", "what a turn makes anew"].includes(asset))
    return "what is left behind is what counts here; the ways to write it are those of the rows above";
  return null;
}
