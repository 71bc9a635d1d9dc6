import type { ButtonSpec } from "../domain/button.ts";
import { type MessageBody, type OutboxAct, PRIORITY, type Priority } from "../domain/outbox.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import { requestIn } from "../turns/continuation.ts";
import type { CutOff, Presenter } from "../turns/presenter.ts";
import type { PutAbout } from "./approval-view.ts";
import type { Outgoing } from "./outgoing.ts";
import type { RichText } from "./render/entity.ts";
import { plain } from "./render/rich-text.ts";
import { splitRichText } from "./render/split.ts";
import { LABELS, WORDS } from "./wording.ts";
import { allLabels, interruptedText, lateText } from "./wording-recovery.ts";

interface OffersDeps {
  readonly store: Store;
  readonly outgoing: Pick<Outgoing, "rich">;
  readonly put: PutAbout;
  /** The same for what the work waits for: kept for a chat that is shut to the bot just now. */
  readonly hold: (work: Work, act: OutboxAct, priority?: Priority) => number;
  /** Keys about a work; those of one group are used up together. */
  readonly keys: (
    work: Work,
    group: string,
    rows: readonly (readonly ButtonSpec[])[],
  ) => MessageBody["buttons"];
  /** Ends the message that showed a work's place or progress. */
  readonly edit: (work: Work, rich: RichText) => void;
}

/** What a person is asked about work that does not run by itself: what a restart cut off, and what came too late. */
export function createOffers({
  store,
  outgoing,
  put,
  hold,
  keys,
  edit,
}: OffersDeps): Pick<Presenter, "interrupted" | "askAgain" | "setAside" | "offer" | "offerTaken" | "recall"> {
  function ask(work: Work, cutOff: CutOff, priority: Priority): void {
    const choices = [
      { label: LABELS.goOn, action: { kind: "recover", workId: work.id, choice: "continue" } },
      { label: LABELS.again, action: { kind: "recover", workId: work.id, choice: "again" } },
      { label: LABELS.drop, action: { kind: "recover", workId: work.id, choice: "drop" } },
    ] as const;
    const body = { ...plain(interruptedText(work, cutOff)), buttons: keys(work, "recover", [choices]) };
    hold(work, { kind: "send", body, replyTo: work.messageId, isSilent: false }, priority);
  }

  return {
    interrupted: (work, cutOff) => {
      edit(work, plain(WORDS.interruptedPlaceholder));
      ask(work, cutOff, PRIORITY.approval);
    },
    // Not before what else is told just then.
    askAgain: (work, cutOff) => ask(work, cutOff, PRIORITY.notice),
    setAside: (work) => edit(work, plain(WORDS.setAside)),
    offer: (work, { ageMs, all }) => {
      const rows = [oneRow(work), ...(all.length > 1 ? [allRow(all)] : [])];
      const body = { ...plain(lateText(work, ageMs)), buttons: keys(work, "offered", rows) };
      const { placeholderId: shown, messageId: replyTo } = work;
      if (shown === null) return hold(work, { kind: "send", body, replyTo, isSilent: false });
      hold(work, { kind: "edit", target: shown, body, orSend: true });
      return shown;
    },
    offerTaken: (work, choice) => {
      store.buttons.withdraw(`offered:${work.id}`);
      if (work.placeholderId === null) return;
      const body = { ...plain(choice === "run" ? WORDS.toldToRun : WORDS.dropped), buttons: [] };
      put(work, { kind: "edit", target: work.placeholderId, body, orSend: false });
    },
    recall: (work) => {
      for (const part of splitRichText(outgoing.rich(plain(requestIn(work.text))))) {
        const body = { ...part, buttons: [] };
        put(work, { kind: "send", body, replyTo: work.messageId, isSilent: false });
      }
    },
  };
}

function oneRow({ id: workId }: Work): readonly ButtonSpec[] {
  return [
    { label: LABELS.run, action: { kind: "offered", workId, choice: "run" } },
    { label: LABELS.show, action: { kind: "offered", workId, choice: "show" } },
    { label: LABELS.drop, action: { kind: "offered", workId, choice: "drop" } },
  ];
}

function allRow(all: readonly Work[]): readonly ButtonSpec[] {
  const workIds = all.map(({ id }) => id);
  const labels = allLabels(all.length);
  return [
    { label: labels.run, action: { kind: "offered_all", workIds, choice: "run" } },
    { label: labels.drop, action: { kind: "offered_all", workIds, choice: "drop" } },
  ];
}
