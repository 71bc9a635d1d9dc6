import type { NetPolicy, NetTarget, NetVerdict } from "../domain/net.ts";
import type { Work } from "../domain/work.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import type { RecordWork } from "./settle.ts";

interface RecordedNetDeps {
  readonly store: Pick<Store, "transaction">;
  readonly record: RecordWork;
  readonly work: Work;
  readonly log: Logger;
}

type Verdicts = Pick<NetPolicy, "mayConnect" | "mayFetch" | "mayPush">;

/** git's own port, at which repositories stand among hosts. */
const GIT_PORT = 9418;

/**
 * The same verdicts, of which none lets anything through that is not on record before, and on the disk: each place once a turn. What cannot be put
 * on record, and what cannot be judged because the store takes nothing, is denied.
 */
export function createRecordedNet(policy: Verdicts, { store, record, work, log }: RecordedNetDeps): Verdicts {
  const told = new Set<string>();

  function tell({ host, port }: NetTarget): void {
    const key = `${host}:${port}`;
    if (told.has(key)) return;
    store.transaction(() => record({ type: "net.allowed", host, port }, { work }));
    told.add(key);
  }

  async function guarded(judge: () => Promise<NetVerdict>, target: NetTarget | null): Promise<NetVerdict> {
    try {
      const verdict = await judge();
      if (verdict.kind === "allow" && target !== null) tell(target);
      return verdict;
    } catch (error) {
      log.error({ event: "net.unrecorded", workId: work.id, err: error }, "a way out was denied");
      const reason = "Sallyport could not put this on record, so it was denied";
      return { kind: "deny", reason, cause: "unrecorded" };
    }
  }

  return {
    mayConnect: (target, signal) => guarded(() => policy.mayConnect(target, signal), target),
    mayFetch: (remote, signal) =>
      guarded(() => policy.mayFetch(remote, signal), {
        host: `${remote.host}/${remote.repository}`,
        port: GIT_PORT,
      }),
    // Each push is put before a person, which is on record before it goes out.
    mayPush: (remote, updates, signal) => guarded(() => policy.mayPush(remote, updates, signal), null),
  };
}
