import { type Entity, endOf, type RichText } from "../../src/telegram/render/entity.ts";

const SOLID = new Set(["code", "pre"]);
const QUOTE = new Set(["blockquote", "expandable_blockquote"]);
const TYPES = new Set([...SOLID, ...QUOTE, "bold", "italic", "underline", "strikethrough", "text_link"]);
/** What Telegram takes for nothing (tdlib, `strip_empty_characters`), character by character. */
export const NOTHING =
  /^[\s\u180e\u2000-\u200f\u202e\u202f\u205f\u2800\u3000\u00a0\ufeff\ufffc\u{e0000}-\u{e007f}]$/u;
/** What Telegram removes (tdlib, `clean_input_string`); controls become spaces. */
const REMOVED = /[\u2028-\u202e]|\u0333|\u033f|\u030a/u;

export const isNothing = (text: string) => Array.from(text).every((character) => NOTHING.test(character));
const hasControls = (text: string) =>
  Array.from(text).some((character) => character < " " && character !== "\n");

/** What Telegram would refuse or change about entities, as words; null when there is nothing. */
export function faultOfEntities({ text, entities }: RichText): string | null {
  for (const [index, entity] of entities.entries()) {
    const { offset, length, type } = entity;
    const covered = text.slice(offset, offset + length);
    if (!TYPES.has(type)) return `type ${type}`;
    if (!Number.isInteger(offset) || !Number.isInteger(length) || offset < 0) return "no whole numbers";
    if (length <= 0) return `${type} covers nothing`;
    if (offset + length > text.length) return `${type} ends behind the text`;
    if (!covered.isWellFormed()) return `${type} cuts a surrogate pair`;
    if (isNothing(covered)) return `${type} covers only blanks`;
    if (
      !SOLID.has(type) &&
      !isInsideSolid(entities, entity) &&
      covered.replace(/^[ \n]+|[ \n]+$/gu, "") !== covered
    ) {
      return `${type} begins or ends with a space`;
    }
    if (entity.type === "text_link" && !/^(https?:\/\/[\w-]+(\.[\w-]+)+|tg:\/\/\w)/u.test(entity.url)) {
      return `address ${entity.url}`;
    }
    if (entity.type === "pre" && entity.language !== undefined && !/^[\w+#.-]+$/u.test(entity.language)) {
      return `language ${entity.language}`;
    }
    const next = entities[index + 1];
    if (next && (next.offset < offset || (next.offset === offset && next.length > length)))
      return "not sorted";
    for (const inner of entities.slice(index + 1)) {
      if (inner.offset >= endOf(entity)) break;
      const fault = faultOfPair(entity, inner);
      if (fault !== null) return fault;
    }
  }
  return null;
}

function faultOfPair(outer: Entity, inner: Entity): string | null {
  const pair = `${inner.type} in ${outer.type}`;
  if (endOf(inner) > endOf(outer)) return `${pair}: they cross`;
  if (SOLID.has(outer.type)) return pair;
  if (SOLID.has(inner.type) && !QUOTE.has(outer.type)) return pair;
  if (QUOTE.has(inner.type) || outer.type === inner.type) return pair;
  return null;
}

/** True for an entity that begins or ends with code, whose spaces count. */
function isInsideSolid(entities: readonly Entity[], { offset, length }: Entity): boolean {
  return entities.some(
    (solid) => SOLID.has(solid.type) && (solid.offset === offset || endOf(solid) === offset + length),
  );
}

/** What Telegram would refuse or change about a message, as words; null when there is nothing. */
export function faultOfMessage(rich: RichText, maxLength = 4096, maxEntities = 100): string | null {
  const { text, entities } = rich;
  if (isNothing(text)) return "empty";
  if (!text.isWellFormed()) return "lone surrogate";
  if (REMOVED.test(text) || hasControls(text)) return "would be cleaned";
  if (text.length > maxLength) return `${text.length} units`;
  if (Buffer.byteLength(text) > 32_768) return "too many bytes";
  if (entities.length > maxEntities) return `${entities.length} entities`;
  if (/[ \n]$/u.test(text)) return "would be trimmed at its end";
  if (text.startsWith("\n") && entities[0]?.offset !== 0) return "would be trimmed at its start";
  if (text.startsWith(" ") && !entities.some(({ type, offset }) => SOLID.has(type) && offset === 0)) {
    return "would be trimmed at its start";
  }
  return faultOfEntities(rich);
}
