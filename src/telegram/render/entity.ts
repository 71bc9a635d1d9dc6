/** Character styles: may contain and be part of each other and of everything but code. */
export type StyleType = "bold" | "italic" | "underline" | "strikethrough";

/**
 * One formatted stretch of a text: the part of Telegram's MessageEntity that is used here, assignable to grammY's type.
 * `offset` and `length` count UTF-16 code units. `language` is the fence's word; `url` is absolute.
 */
export type Entity =
  | {
      readonly type: StyleType | "code" | "blockquote" | "expandable_blockquote";
      readonly offset: number;
      readonly length: number;
    }
  | { readonly type: "pre"; readonly offset: number; readonly length: number; readonly language?: string }
  | { readonly type: "text_link"; readonly offset: number; readonly length: number; readonly url: string };

/** Text with its formatting. Entities are sorted by `compareEntities` and hold what `settleEntities` promises. */
export interface RichText {
  readonly text: string;
  readonly entities: readonly Entity[];
}

/** Nothing to send. */
export const NOTHING: RichText = { text: "", entities: [] };

/** tdlib's `get_type_priority`: which of two entities with the same range comes first. */
const PRIORITY: Readonly<Record<Entity["type"], number>> = {
  blockquote: 0,
  expandable_blockquote: 0,
  pre: 10,
  code: 20,
  text_link: 49,
  bold: 90,
  italic: 91,
  underline: 92,
  strikethrough: 93,
};

/** Telegram's order: by offset, the longer one first, then by type. */
export function compareEntities(a: Entity, b: Entity): number {
  return a.offset - b.offset || b.length - a.length || PRIORITY[a.type] - PRIORITY[b.type];
}

/** True for code and pre, inside which nothing else may stand. */
export function isSolid(entity: Entity): boolean {
  return entity.type === "code" || entity.type === "pre";
}

/** The first index that is no longer part of the entity. */
export function endOf(entity: Entity): number {
  return entity.offset + entity.length;
}

/** Index of the first entity that ends after `offset`, among sorted ones that do not overlap; their number when none does. */
export function firstEndingAfter(entities: readonly Entity[], offset: number): number {
  let low = 0;
  let high = entities.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entity = entities[middle];
    if (entity !== undefined && endOf(entity) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
