/**
 * Files that hold secrets (H05): the one list from which the CLI's deny rules, the tool policy, the jail's masks and their
 * watcher are made. A pattern without a slash is a file's name, one with slashes the end of its path; `*` stands for any
 * characters but a slash. Matched without regard to case, since the disks of Macs have none.
 */
export const SECRET_FILES: readonly string[] = [
  ".env*",
  // keys
  "id_rsa",
  "id_dsa",
  "id_ecdsa",
  "id_ed25519",
  "*.pem",
  "*.key",
  "*.p8",
  "*.p12",
  "*.pfx",
  "*.jks",
  "*.keystore",
  "*.ppk",
  ".ssh/*",
  ".gnupg/*",
  // logins of tools
  ".netrc",
  "_netrc",
  ".npmrc",
  ".yarnrc.yml",
  ".pypirc",
  ".pgpass",
  ".my.cnf",
  ".git-credentials",
  ".htpasswd",
  ".dockercfg",
  ".docker/config.json",
  ".kube/config",
  ".vault-token",
  ".terraformrc",
  "credentials.tfrc.json",
  ".cargo/credentials",
  ".cargo/credentials.toml",
  ".gem/credentials",
  ".m2/settings.xml",
  ".config/gh/hosts.yml",
  // stores of clouds and browsers
  ".aws/credentials",
  ".aws/config",
  ".azure/*",
  ".config/gcloud/*",
  "application_default_credentials.json",
  ".boto",
  "cookies.sqlite",
  "logins.json",
  "key4.db",
  "login data",
  // keychains
  "*.keychain",
  "*.keychain-db",
  "*.kdbx",
  "*.kwallet",
];

/** Names that a pattern of the list covers and that hold none: a template, and the certificates of public authorities. */
const HARMLESS: readonly string[] = [".env.example", "cacert.pem"];

/** Tells whether a path names a secret file. */
export type IsSecret = (path: string) => boolean;

/** A matcher for the list and the owner's additions to it. Paths may be absolute or relative, with `/`. */
export function createIsSecret(additions: readonly string[] = []): IsSecret {
  const matchers = [...SECRET_FILES, ...additions].map(matcherOf);
  return (path) => {
    const lower = path.normalize("NFC").toLowerCase();
    return !HARMLESS.includes(nameOf(lower)) && matchers.some((isMatch) => isMatch(lower));
  };
}

/** True when one pattern of the list covers a path. */
export function isCovered(path: string, pattern: string): boolean {
  return matcherOf(pattern)(path.normalize("NFC").toLowerCase());
}

/**
 * How many levels below a folder of that name (not a path) the list and the owner's additions reach: 1 for `.ssh`, of which
 * the list has `.ssh/*`; 0 for a folder that no pattern names.
 */
export function createSecretDepth(additions: readonly string[] = []): (folderName: string) => number {
  const folders = [...SECRET_FILES, ...additions].flatMap((pattern) => {
    const names = pattern.split("/").filter((name) => name !== "");
    return names.slice(0, -1).map((name, index) => ({
      isMatch: matcherOf(name),
      depth: names.length - 1 - index,
    }));
  });
  return (folderName) => {
    const name = folderName.normalize("NFC").toLowerCase();
    return Math.max(0, ...folders.map(({ isMatch, depth }) => (isMatch(name) ? depth : 0)));
  };
}

function matcherOf(pattern: string): IsSecret {
  const isPath = pattern.includes("/");
  const body = pattern
    .normalize("NFC")
    .toLowerCase()
    .split("*")
    .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[^/]*");
  const regex = new RegExp(isPath ? `/${body}$` : `^${body}$`, "s");
  return (lower) => regex.test(isPath ? `/${lower}` : nameOf(lower));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
