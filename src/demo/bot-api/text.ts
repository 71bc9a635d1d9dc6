import { areApart, parseEntities, settleEntities } from "./entities.ts";
import { badRequest } from "./failure.ts";
import { findEntities } from "./found-entities.ts";
import type { ApiEntity } from "./objects.ts";

/** A text with its formatting. */
export interface FormattedText {
  readonly text: string;
  readonly entities: readonly ApiEntity[];
}

/** A text as it came, its raw form checked. */
export interface RawText {
  readonly text: string;
  readonly entities?: unknown;
  readonly parseMode?: string | undefined;
}

const MAX_RAW_BYTES = 32_768;
/** Line and paragraph separators, bidi embeddings and overrides, three combining marks: removed by the real server. */
const REMOVED = /[\r\u2028-\u202E]|\u0333|\u033F|\u030A/;
const EMPTY_TEXT =
  /^[\s\u00A0\u1680\u180E\u2000-\u200F\u202E\u202F\u205F\u2800\u3000\uFFFC\uFEFF\u{E0000}-\u{E007F}]*$/u;

/**
 * First look at a text, before chats and messages are looked up: size and the shape of its entities.
 * A parse mode is refused: text with entities is the only form that this server takes.
 */
export function parseText({ text, entities, parseMode = "" }: RawText): FormattedText {
  if (Buffer.byteLength(text) > MAX_RAW_BYTES) throw badRequest("text is too long");
  if (text !== "" && parseMode !== "" && parseMode.toLowerCase() !== "none") {
    throw badRequest(`can't parse entities: parse_mode "${parseMode}" is not taken here, send entities`);
  }
  return { text, entities: parseEntities(entities) };
}

/**
 * The text as the real server stores it (td, `fix_formatted_text`): control characters become spaces, some vanish,
 * the ends are trimmed, entities move along, commands and links are found. Gives "" for a text without a visible
 * character. Throws 400 for lone surrogates and for entities that begin or end outside the text or inside a character.
 */
export function fixText({ text, entities }: FormattedText): FormattedText {
  if (!text.isWellFormed()) throw badRequest("strings must be encoded in UTF-8");
  const { cleaned, offsets } = clean(text);
  const moved = settleEntities(
    entities.filter(({ length }) => length > 0).map((entity) => move(entity, { text, offsets })),
  );
  const trimmed = trim({ text: cleaned, entities: moved });
  if (EMPTY_TEXT.test(trimmed.text)) return { text: "", entities: [] };
  return withFound(trimmed);
}

/** Telegram counts code points against its limits, not UTF-16 units. */
export function lengthInCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

interface Cleaned {
  readonly cleaned: string;
  /** Where each UTF-16 offset of the raw text has gone; -1 in the middle of a surrogate pair. */
  readonly offsets: readonly number[];
}

function clean(text: string): Cleaned {
  const pieces: string[] = [];
  const offsets: number[] = [];
  let length = 0;
  for (const symbol of text) {
    offsets.push(length);
    if (symbol.length === 2) offsets.push(-1);
    if (REMOVED.test(symbol)) continue;
    pieces.push(symbol < " " && symbol !== "\n" ? " " : symbol);
    length += symbol.length;
  }
  return { cleaned: pieces.join(""), offsets: [...offsets, length] };
}

function move(entity: ApiEntity, { text, offsets }: { text: string; offsets: readonly number[] }): ApiEntity {
  const { offset } = entity;
  const end = offset + entity.length;
  if (offset > text.length) {
    throw badRequest(`entity begins after the end of the text at UTF-16 offset ${offset}`);
  }
  if (end > text.length) {
    throw badRequest(
      `entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${end}`,
    );
  }
  const from = offsets[offset] ?? 0;
  const to = offsets[end] ?? 0;
  if (from === -1) {
    const at = Buffer.byteLength(text.slice(0, offset + 1));
    throw badRequest(`entity begins in a middle of a UTF-16 symbol at byte offset ${at}`);
  }
  if (to === -1) {
    const at = Buffer.byteLength(text.slice(0, end + 1));
    throw badRequest(
      `entity beginning at UTF-16 offset ${offset} ends in a middle of a UTF-16 symbol at byte offset ${at}`,
    );
  }
  return { ...entity, offset: from, length: to - from };
}

function trim({ text, entities }: FormattedText): FormattedText {
  let end = text.length;
  while (isBlank(text[end - 1])) end -= 1;
  const clipped = entities
    .filter(({ offset }) => offset < end)
    .map((entity) => ({ ...entity, length: Math.min(entity.length, end - entity.offset) }));
  const firstEntity = clipped[0]?.offset ?? end;
  let start = 0;
  while (start < firstEntity && isBlank(text[start])) start += 1;
  return {
    text: text.slice(start, end),
    // Settled anew: what was longer, and so came first, may be as long as the next one now.
    entities: settleEntities(clipped.map((entity) => ({ ...entity, offset: entity.offset - start }))),
  };
}

function isBlank(unit: string | undefined): boolean {
  return unit === " " || unit === "\n";
}

function withFound({ text, entities }: FormattedText): FormattedText {
  const solid = entities.filter(({ type }) => /^(code|pre|text_|custom_|date_)/.test(type));
  const found = findEntities(text).filter((candidate) =>
    solid.every((entity) => areApart(entity, candidate)),
  );
  return {
    text,
    entities: [...entities, ...found].toSorted((a, b) => a.offset - b.offset || b.length - a.length),
  };
}
