import type { ButtonSpec } from "../domain/button.ts";
import { type OutboxAct, PRIORITY, type Priority } from "../domain/outbox.ts";
import type { Owners } from "../domain/person.ts";
import type { Quarantined, QuarantineNotice } from "../domain/quarantine.ts";
import type { ConversationRef } from "../domain/request.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { Presenter } from "../turns/presenter.ts";
import { offerKeyboard } from "./keyboard.ts";
import type { Outgoing } from "./outgoing.ts";
import { plain } from "./render/rich-text.ts";
import { splitRichText } from "./render/split.ts";
import {
  allLabels,
  notReturnedText,
  QUARANTINE_LABELS,
  quarantineText,
  unseenText,
} from "./wording-quarantine.ts";

interface QuarantineViewDeps {
  readonly store: Store;
  readonly outgoing: Pick<Outgoing, "rich">;
  readonly enqueue: (conversation: ConversationRef, act: OutboxAct, priority: Priority) => number;
  readonly owners: Owners;
  /** How long what nobody accepts is kept. */
  readonly keepDays: number;
}

/** Keys of nobody's: only owners may press them. */
const OWNERS_ONLY = 0;

/**
 * What was taken out of projects, as people see it: where the turn ran, ahead of its answer, and in the owners' own chats
 * when an owner could not press there.
 */
export function createQuarantineView({
  store,
  outgoing,
  enqueue,
  owners,
  keepDays,
}: QuarantineViewDeps): Pick<Presenter, "quarantined" | "notReturned" | "unseen"> {
  function targetsOf(work: Work | null): readonly Omit<QuarantineNotice, "outboxId">[] {
    const isPrivate = work?.conversation.chatId === work?.userId;
    const isOwners = work !== null && owners.has(work.userId);
    const here = work === null ? [] : [{ conversation: work.conversation, hasKeys: isOwners || !isPrivate }];
    if (isOwners) return here;
    const theirs = owners
      .all()
      .map((chatId) => ({ conversation: { chatId, threadId: null }, hasKeys: true }));
    return [...here, ...theirs];
  }

  function bodyOf(project: string, items: readonly Quarantined[], { conversation, hasKeys }: Target) {
    const text = quarantineText(project, { items, keepDays, hasKeys });
    const [rich = plain(text)] = splitRichText(outgoing.rich(plain(text)));
    const [first] = items;
    const owner = {
      group: `quarantine:${first?.id ?? 0}`,
      conversationId: store.conversations.at(conversation).id,
      userId: OWNERS_ONLY,
      expiresAt: null,
    };
    return { ...rich, buttons: hasKeys ? offerKeyboard(store.buttons, owner, rowsOf(items)) : [] };
  }

  function tell(conversation: ConversationRef, text: string, priority: Priority): void {
    const body = { ...plain(text), buttons: [] };
    enqueue(conversation, { kind: "send", body, replyTo: null, isSilent: false }, priority);
  }

  return {
    quarantined: (work, items) => {
      const [first] = items;
      if (!first) return [];
      const project = work?.project ?? first.root;
      store.buttons.withdraw(`quarantine:${first.id}`);
      if (first.notices.length === 0) {
        return targetsOf(work).map((target) => {
          const body = bodyOf(project, items, target);
          const act = { kind: "send", body, replyTo: null, isSilent: false } as const;
          return { ...target, outboxId: enqueue(target.conversation, act, PRIORITY.final) };
        });
      }
      for (const notice of first.notices) {
        const body = bodyOf(project, items, notice);
        const act = { kind: "edit", target: notice.outboxId, body, orSend: true } as const;
        enqueue(notice.conversation, act, PRIORITY.notice);
      }
      return first.notices;
    },
    notReturned: (item) => {
      for (const { conversation } of item.notices)
        tell(conversation, notReturnedText(item.path), PRIORITY.notice);
    },
    unseen: (work, reason) => {
      for (const { conversation } of targetsOf(work)) {
        tell(conversation, unseenText(work?.project ?? "a project", reason), PRIORITY.final);
      }
    },
  };
}

type Target = Pick<QuarantineNotice, "conversation" | "hasKeys">;

/** A row for each that waits, and one for all of them. */
function rowsOf(items: readonly Quarantined[]): readonly (readonly ButtonSpec[])[] {
  const open = items.flatMap((item, index) =>
    item.state === "held" ? [{ ...item, number: index + 1 }] : [],
  );
  const all = { ids: open.map(({ id }) => id), ...allLabels(open.length) };
  const row = (ids: readonly number[], accept: string, drop: string): readonly ButtonSpec[] => [
    { label: accept, action: { kind: "quarantine", ids, choice: "accept" } },
    { label: drop, action: { kind: "quarantine", ids, choice: "drop" } },
  ];
  const { accept, drop } = QUARANTINE_LABELS;
  if (items.length === 1) return open.map(({ id }) => row([id], accept, drop));
  const rows = open.map(({ id, number }) => row([id], `${accept} ${number}`, `${drop}: ${number}`));
  return open.length > 1 ? [...rows, row(all.ids, all.accept, all.drop)] : rows;
}
