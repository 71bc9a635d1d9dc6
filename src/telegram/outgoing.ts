import type { MessageBody, OutboxAct, ScreenButton } from "../domain/outbox.ts";
import { REDACTED } from "../domain/secret-shapes.ts";
import type { SecretFinder, Shapes } from "../log/redact.ts";
import { mapTexts } from "../log/scrub.ts";
import { mergeSpans, replaceSpans, type Span } from "../log/spans.ts";
import type { Entity, RichText } from "./render/entity.ts";
import { renderMarkdown } from "./render/markdown.ts";
import { previewMarkdown } from "./render/preview.ts";
import { replaceIn } from "./render/replace.ts";

/** Stands for a secret while Markdown is rendered: a character that no text has, and that is no markup, as `[` would be. */
const STAND_IN = "\u{FDD0}";
/** How much of the end of a text that is still being written is looked at: far more than a preview shows. */
const PREVIEW_LOOK = 65_536;
/** A fence's word is hardly ever as long. */
const SHORTEST_SECRET = 8;
/** What is looked at beyond a cut, so that a secret is seen which it halves. */
const LONGEST_SECRET = 8_192;
/** A replacement can bring about what looks like a secret once more. */
const MAX_TURNS = 4;

type DocumentAct = Extract<OutboxAct, { kind: "document" }>;
type ToolInput = Readonly<Record<string, unknown>>;

/**
 * Takes secrets out of what goes to Telegram: the daemon's own values always, and the certain shapes except in what a
 * person is asked to approve (`isExact`), which must be seen as it is (H25). Everything passes `act` on its way into the
 * outbox, and `body` or `text` on its way to the Bot API; the others are for texts that are cut before that, since a cut
 * would halve a secret.
 */
export interface Outgoing {
  readonly text: (text: string) => string;
  /** What an error says, which nobody has to read as it stands: without all that is likely to be a secret. */
  readonly fault: (text: string) => string;
  /** Entities keep their places: one that held a secret holds `[redacted]`, one that lay inside it is gone. */
  readonly rich: (rich: RichText) => RichText;
  readonly body: (body: MessageBody) => MessageBody;
  readonly document: (act: DocumentAct) => DocumentAct;
  readonly act: (act: OutboxAct) => OutboxAct;
  /** Rendered, of the first `maxLength` units where it is given, without secrets in the source or in what is seen of it. */
  readonly markdown: (source: string, maxLength?: number) => RichText;
  /** The same of an answer that was cut off in the middle of a word: without an end that may be part of a secret. */
  readonly cutOff: (source: string) => RichText;
  /** The same of the end of an answer that `isOpen`, still being written: without an end that may be part of a secret. */
  readonly preview: (
    source: string,
    show: { readonly isOpen: boolean; readonly maxLength: number },
  ) => RichText;
  /** What a person is to approve: a tool's input without the daemon's own values, and in how many texts of it one stood. */
  readonly exact: (input: ToolInput) => { readonly input: ToolInput; readonly hidden: number };
}

export function createOutgoing(finder: SecretFinder): Outgoing {
  const text = (whole: string): string => finder.redact(whole, "certain");

  function markdown(source: string, maxLength = source.length): RichText {
    const beginning = masked(source.slice(0, maxLength + LONGEST_SECRET)).slice(0, maxLength);
    return richWith(renderMarkdown(beginning), "certain");
  }

  function richWith({ text: whole, entities }: RichText, shapes: Shapes): RichText {
    let rich: RichText = { text: whole, entities: entities.flatMap((entity) => safeEntity(entity, shapes)) };
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const spans = mergeSpans([...finder.find(rich.text, shapes), ...standInsOf(rich.text)]);
      if (spans.length === 0) return rich;
      rich = replaceIn(rich, spans, REDACTED);
    }
    return rich;
  }

  /** An address or a language with a secret in it is of no use without it. */
  function safeEntity(entity: Entity, shapes: Shapes): readonly Entity[] {
    const isClean = (value: string): boolean =>
      value.length < SHORTEST_SECRET || finder.find(value, shapes).length === 0;
    if (entity.type === "text_link") return isClean(entity.url) ? [entity] : [];
    if (entity.type !== "pre" || entity.language === undefined || isClean(entity.language)) return [entity];
    return [{ type: "pre", offset: entity.offset, length: entity.length }];
  }

  function body(whole: MessageBody): MessageBody {
    const shapes = whole.isExact ? "none" : "certain";
    const safeButton = ({ text: label, data }: ScreenButton): ScreenButton => ({
      text: finder.redact(label, shapes),
      data,
    });
    const buttons = whole.buttons.map((row) => row.map(safeButton));
    return { ...whole, ...richWith(whole, shapes), buttons };
  }

  function document(act: DocumentAct): DocumentAct {
    const shapes = act.body.isExact ? "none" : "certain";
    const content = finder.redact(act.content, shapes);
    return { ...act, body: body(act.body), content, fileName: finder.redact(act.fileName, shapes) };
  }

  /** The source with a stand-in for each secret. */
  function masked(source: string): string {
    return replaceSpans(source, finder.find(source, "certain"), STAND_IN);
  }

  return {
    text,
    fault: (whole) => finder.redact(whole, "all"),
    rich: (rich) => richWith(rich, "certain"),
    body,
    document,
    act: (act) => (act.kind === "document" ? document(act) : { ...act, body: body(act.body) }),
    markdown,
    cutOff: (source) => markdown(finder.decided(source)),
    preview: (source, { isOpen, maxLength }) => {
      const known = isOpen ? finder.decided(source) : source;
      const from = Math.max(0, known.length - PREVIEW_LOOK);
      const shown = known.slice(0, from) + masked(known.slice(from));
      return previewMarkdown(shown, { maxLength, change: (rich) => richWith(rich, "certain") });
    },
    exact: (input) => {
      let hidden = 0;
      const change = (whole: string): string => {
        const shown = finder.redact(whole, "none");
        if (shown !== whole) hidden += 1;
        return shown;
      };
      const entries = Object.entries(input).map(([key, value]) => [change(key), mapTexts(value, change)]);
      return { input: Object.fromEntries(entries), hidden };
    },
  };
}

function standInsOf(text: string): readonly Span[] {
  const spans: Span[] = [];
  for (let from = text.indexOf(STAND_IN); from !== -1; from = text.indexOf(STAND_IN, from + 1))
    spans.push({ from, to: from + 1 });
  return spans;
}
