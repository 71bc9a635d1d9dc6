import type { ButtonSpec } from "../domain/button.ts";
import {
  type MessageBody,
  type OutboxAct,
  type OutboxDraft,
  PRIORITY,
  type Priority,
} from "../domain/outbox.ts";
import type { Owners } from "../domain/person.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { Presenter, QueuePlace } from "../turns/presenter.ts";
import { createApprovalView, type PutAbout } from "./approval-view.ts";
import { offerKeyboard, ownerOf } from "./keyboard.ts";
import { createOffers } from "./offers.ts";
import type { Outgoing } from "./outgoing.ts";
import type { ProgressSource } from "./progress.ts";
import { createQuarantineView } from "./quarantine-view.ts";
import type { RichText } from "./render/entity.ts";
import { plain } from "./render/rich-text.ts";
import { openScreen, type ScreenMoney } from "./screen.ts";
import { LABELS, modelRefusedText, WORDS } from "./wording.ts";
import { accessText } from "./wording-access.ts";
import { fileRefusedText } from "./wording-files.ts";
import { LOCK_WORDS } from "./wording-lock.ts";
import { spentText } from "./wording-money.ts";
import { heldText } from "./wording-recovery.ts";
import { jailLostText } from "./wording-secrets.ts";

interface PresenterDeps {
  readonly store: Store;
  readonly sender: {
    readonly kick: (chatId: number) => void;
    readonly watch: (chatId: number, source: ProgressSource) => void;
    readonly unwatch: (chatId: number, target: number) => void;
  };
  readonly outgoing: Outgoing;
  readonly owners: Owners;
  /** How long what was taken out of a project is kept for an owner to accept. */
  readonly keepDays: number;
  readonly money: ScreenMoney;
}

/** How turns are seen in Telegram. Writes to the outbox only; the sender does the rest. */
export function createPresenter(deps: PresenterDeps): Presenter {
  const { store, sender, outgoing, owners, keepDays, money } = deps;
  const enqueue = (draft: OutboxDraft): number => {
    const id = store.outbox.put(draft);
    store.afterCommit(() => sender.kick(draft.conversation.chatId));
    return id;
  };
  const put: PutAbout = ({ conversation }, act, priority = PRIORITY.notice) =>
    enqueue({ conversation, act, priority, finalOf: null });
  const hold = (work: Work, act: OutboxAct, priority: Priority = PRIORITY.notice): number =>
    enqueue({ conversation: work.conversation, act, priority, finalOf: work.id });

  const keys = (
    work: Work,
    group: string,
    rows: readonly (readonly ButtonSpec[])[],
  ): MessageBody["buttons"] => offerKeyboard(store.buttons, ownerOf(work, `${group}:${work.id}`), rows);

  function workingBody(work: Work): MessageBody {
    const stop = { label: LABELS.stop, action: { kind: "stop", workId: work.id } } as const;
    return { ...plain(WORDS.working), buttons: keys(work, "work", [[stop]]) };
  }

  function queuedBody(work: Work, place: QueuePlace): MessageBody {
    const now = { label: LABELS.runNow, action: { kind: "queue", workId: work.id, choice: "now" } } as const;
    const drop = { label: LABELS.drop, action: { kind: "queue", workId: work.id, choice: "drop" } } as const;
    const canRun = place.heldBy === null && !place.isLocked && work.project !== null;
    const rows = canRun ? [[now, drop]] : [[drop]];
    return { ...plain(queuedText(work, place)), buttons: keys(work, "queue", rows) };
  }

  function tellOwners(text: string): void {
    const act = {
      kind: "send",
      body: { ...plain(text), buttons: [] },
      replyTo: null,
      isSilent: false,
    } as const;
    for (const chatId of owners.all()) put({ conversation: { chatId, threadId: null } }, act);
  }

  function edit(work: Work, rich: RichText, rows: readonly (readonly ButtonSpec[])[] = []): void {
    store.buttons.withdraw(`queue:${work.id}`);
    store.buttons.withdraw(`work:${work.id}`);
    const { placeholderId: target } = work;
    if (target === null) return;
    const body = { ...rich, buttons: keys(work, "queue", rows) };
    put(work, { kind: "edit", target, body, orSend: false });
    // The screen of a turn that was cut off is never finished.
    store.afterCommit(() => sender.unwatch(work.conversation.chatId, target));
  }

  return {
    accepted: (work, place) => {
      const isWaiting = place.ahead > 0 || place.heldBy !== null || place.isLocked || work.project === null;
      const body = isWaiting ? queuedBody(work, place) : workingBody(work);
      return put(work, { kind: "send", body, replyTo: work.messageId, isSilent: true, isProgress: true });
    },
    waitsForMoney: (work) => {
      const drop = {
        label: LABELS.drop,
        action: { kind: "queue", workId: work.id, choice: "drop" },
      } as const;
      edit(work, plain(WORDS.waitsForMoney), [[drop]]);
    },
    open: (work) => {
      const watch: typeof sender.watch = (...watched) => store.afterCommit(() => sender.watch(...watched));
      return openScreen({ store, outgoing, ...sender, watch, money }, work);
    },
    ...createQuarantineView({
      store,
      outgoing,
      owners,
      keepDays,
      enqueue: (conversation, act, priority) => enqueue({ conversation, act, priority, finalOf: null }),
    }),
    ...createApprovalView({ store, outgoing, put, owners }),
    ...createOffers({ store, outgoing, put, hold, keys, edit }),
    modelRefused: (work, model) => tellOwners(modelRefusedText(work, model)),
    jailLost: (work, loss) => {
      const body = { ...plain(jailLostText(loss)), buttons: [] };
      put(work, { kind: "send", body, replyTo: null, isSilent: true });
    },
    accessLimited: (work, faults) => {
      const body = { ...plain(accessText(work.project ?? "", faults)), buttons: [] };
      put(work, { kind: "send", body, replyTo: null, isSilent: true });
    },
    fileRefused: (work, { name, reason, path }) => {
      const body = { ...plain(fileRefusedText(name, reason, path)), buttons: [] };
      put(work, { kind: "send", body, replyTo: work.messageId, isSilent: true });
    },
    unlocked: () => tellOwners(LOCK_WORDS.unlocked),
    dropped: (work) => {
      store.buttons.withdraw(`recover:${work.id}`); // also where /stop has answered in their place
      edit(work, plain(dropText(work)));
    },
    unpaid: (work, verdict) => {
      const again = {
        label: LABELS.again,
        action: { kind: "recover", workId: work.id, choice: "again" },
      } as const;
      edit(work, plain(spentText(verdict)), [[again]]);
    },
  };
}

function dropText({ isStopRequested, startedAt }: Work): string {
  if (isStopRequested) return WORDS.stopped;
  return startedAt === null ? WORDS.dropped : WORDS.notAgain;
}

function queuedText(work: Work, { ahead, heldBy, isLocked }: QueuePlace): string {
  if (isLocked) return LOCK_WORDS.waitsForUnlock;
  if (work.project === null) return WORDS.waitsForProject;
  if (heldBy) return heldText(heldBy);
  return `Queued: ${ahead} ahead.`;
}
