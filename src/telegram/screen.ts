import type { MessageBody, ScreenButton } from "../domain/outbox.ts";
import { type OutboxAct, PRIORITY, type Priority } from "../domain/outbox.ts";
import type { TurnEvent, TurnReport } from "../domain/turn-event.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { TurnScreen } from "../turns/presenter.ts";
import { answerOf } from "./answer.ts";
import { offerKeyboard, ownerOf } from "./keyboard.ts";
import type { ProgressSource } from "./progress.ts";
import type { RichText } from "./render/entity.ts";
import { previewMarkdown } from "./render/preview.ts";
import { joinRich, plain } from "./render/rich-text.ts";
import { FAILURES, LABELS, WORDS } from "./wording.ts";

/** An answer that took longer than this comes as a new message: an edit makes no sound. */
const QUIET_MS = 30_000;
const TOOL_LINES = 8;
const PREVIEW_CHARS = 3_000;
/** A change of the preview that is shorter than this is not worth an edit. */
const MIN_CHANGE = 30;

interface ScreenDeps {
  readonly store: Store;
  readonly watch: (chatId: number, source: ProgressSource) => void;
  readonly unwatch: (chatId: number, target: number) => void;
  readonly kick: (chatId: number) => void;
}

/** The screen of one turn: its placeholder is edited as it goes; the end is durable. */
export function openScreen(deps: ScreenDeps, work: Work): TurnScreen {
  const { chatId } = work.conversation;
  const stop = stopKeys(deps.store, work);
  const tools: string[] = [];
  let preview = "";
  let note = "";
  let shown = shownBefore(deps.store, work);

  const body = (): MessageBody | null => {
    const rich = progressOf(tools, preview, note);
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
          preview = event.text;
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

function progressOf(tools: readonly string[], preview: string, note: string): RichText {
  const hidden = tools.length - TOOL_LINES;
  const lines = [...(hidden > 0 ? [`… ${hidden} more`] : []), ...tools.slice(-TOOL_LINES)].map(
    (line) => `· ${line}`,
  );
  const parts: (RichText | string)[] = [
    lines.join("\n"),
    preview === "" ? "" : previewMarkdown(preview, PREVIEW_CHARS),
    note,
  ];
  const filled = parts.filter((part) => (typeof part === "string" ? part : part.text) !== "");
  if (filled.length === 0) return plain(WORDS.working);
  return joinRich(...filled.flatMap((part, index) => (index === 0 ? [part] : ["\n\n", part])));
}

/**
 * Writes the end of a turn into the outbox. A short turn's answer takes the placeholder's place; a long one's is new, and
 * the placeholder shrinks to what was done. A placeholder that was never sent is not sent any more.
 */
function putAnswer({ store }: ScreenDeps, report: TurnReport): void {
  const { work, durationMs, outcome } = report;
  const { parts, file } = answerOf(report);
  store.buttons.withdraw(`work:${work.id}`);
  const put = (act: OutboxAct, priority: Priority = PRIORITY.final): number =>
    store.outbox.put({ conversation: work.conversation, act, priority, finalOf: work.id });
  const again = outcome.kind === "failed" ? againButtons(store, work) : [];
  const isUnsent = work.placeholderId === null || store.outbox.withdraw(work.placeholderId);
  const isQuick = durationMs <= QUIET_MS;

  if (!isUnsent && !isQuick && work.placeholderId !== null) {
    const rich = report.tools.length === 0 ? plain(WORDS.finished) : progressOf(report.tools, "", "");
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

function againButtons(store: Store, work: Work) {
  return offerKeyboard(store.buttons, ownerOf(work, `recover:${work.id}`), [
    [
      { label: LABELS.again, action: { kind: "recover", workId: work.id, choice: "again" } },
      { label: LABELS.ignore, action: { kind: "dismiss" } },
    ],
  ]);
}
