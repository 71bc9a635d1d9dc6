import { z } from "zod";
import { badRequest } from "./failure.ts";
import { checkLink } from "./links.ts";
import type { ApiEntity } from "./objects.ts";
import { unwrapJson } from "./params.ts";

const MAX_ENTITIES = 100;
const SPLITTABLE = new Set(["bold", "italic", "underline", "strikethrough", "spoiler"]);
const QUOTES = new Set(["blockquote", "expandable_blockquote"]);
const MONOSPACE = new Set(["code", "pre"]);
const LINKING = new Set(["text_link", "text_mention", "custom_emoji", "date_time"]);
/** Telegram finds these in the text itself and takes no notice of ours. */
const FOUND_BY_SERVER = new Set([
  "mention",
  "hashtag",
  "cashtag",
  "bot_command",
  "url",
  "email",
  "phone_number",
  "bank_card_number",
]);

const shape = z.looseObject({
  offset: z.int({ error: `Can't find field "offset"` }),
  length: z.int({ error: `Can't find field "length"` }),
  type: z.string({ error: `Can't find field "type"` }),
});

/**
 * The entities of a call, as far as they count. Whatever is no array counts as none, as on the real server.
 * Throws 400 for an element of a wrong shape or type, and for a link that is none.
 */
export function parseEntities(value: unknown): readonly ApiEntity[] {
  const list = unwrapJson(value);
  return Array.isArray(list) ? list.map(parseEntity).filter(({ type }) => !FOUND_BY_SERVER.has(type)) : [];
}

function parseEntity(value: unknown): ApiEntity {
  const parsed = shape.safeParse(value);
  if (!parsed.success) {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const why = isObject ? parsed.error.issues[0]?.message : "expected an Object";
    throw badRequest(`can't parse MessageEntity: ${why}`);
  }
  const entity = parsed.data;
  if (!isKnown(entity.type)) throw badRequest("can't parse MessageEntity: Unsupported type specified");
  if (entity.type === "text_link") checkTextLink(entity.url);
  if (entity.offset < 0 || entity.offset > 1_000_000) {
    throw badRequest(`receive an entity with incorrect offset ${entity.offset}`);
  }
  if (entity.length < 0 || entity.length > 1_000_000) {
    throw badRequest(`receive an entity with incorrect length ${entity.length}`);
  }
  return entity;
}

function isKnown(type: string): boolean {
  return [SPLITTABLE, QUOTES, MONOSPACE, LINKING, FOUND_BY_SERVER].some((types) => types.has(type));
}

function checkTextLink(url: unknown): void {
  if (typeof url !== "string") throw badRequest(`can't parse MessageEntity: Can't find field "url"`);
  const fault = checkLink(url);
  if (fault !== null) throw badRequest(`entity ${fault}`);
}

/**
 * What is left of entities that get in each other's way: nothing stands inside code, quotes do not nest, links do not
 * overlap; the one that begins first stays. Styles are cut around code. At most 100 are kept.
 */
export function settleEntities(entities: readonly ApiEntity[]): readonly ApiEntity[] {
  const sorted = entities.filter(({ length }) => length > 0).toSorted(byPlace);
  const kept: ApiEntity[] = [];
  for (const entity of sorted.filter(({ type }) => !SPLITTABLE.has(type))) {
    if (kept.every((other) => mayStandTogether(other, entity))) kept.push(entity);
  }
  const code = kept.filter(({ type }) => MONOSPACE.has(type));
  const styles = sorted.filter(({ type }) => SPLITTABLE.has(type)).flatMap((style) => cutAround(style, code));
  return [...kept, ...styles].toSorted(byPlace).slice(0, MAX_ENTITIES);
}

function byPlace(a: ApiEntity, b: ApiEntity): number {
  return a.offset - b.offset || b.length - a.length;
}

function endOf({ offset, length }: ApiEntity): number {
  return offset + length;
}

/** True when the two share no character. */
export function areApart(a: ApiEntity, b: ApiEntity): boolean {
  return endOf(a) <= b.offset || endOf(b) <= a.offset;
}

function mayStandTogether(earlier: ApiEntity, later: ApiEntity): boolean {
  if (areApart(earlier, later)) return true;
  return QUOTES.has(earlier.type) && !QUOTES.has(later.type) && endOf(later) <= endOf(earlier);
}

function cutAround(style: ApiEntity, blocks: readonly ApiEntity[]): readonly ApiEntity[] {
  const block = blocks.find((candidate) => !areApart(style, candidate));
  if (block === undefined) return [style];
  const before = { ...style, length: block.offset - style.offset };
  const after = { ...style, offset: endOf(block), length: endOf(style) - endOf(block) };
  return [before, after].filter(({ length }) => length > 0).flatMap((piece) => cutAround(piece, blocks));
}
