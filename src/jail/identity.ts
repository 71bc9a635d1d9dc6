/** The user and group as which a jail's programs run, where they are not the daemon's own. Never root's user. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** nobody: a user that owns nothing and that systems know, as whom jails are tried. */
export const STRANGER: Identity = { uid: 65_534, gid: 65_534 };

/**
 * Whose rights a root daemon's jail has in a project: its owner's and his group's. Null for root's own project, which nobody else
 * could write. Root's group is given to nobody: `chown` without a group leaves it behind, and the user's own mostly has his number.
 */
export function identityOfOwner({
  uid,
  gid,
}: {
  readonly uid: bigint;
  readonly gid: bigint;
}): Identity | null {
  if (uid === 0n) return null;
  return { uid: Number(uid), gid: Number(gid === 0n ? uid : gid) };
}

/**
 * The capabilities that `becoming` needs and gives up: to change user and groups, and to empty the bounding set
 * (capabilities(7)).
 */
export const BECOMING_CAPABILITIES = ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"] as const;

/** The head of an argv that becomes that user for good, without a capability or a way to get one, and then the rest. */
export function becoming(setpriv: string, { uid, gid }: Identity): readonly string[] {
  return [
    setpriv,
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    "--inh-caps=-all",
    "--ambient-caps=-all",
    "--bounding-set=-all",
    "--no-new-privs",
    "--",
  ];
}
