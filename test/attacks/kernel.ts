import { type Attack, bash } from "./attack.ts";

/** What no namespace keeps apart. */
export function kernel(): readonly Attack[] {
  const [addKey, keyctl] = process.arch === "arm64" ? [217, 219] : [248, 250];
  const keyring = (asset: string, isSubagent: boolean): Attack => ({
    asset,
    route: isSubagent ? "subagent: Bash" : "Bash: perl",
    isSubagent,
    calls: [
      bash(
        `perl -e 'my ($t, $n, $x, $o) = ("user", "canary", "CANARY-of-the-keyring", "\\0" x 21); my $k = syscall(${addKey}, $t, $n, $x, length $x, -3); $x = ""; syscall(${keyctl}, 11, $k, $o, 21); print "read: $o"'`,
      ),
    ],
    isThrough: ({ told }) => told.includes("read: CANARY-of-the-keyring"),
  });
  const families: Attack = {
    asset: "network: other families",
    route: "Bash: perl",
    calls: [
      bash(
        "perl -e 'for (3..9, 11..15, 17..45) { print qq(FAMILY-$_ ) if socket(S, $_, 1, 0) or socket(S, $_, 2, 0) or socket(S, $_, 3, 0) or socket(S, $_, 5, 0) }'",
      ),
    ],
    isThrough: ({ told }) => told.includes("FAMILY-"),
  };
  return [keyring("kernel keyring", false), keyring("kernel keyring", true), families];
}
