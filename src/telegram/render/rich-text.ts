import { cleanText, trimmedLength } from "./clean.ts";
import type { Entity, RichText, StyleType } from "./entity.ts";
import { settleEntities } from "./settle.ts";

/** Columns that a tab takes in code: Telegram itself makes one space of it. */
const TAB = "    ";

/** Text as it stands, without formatting; cleaned as Telegram would clean it, not trimmed. */
export function plain(text: string): RichText {
  return { text: cleanText(text), entities: [] };
}

/** One after the other, nothing between. A string stands for `plain` of it. */
export function joinRich(...parts: readonly (RichText | string)[]): RichText {
  let text = "";
  const entities: Entity[] = [];
  for (const part of parts) {
    const rich = typeof part === "string" ? plain(part) : part;
    for (const entity of rich.entities) entities.push({ ...entity, offset: entity.offset + text.length });
    text += rich.text;
  }
  return { text, entities };
}

/** Bold; formatting inside stays. */
export function bold(content: RichText | string): RichText {
  return styled("bold", content);
}

/** Italic; formatting inside stays. */
export function italic(content: RichText | string): RichText {
  return styled("italic", content);
}

/** Monospace within a line. */
export function code(text: string): RichText {
  const clean = cleanText(text);
  return {
    text: clean,
    entities: settleEntities(clean, [{ type: "code", offset: 0, length: clean.length }]),
  };
}

/** A code block, in the colours of `language` where one is given. Tabs become four spaces; blank lines at the end go. */
export function pre(text: string, language?: string): RichText {
  const clean = codeBlockText(text);
  const range = { type: "pre" as const, offset: 0, length: clean.length };
  const entity: Entity = language === undefined ? range : { ...range, language };
  return { text: clean, entities: settleEntities(clean, [entity]) };
}

/** The text of a code block as it is shown: tabs widened, cleaned, no spaces or newlines at the end. */
export function codeBlockText(text: string): string {
  const clean = cleanText(text.replaceAll("\t", TAB));
  return clean.slice(0, trimmedLength(clean));
}

function styled(type: StyleType, content: RichText | string): RichText {
  const { text, entities } = typeof content === "string" ? plain(content) : content;
  return { text, entities: settleEntities(text, [{ type, offset: 0, length: text.length }, ...entities]) };
}
