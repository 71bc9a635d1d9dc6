import { messageOf } from "../domain/errors.ts";
import { tryBwrap } from "./bwrap-trial.ts";
import { STRANGER } from "./identity.ts";
import type { JailLog } from "./jail.ts";
import type { Marks } from "./mark.ts";
import { type DropTools, tenantOf } from "./tenants.ts";

interface OpenDropDeps {
  readonly bwrap: string;
  readonly scratchDir: string;
  readonly marks: Marks;
  readonly log: JailLog;
  readonly findOnPath: (name: string) => Promise<string | null>;
}

/**
 * Finds out by a trial whether a root daemon's jails can run as the owners of their projects. Null for an ordinary user, who has
 * nothing to drop, and for a root that cannot, which is told with the reason and the mend.
 */
export async function openDrop({
  bwrap,
  scratchDir,
  marks,
  log,
  findOnPath,
}: OpenDropDeps): Promise<DropTools | null> {
  if (process.getuid?.() !== 0) return null;
  const [setpriv, chown] = await Promise.all([findOnPath("setpriv"), findOnPath("chown")]);
  let why = "there is no setpriv or chown. Install them: sudo apt-get install -y util-linux coreutils";
  if (setpriv !== null && chown !== null) {
    const tools = { setpriv, chown };
    try {
      await tryBwrap({
        bwrap,
        scratchDir,
        mark: marks.next(),
        tenant: await tenantOf(STRANGER, scratchDir, tools),
      });
      return tools;
    } catch (error) {
      why = messageOf(error);
    }
  }
  log.warn(
    { event: "jail.root", why },
    "the daemon runs as root and cannot become another user in its sandbox, so programs there run as root, without privileges: run it as an ordinary user, or mend what `why` says",
  );
  return null;
}
