/**
 * Files that hold secrets, by name, wherever they lie in the project (H05). Templates such as `.env.example` are none.
 * The rules made of these stop the file tools and plainly written commands (`cat .env`); what a shell or a program finds by
 * itself (`cat .e*v`) only the jail's masks stop.
 */
const SECRET_FILES = [
  ".env",
  ".env.local",
  ".env.*.local",
  ".env.dev",
  ".env.development",
  ".env.test",
  ".env.staging",
  ".env.prod",
  ".env.production",
  ".envrc",
  ".netrc",
  ".npmrc",
  ".pypirc",
  ".pgpass",
  ".git-credentials",
  ".htpasswd",
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
  "*.keychain",
  "*.keychain-db",
  "*.kdbx",
] as const;

/** Files that run or decide something later, outside the jail or at the CLI's next start (H22, H31): not to be written. */
const PROTECTED_PATHS = [
  ".git/config",
  ".git/config.worktree",
  ".git/commondir",
  ".git/hooks/**",
  ".git/modules/**",
  ".claude/**",
  ".mcp.json",
] as const;

/**
 * The CLI's deny rules, relative to the project at any depth; an `Edit` rule holds for every tool that writes. The CLI drops
 * a rule that it does not understand without a word, so what it took is compared with this list after every start.
 */
export function denyRules(): readonly string[] {
  return [
    ...SECRET_FILES.flatMap((name) => [`Read(**/${name})`, `Edit(**/${name})`]),
    ...PROTECTED_PATHS.map((path) => `Edit(**/${path})`),
  ];
}
