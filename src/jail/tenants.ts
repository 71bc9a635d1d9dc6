import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { CheckedRequest } from "./check-request.ts";
import { assertRuns, giveTo, letIn } from "./give-to.ts";
import { becoming, type Identity, identityOfOwner } from "./identity.ts";
import { INSIDE } from "./inside-paths.ts";
import type { JailLog } from "./jail.ts";
import { type SystemBinds, systemBinds } from "./system-binds.ts";
import { verifyIdentity } from "./verify-identity.ts";

/** As whom one jail's programs run, and what that takes. */
export interface Tenant {
  /** Null: as the daemon's own user. */
  readonly identity: Identity | null;
  readonly system: SystemBinds;
  /** What stands before the program's argv. */
  readonly become: readonly string[];
  /** Called with the pid of the jail's first process when it is set up and has not begun; throws when it is not as it should be. */
  readonly moveIn: (initPid: number) => Promise<void>;
}

/** Two programs of the system by which root becomes somebody else. */
export interface DropTools {
  readonly setpriv: string;
  readonly chown: string;
}

/** `tools` is null where jails run as the daemon's own user: an ordinary one, or a root that cannot drop. */
export interface TenantsDeps {
  readonly scratchDir: string;
  readonly own: Tenant;
  readonly tools: DropTools | null;
  readonly log: JailLog;
}

/** Whose a project is. */
interface Owner {
  readonly uid: bigint;
  readonly gid: bigint;
}

/** Finds the tenants of jails. */
export interface Tenants {
  /** Of a project with that owner. */
  readonly of: (owner: Owner) => Promise<Tenant>;
  /** The same, and makes what the daemon gives to that jail his. */
  readonly admit: (checked: CheckedRequest, owner: Owner) => Promise<Tenant>;
}

/** Tenants for the jails of one daemon: a project's owner, where the daemon is root and the project is not root's. */
export function createTenants({ scratchDir, own, tools, log }: TenantsDeps): Tenants {
  const warned = new Set<string>();
  const known = new Map<string, Promise<Tenant>>();

  async function of(owner: Owner): Promise<Tenant> {
    const identity = identityOfOwner(owner);
    if (tools === null || identity === null) return own;
    const key = `${identity.uid}:${identity.gid}`;
    const tenant = known.get(key) ?? tenantOf(identity, scratchDir, tools);
    known.set(key, tenant);
    tenant.catch(() => known.delete(key)); // told to whoever waits for it
    return tenant;
  }

  async function prepare(
    checked: CheckedRequest,
    identity: Identity | null,
    chownPath: string,
  ): Promise<void> {
    const { configDir, project, apiSocket, netSocket, localPorts, program, workshop } = checked;
    for (const folder of [configDir, workshop.cacheDir, workshop.uploadsDir]) {
      if (folder !== null) await giveTo(folder, identity ?? ROOT, chownPath);
    }
    if (identity === null) {
      if (!warned.has(project))
        log.warn(
          { event: "jail.root", project },
          "this project is root's own, and so its programs run as root, without privileges: chown -R it to an ordinary user",
        );
      warned.add(project);
      return;
    }
    await assertRuns(program, identity);
    for (const socket of [apiSocket, netSocket, ...localPorts.map(({ socket }) => socket)]) {
      if (socket !== null) await letIn(socket);
    }
  }

  return {
    of,
    admit: async (checked, owner) => {
      if (tools !== null) await prepare(checked, identityOfOwner(owner), tools.chown);
      return of(owner);
    },
  };
}

const ROOT: Identity = { uid: 0, gid: 0 };

/** The tenant with that identity; his made-up files of /etc lie in a folder of `scratchDir`. */
export async function tenantOf(
  identity: Identity,
  scratchDir: string,
  { setpriv }: DropTools,
): Promise<Tenant> {
  const { uid, gid } = identity;
  const folder = join(scratchDir, `uid-${uid}-${gid}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return {
    identity,
    system: await systemBinds(folder, identity),
    become: becoming(setpriv, identity),
    moveIn: async (initPid) => {
      await verifyIdentity(initPid, identity);
      // Made by bwrap, so root's; nothing runs in there yet that could put something else in its place.
      await chown(`/proc/${initPid}/root${INSIDE.home}`, uid, gid);
    },
  };
}
