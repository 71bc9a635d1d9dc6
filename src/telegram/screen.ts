import type { MicroUsd } from "../domain/money.ts";
import type { MessageBody, ScreenButton } from "../domain/outbox.ts";
import { type OutboxAct, PRIORITY, type Priority } from "../domain/outbox.ts";
import type { TurnEvent, TurnReport } from "../domain/turn-event.ts";
import type { Work } from "../domain/work.ts";
import type { Reservation } from "../security/limit-cost.ts";
import type { Store } from "../store/store.ts";
import type { TurnScreen } from "../turns/presenter.ts";
import { answerOf } from "./answer.ts";
import { offerKeyboard, ownerOf } from "./keyboard.ts";
import type { Outgoing } from "./outgoing.ts";
import type { ProgressSource } from "./progress.ts";
import { NOTHING, type RichText } from "./render/entity.ts";
import { joinRich, plain } from "./render/rich-text.ts";
import { FAILURES, LABELS, WORDS } from "./wording.ts";
import { goOnLabel, spentText } from "./wording-money.ts";

/** An answer that took longer than this comes as a new message: an edit makes no sound. */
const QUIET_MS = 30_000;
const TOOL_LINES = 8;
const PREVIEW_CHARS = 3_000;
/** A change of the preview that is shorter than this is not worth an edit. */
const MIN_CHANGE = 30;

interface ScreenDeps {
  readonly store: Store;
  readonly outgoing: Outgoing;
  readonly watch: (chatId: number, source: ProgressSource) => void;
  readonly unwatch: (chatId: number, target: number) => void;
  readonly kick: (chatId: number) => void;
  readonly money: ScreenMoney;
}

/** What the screen has to know of money. */
export interface ScreenMoney {
  /** How much a person's next turn may reserve. */
  readonly reserve: (userId: number) => Reservation;
  /** What one request may cost. */
  readonly perRequestMicroUsd: MicroUsd;
  readonly isEquivalent: boolean;
}

/** The screen of one turn: its placeholder is edited as it goes; the end is durable. */
export function openScreen(deps: ScreenDeps, work: Work): TurnScreen {
  const { outgoing } = deps;
  const { chatId } = work.conversation;
  const stop = stopKeys(deps.store, work);
  const tools: string[] = [];
  let preview = { text: "", isOpen: false };
  let note = "";
  let shown = shownBefore(deps.store, work);

  const body = (): MessageBody | null => {
    const shownPreview = outgoing.preview(preview.text, { isOpen: preview.isOpen, maxLength: PREVIEW_CHARS });
    const rich = progressOf(tools, shownPreview, note);
    const change = Math.abs(rich.text.length - shown.length);
    if (rich.text === shown || (change < MIN_CHANGE && rich.text.startsWith(shown))) return null;
    return { ...rich, buttons: stop };
  };
  const settled = ({ text }: MessageBody): void => {
    shown = text;
  };

  const target = work.placeholderId;
  if (target !== null) deps.watch(chatId, { target, body, settled });

  return {
    show: (event: TurnEvent) => {
      switch (event.kind) {
        case "preview":
          preview = event;
          note = "";
          return;
        case "tool":
          tools.push(event.line);
          return;
        case "retrying":
          note = `${FAILURES[event.failure]} Trying again (${event.attempt} of ${event.maxAttempts})…`;
          return;
      }
    },
    finish: (report) => {
      if (target !== null) deps.unwatch(chatId, target);
      putAnswer(deps, report);
      deps.store.afterCommit(() => deps.kick(chatId));
    },
  };
}

/** What the placeholder says as the turn begins; a work that waited says so, and has keys of its own that end here. */
function shownBefore(store: Store, work: Work): string {
  store.buttons.withdraw(`queue:${work.id}`);
  const placeholder = work.placeholderId === null ? null : store.outbox.get(work.placeholderId);
  return placeholder?.act.body.text ?? "";
}

/** [Stop], new for every turn: the keys of a message that waited in the queue did something else. */
function stopKeys(store: Store, work: Work): readonly (readonly ScreenButton[])[] {
  const action = { kind: "stop", workId: work.id } as const;
  return offerKeyboard(store.buttons, ownerOf(work, `work:${work.id}`), [[{ label: LABELS.stop, action }]]);
}

