import { parseHostName } from "../domain/host-rule.ts";
import type { GitRemote } from "../domain/net.ts";

/** A request of git's smart HTTP protocol (gitprotocol-http(5)). */
export interface GitRoute {
  readonly remote: GitRemote;
  readonly service: "git-upload-pack" | "git-receive-pack";
  readonly step: "discover" | "exchange";
  /** On the git host, with query. */
  readonly path: string;
}

const PATH = /^\/([a-z0-9.-]+)\/(.+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/;
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;
const DISCOVER = /^\?service=(git-upload-pack|git-receive-pack)$/;

/** Reads one of the four routes out of `http://git.gate/<host>/<owner>/<name>.git/…`; null for anything else. */
export function parseGitRoute(method: string, address: string): GitRoute | null {
  const url = URL.parse(address);
  const [, name = "", repository = "", rest = ""] = PATH.exec(url?.pathname ?? "") ?? [];
  const host = parseHostName(name);
  const segments = repository.split("/");
  if (url === null || host !== name || segments.length < 2 || segments.length > 6) return null;
  if (!segments.every((segment) => SEGMENT.test(segment))) return null;
  const remote = { host, repository };
  const base = `/${repository}.git`;
  if (rest === "info/refs") {
    const service = DISCOVER.exec(url.search)?.[1];
    if (method !== "GET" || (service !== "git-upload-pack" && service !== "git-receive-pack")) return null;
    return { remote, service, step: "discover", path: `${base}/info/refs?service=${service}` };
  }
  if (method !== "POST" || url.search !== "") return null;
  const service = rest === "git-upload-pack" ? rest : "git-receive-pack";
  return { remote, service, step: "exchange", path: `${base}/${service}` };
}
