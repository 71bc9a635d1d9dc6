import type { NetTarget } from "./net.ts";

/** The port of a rule that names none. */
const HTTPS = 443;
const MAX_NAME = 253;
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/** Letters, digits and hyphens, at least two labels, the last of them beginning with a letter: so no address in any spelling. */
const NAME = new RegExp(`^(?:${LABEL}\\.)+(?=[a-z])${LABEL}$`);
/** Names that never lead to a host of the internet (RFC 6761, RFC 6762, RFC 8375 and use in house networks). */
const LOCAL = /\.(?:localhost|local|localdomain|internal|intranet|lan|home|corp|private|arpa|onion)$/;

/** Hosts that may be reached: one by name, or with `isSuffix` all below a name; at one port. */
export interface HostRule {
  readonly host: string;
  readonly isSuffix: boolean;
  readonly port: number;
}

/** A host's name in the form in which names are compared; null for an address, a local name and whatever is no name. */
export function parseHostName(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, "");
  return name.length <= MAX_NAME && NAME.test(name) && !LOCAL.test(name) ? name : null;
}

/** Reads `example.com`, `*.example.com` or either with `:port`; null for anything else. */
export function parseHostRule(text: string): HostRule | null {
  const [, star, name = "", port] = /^(\*\.)?([^:*]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = parseHostName(name);
  const number = port === undefined ? HTTPS : Number(port);
  if (host === null || number < 1 || number > 65_535) return null;
  return { host, isSuffix: star !== undefined, port: number };
}

/** True when the rule covers the target; `*.example.com` does not cover `example.com` itself. */
export function coversHost({ host, isSuffix, port }: HostRule, target: NetTarget): boolean {
  if (port !== target.port) return false;
  return isSuffix ? target.host.endsWith(`.${host}`) : target.host === host;
}
