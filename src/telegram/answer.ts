import { amountText } from "../domain/money.ts";
import type { MessageBody, OutboxAct } from "../domain/outbox.ts";
import type { TurnReport } from "../domain/turn-event.ts";
import type { Outgoing } from "./outgoing.ts";
import type { RichText } from "./render/entity.ts";
import { italic, joinRich, plain } from "./render/rich-text.ts";
import { splitRichText } from "./render/split.ts";
import { FAILURES, WORDS } from "./wording.ts";
import { durationText, whenText } from "./wording-time.ts";

/** An answer of more parts than this goes as a file, with its beginning in the chat. */
const MAX_PARTS = 4;
const GIST_CHARS = 1_500;
/** Longer answers go as a file in any case, and are not rendered whole: that would hold up everybody. */
const MAX_RENDERED = 30_000;
const CAPTION_CHARS = 900;

/** A turn's answer as messages: one or more parts, or the beginning and a file. */
export interface Answer {
  readonly parts: readonly RichText[];
  readonly file: Extract<OutboxAct, { kind: "document" }> | null;
}

/** What an answer is rendered with. */
interface AnswerDeps {
  readonly outgoing: Outgoing;
  /** A subscription pays: the amount is what the API would have charged. */
  readonly isEquivalent: boolean;
}

/** Renders the end of a turn: complete whatever its length, with one footer line. */
export function answerOf(report: TurnReport, { outgoing, isEquivalent }: AnswerDeps): Answer {
  const footer = italic(footerOf(report, isEquivalent));
  const { outcome } = report;
  if (outcome.kind === "completed" && outcome.text.length > MAX_RENDERED) {
    const beginning = outgoing.markdown(outcome.text, 2 * GIST_CHARS);
    return fileAnswer(beginning, outcome.text, footer);
  }
  const body = bodyOf(report, outgoing);
  const parts = splitRichText(joinRich(body, "\n\n", footer));
  if (parts.length <= MAX_PARTS) return { parts, file: null };
  return fileAnswer(body, outcome.kind === "completed" ? outcome.text : body.text, footer);
}

function fileAnswer(body: RichText, content: string, footer: RichText): Answer {
  const [gist = body] = splitRichText(body, { maxLength: GIST_CHARS });
  const caption: MessageBody = { ...joinRich("The whole answer.\n", clip(footer)), buttons: [] };
  return {
    parts: [joinRich(gist, "\n…")],
    file: { kind: "document", fileName: "answer.md", content, body: caption, replyTo: null },
  };
}

/** One line: project, model, time, money, tools. */
function footerOf(
  { work, model, durationMs, costMicroUsd, tools }: TurnReport,
  isEquivalent: boolean,
): string {
  const facts = [work.project, model, durationText(durationMs), amountText(costMicroUsd, isEquivalent)];
  if (tools.length > 0) facts.push(`${tools.length} tool ${tools.length === 1 ? "call" : "calls"}`);
  return facts.filter((fact) => fact !== null).join(" · ");
}

function bodyOf({ outcome, partialText, isPartOpen }: TurnReport, outgoing: Outgoing): RichText {
  const part = isPartOpen ? outgoing.cutOff : outgoing.markdown;
  const said = outcome.kind === "completed" ? outgoing.markdown(outcome.text) : part(partialText);
  switch (outcome.kind) {
    case "completed":
      return said.text === "" ? plain(WORDS.noBody) : said;
    case "stopped":
      return below(said, WORDS.stopped);
    case "failed": {
      const when = outcome.resetsAt === null ? "" : `\nIt opens again ${whenText(outcome.resetsAt)}.`;
      const why = `⚠️ ${FAILURES[outcome.code]}${when}${outcome.detail ? `\n${outgoing.fault(outcome.detail)}` : ""}`;
      return below(said, why);
    }
  }
}

/** What was said so far is kept, and how it ended stands below it. */
function below(said: RichText, end: string): RichText {
  return said.text === "" ? plain(end) : joinRich(said, "\n\n", end);
}

function clip(rich: RichText): RichText {
  return splitRichText(rich, { maxLength: CAPTION_CHARS })[0] ?? rich;
}
