import type { AuditEvent } from "../domain/audit-event.ts";
import type { ButtonAction } from "../domain/button.ts";
import { textOfPath } from "../domain/finding.ts";
import type { Quarantined } from "../domain/quarantine.ts";
import type { ConversationRef } from "../domain/request.ts";
import type { Work } from "../domain/work.ts";
import { redactShapes } from "../log/redact.ts";
import { escapeInvisible, shorten } from "../security/visible.ts";
import type { Store } from "../store/store.ts";
import type { Presenter } from "./presenter.ts";

export interface QuarantineDeskDeps {
  readonly store: Store;
  readonly presenter: Pick<Presenter, "quarantined" | "notReturned" | "unseen">;
  readonly record: (
    event: AuditEvent,
    who: { readonly userId: number | null; readonly conversation: ConversationRef | null },
  ) => void;
}

/** What is said of the quarantine, and written down. Files are moved by others. */
export interface QuarantineDesk {
  /** The things of these ids lie in the quarantine now. */
  readonly tell: (work: Work | null, ids: readonly number[]) => void;
  /** The projects in which something is to be put back; null when nothing waits for an answer. Inside a transaction. */
  readonly decide: (
    action: Extract<ButtonAction, { kind: "quarantine" }>,
    by: number,
  ) => ReadonlySet<string> | null;
  readonly returned: (item: Quarantined, how: "moved" | "taken") => void;
  readonly unseen: (work: Work | null, reason: string) => void;
}

/** More than this are told in several messages. */
const MAX_TOLD = 10;
const MAX_PATH = 200;

export function createQuarantineDesk({ store, presenter, record }: QuarantineDeskDeps): QuarantineDesk {
  const whoOf = (work: Work | null) => ({
    userId: work?.userId ?? null,
    conversation: work?.conversation ?? null,
  });
  const workOf = ({ workId }: Quarantined): Work | null => (workId === null ? null : store.work.get(workId));

  function tellSome(work: Work | null, ids: readonly number[]): void {
    store.transaction(() => {
      for (const id of ids) store.quarantine.setState(id, "held");
      const items = ids.flatMap((id) => store.quarantine.get(id) ?? []);
      if (items.length === 0) return; // gone before they could be moved
      const event = { workId: work?.id ?? null, count: items.length, paths: items.map(pathText) };
      record({ type: "project.quarantined", ...event }, whoOf(work));
      show(work, items);
    });
  }

  function show(work: Work | null, items: readonly Quarantined[]): void {
    const notices = presenter.quarantined(work, items);
    if (items[0]?.notices.length === 0) for (const { id } of items) store.quarantine.setNotices(id, notices);
  }

  /** All that one message tells of, as it stands now. */
  function showAgain(item: Quarantined): void {
    const [notice] = item.notices;
    if (notice) presenter.quarantined(workOf(item), store.quarantine.ofNotice(notice.outboxId));
  }

  return {
    tell: (work, ids) => {
      for (let first = 0; first < ids.length; first += MAX_TOLD)
        tellSome(work, ids.slice(first, first + MAX_TOLD));
    },
    decide: ({ ids, choice }, by) => {
      const items = ids
        .flatMap((id) => store.quarantine.get(id) ?? [])
        .filter(({ state }) => state === "held");
      const [first] = items;
      if (!first) return null;
      for (const item of items) {
        store.quarantine.setState(item.id, choice === "accept" ? "accepting" : "dropped", by);
        const type = choice === "accept" ? "project.accepted" : "project.left_out";
        record({ type, path: pathText(item) }, { ...whoOf(workOf(item)), userId: by });
      }
      showAgain(first);
      return new Set(choice === "accept" ? items.map(({ root }) => root) : []);
    },
    returned: (item, how) => {
      store.transaction(() => {
        store.quarantine.setState(item.id, how === "moved" ? "accepted" : "held");
        showAgain(item);
        if (how === "taken") presenter.notReturned(item);
      });
    },
    unseen: (work, reason) => {
      store.transaction(() => {
        record({ type: "violation.project_unseen", workId: work?.id ?? null }, whoOf(work));
        presenter.unseen(work, reason);
      });
    },
  };
}

function pathText({ path }: Quarantined): string {
  return shorten(escapeInvisible(redactShapes(textOfPath(path))), MAX_PATH);
}
