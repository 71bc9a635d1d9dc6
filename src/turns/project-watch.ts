import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ButtonAction } from "../domain/button.ts";
import { AppError, messageOf } from "../domain/errors.ts";
import type { ProjectEntry } from "../domain/finding.ts";
import type { Quarantined } from "../domain/quarantine.ts";
import type { Work } from "../domain/work.ts";
import type { Jail, JailedProcess, JailRequest } from "../jail/jail.ts";
import { lookThrough } from "../jail/look-through.ts";
import { newEntries } from "../jail/project-entries.ts";
import { moveBack, moveOut } from "../jail/quarantine-files.ts";
import type { Logger } from "../log/logger.ts";
import { createQuarantineDesk, type QuarantineDeskDeps } from "./quarantine-desk.ts";

interface WatchDeps extends QuarantineDeskDeps {
  /** Where what was taken out of projects lies, a folder each. */
  readonly folder: string;
  readonly log: Logger;
}

/** A turn that is about to run in a project. */
export interface WatchedTurn<T> {
  readonly root: string;
  readonly work: Work;
  /** Runs it; rejects when it was not begun. */
  readonly run: () => Promise<T>;
  /** True when it may have changed something. Asked after it ended. */
  readonly mayHaveChanged: (end: T) => boolean;
  /** Ends the process that it leaves warm. */
  readonly endWarm: () => Promise<void>;
}

/**
 * Keeps out of projects what turns made there that the owner's git or tools would obey (H31): after each turn, when a process
 * ends, and at the start for what an earlier life left, a project is compared with what stood there when its jail began, and
 * what is new is told and moved to the quarantine until an owner accepts it.
 */
export interface ProjectWatch {
  /** The jail, of which it is noted what stands in a project as something begins there, before it can change anything. */
  readonly over: (jail: Jail) => Jail;
  /** Runs a turn and looks at what it left, so that it is told before its answer. */
  readonly during: <T>(turn: WatchedTurn<T>) => Promise<T>;
  /** An owner's word on what lies in quarantine. Called inside a transaction. */
  readonly decide: (action: Extract<ButtonAction, { kind: "quarantine" }>, by: number) => "done" | "late";
  /** Sorts out what an earlier life left; nothing begins in those projects before that. */
  readonly recover: () => void;
  readonly close: () => Promise<void>;
}

/** How long the end of a warm process is waited for before what it made is moved all the same. */
const END_MS = 8_000;

/** What is new in a project, and why a part of it could not be looked into. */
interface Seen {
  readonly found: readonly ProjectEntry[];
  readonly faults: readonly unknown[];
}

interface Place {
  readonly live: Set<JailedProcess>;
  turns: number;
  queue: Promise<unknown>;
}