function progressOf(tools: readonly string[], preview: RichText, note: string): RichText {
  const hidden = tools.length - TOOL_LINES;
  const lines = [...(hidden > 0 ? [`… ${hidden} more`] : []), ...tools.slice(-TOOL_LINES)].map(
    (line) => `· ${line}`,
  );
  const parts: (RichText | string)[] = [lines.join("\n"), preview, note];
  const filled = parts.filter((part) => (typeof part === "string" ? part : part.text) !== "");
  if (filled.length === 0) return plain(WORDS.working);
  return joinRich(...filled.flatMap((part, index) => (index === 0 ? [part] : ["\n\n", part])));
}

/**
 * Writes the end of a turn into the outbox. A short turn's answer takes the placeholder's place; a long one's is new, and
 * the placeholder shrinks to what was done. A placeholder that was never sent is not sent any more.
 */
function putAnswer({ store, outgoing, money }: ScreenDeps, report: TurnReport): void {
  const { work, durationMs, outcome } = report;
  const isOverBudget = outcome.kind === "failed" && outcome.code === "budget";
  const next = isOverBudget ? money.reserve(work.userId) : null;
  const told = next?.kind === "spent" ? withDetail(report, spentText(next)) : report;
  const { parts, file } = answerOf(told, { outgoing, isEquivalent: money.isEquivalent });
  store.buttons.withdraw(`work:${work.id}`);
  const put = (act: OutboxAct, priority: Priority = PRIORITY.final): number =>
    store.outbox.put({ conversation: work.conversation, act, priority, finalOf: work.id });
  const again = next
    ? goOnButtons(store, work, goOnLabel(amountOf(next, money), money.isEquivalent))
    : outcome.kind === "failed"
      ? againButtons(store, work)
      : [];
  const isUnsent = work.placeholderId === null || store.outbox.withdraw(work.placeholderId);
  const isQuick = durationMs <= QUIET_MS;

  if (!isUnsent && !isQuick && work.placeholderId !== null) {
    const rich = report.tools.length === 0 ? plain(WORDS.finished) : progressOf(report.tools, NOTHING, "");
    put({ kind: "edit", target: work.placeholderId, body: { ...rich, buttons: [] }, orSend: false });
  }
  parts.forEach((part, index) => {
    const isLast = index === parts.length - 1 && file === null;
    const body = { text: part.text, entities: part.entities, buttons: isLast ? again : [] };
    if (index === 0 && isQuick && !isUnsent && work.placeholderId !== null) {
      put({ kind: "edit", target: work.placeholderId, body, orSend: true });
      return;
    }
    put({ kind: "send", body, replyTo: index === 0 ? work.messageId : null, isSilent: index > 0 });
  });
  if (file) put({ ...file, body: { ...file.body, buttons: again } });
}

/** What a press would reserve: as things stand, or once there is money again. */
function amountOf(next: Reservation, { perRequestMicroUsd }: ScreenMoney): MicroUsd {
  if (next.kind === "ok") return next.reservedMicroUsd;
  return next.kind === "spent" ? Math.min(perRequestMicroUsd, next.limitMicroUsd) : perRequestMicroUsd;
}

/** In place of the proxy's words, which speak of the request alone. */
function withDetail(report: TurnReport, detail: string): TurnReport {
  return report.outcome.kind === "failed" ? { ...report, outcome: { ...report.outcome, detail } } : report;
}

function goOnButtons(store: Store, work: Work, label: string) {
  return offerKeyboard(store.buttons, ownerOf(work, `recover:${work.id}`), [
    [
      { label, action: { kind: "recover", workId: work.id, choice: "more" } },
      { label: LABELS.stop, action: { kind: "dismiss" } },
    ],
  ]);
}

function againButtons(store: Store, work: Work) {
  return offerKeyboard(store.buttons, ownerOf(work, `recover:${work.id}`), [
    [
      { label: LABELS.again, action: { kind: "recover", workId: work.id, choice: "again" } },
      { label: LABELS.ignore, action: { kind: "dismiss" } },
    ],
  ]);
}