export function createProjectWatch(deps: WatchDeps): ProjectWatch {
  const { store, folder, log } = deps;
  const desk = createQuarantineDesk(deps);
  const places = new Map<string, Place>();
  let isClosed = false;

  function placeOf(root: string): Place {
    const place = places.get(root) ?? { live: new Set(), turns: 0, queue: Promise.resolve() };
    places.set(root, place);
    return place;
  }

  /** One act at a time in a project. */
  function inTurn<T>(root: string, act: () => Promise<T>): Promise<T> {
    const place = placeOf(root);
    const result = place.queue.then(act);
    place.queue = result.catch(() => undefined); // told to the caller by `result`
    return result;
  }

  /** For what nobody waits for. */
  function later(root: string, act: () => Promise<void>): void {
    if (isClosed) return;
    void inTurn(root, async () => (isClosed ? undefined : act())).catch((error: unknown) =>
      log.error(
        { event: "project.watch_failed", project: root, err: error },
        "a project could not be looked at",
      ),
    );
  }

  async function look(root: string): Promise<Seen> {
    const baseline = store.baselines.get(root);
    if (baseline === null) return { found: [], faults: [] };
    const faults: unknown[] = [];
    const now = await lookThrough(root, { onFault: (error) => faults.push(error) });
    return { found: newEntries(baseline.entries, now), faults };
  }

  async function moveAll(items: readonly Quarantined[]): Promise<void> {
    for (const item of items) {
      const moved = await moveOut({ ...item, folder: join(folder, String(item.id)) });
      if (moved === "gone") store.quarantine.remove(item.id);
    }
  }

  /** Takes out what is new; `work` is the one that ran there last. Rejects, after that, when a part could not be looked into. */
  async function takeOut(root: string, work: Work | null): Promise<void> {
    const { found, faults } = await look(root);
    if (found.length > 0) {
      const items = store.transaction(() => store.quarantine.begin(root, work?.id ?? null, found));
      await moveAll(items);
      desk.tell(
        work,
        items.map(({ id }) => id),
      );
    }
    if (faults.length > 0) throw faults[0];
  }

  function lastWork(root: string): Work | null {
    const id = store.baselines.get(root)?.workId ?? null;
    return id === null ? null : store.work.get(id);
  }

  /** What is left in a project in which nothing of ours runs is looked at for the last time, and what was accepted put back. */
  async function settle(root: string): Promise<void> {
    await takeOut(root, lastWork(root));
    if (placeOf(root).live.size > 0) return;
    store.baselines.close(root);
    await putBack(root);
  }

  async function putBack(root: string): Promise<void> {
    for (const item of store.quarantine.inStates(["accepting"], root)) {
      desk.returned(item, await moveBack({ ...item, folder: join(folder, String(item.id)) }));
    }
  }

  /** What was accepted goes back once nothing runs in its project: only the next jail protects it. */
  async function vacate(root: string): Promise<void> {
    const place = placeOf(root);
    if (place.turns > 0 || store.quarantine.inStates(["accepting"], root).length === 0) return;
    await Promise.all([...place.live].map((process) => process.kill()));
    await settle(root);
  }

  async function start(jail: Jail, request: JailRequest): Promise<JailedProcess> {
    const root = request.project;
    const { live } = placeOf(root);
    if (live.size === 0) await settle(root);
    const process = await jail.start(request);
    live.add(process);
    void process.exited.then(() => {
      live.delete(process);
      later(root, () => settle(root));
    });
    if (live.size === 1) store.baselines.open(root, process.baseline);
    return process;
  }

  async function inspect<T>({ root, work, endWarm }: WatchedTurn<T>): Promise<void> {
    const { found, faults } = await look(root);
    if (found.length === 0 && faults.length === 0) return;
    // What made it, or a child that it left, could make it again.
    await Promise.race([endWarm(), sleep(END_MS, undefined, { ref: false })]);
    await takeOut(root, work);
  }

  return {
    over: (jail) => ({
      ...jail,
      start: (request) => inTurn(request.project, () => start(jail, request)),
    }),
    during: async (turn) => {
      const { root, work } = turn;
      const place = placeOf(root);
      place.turns += 1;
      try {
        const end = await turn.run();
        if (turn.mayHaveChanged(end)) {
          await inTurn(root, () => inspect(turn)).catch((error: unknown) => {
            log.error(
              { event: "project.unseen", workId: work.id, err: error },
              "a project could not be looked at",
            );
            desk.unseen(work, error instanceof AppError ? error.message : messageOf(error));
          });
        }
        return end;
      } finally {
        place.turns -= 1;
        later(root, () => vacate(root));
      }
    },
    decide: (action, by) => {
      const roots = desk.decide(action, by);
      store.afterCommit(() => {
        for (const root of roots ?? []) later(root, () => vacate(root));
      });
      return roots === null ? "late" : "done";
    },
    recover: () => {
      const moving = store.quarantine.inStates(["moving"], null);
      const accepting = store.quarantine.inStates(["accepting"], null);
      const roots = [...store.baselines.roots(), ...[...moving, ...accepting].map(({ root }) => root)];
      for (const root of new Set(roots)) {
        later(root, async () => {
          const items = moving.filter((item) => item.root === root);
          await moveAll(items);
          desk.tell(
            lastWork(root),
            items.map(({ id }) => id),
          );
          await settle(root);
        });
      }
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...places.values()].map(({ queue }) => queue));
    },
  };
}
