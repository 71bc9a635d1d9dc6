import { isBlank, isSpaceAt, trimmedLength } from "./clean.ts";
import {
  compareEntities,
  type Entity,
  endOf,
  firstEndingAfter,
  isSolid,
  type RichText,
  type StyleType,
} from "./entity.ts";

const STYLES: readonly StyleType[] = ["bold", "italic", "underline", "strikethrough"];

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Where solids begin and end: no trimming passes these. */
interface Edges {
  readonly starts: ReadonlySet<number>;
  readonly ends: ReadonlySet<number>;
}

/**
 * Makes Telegram's rules true for spans taken from a tree (they may nest, never cross): nothing overlaps code or pre but
 * blockquotes, which may hold them; styles are cut around code; no style is nested in itself, no link in a link, no quote
 * in a quote (the outer one stays); none is empty, covers only blanks, or begins or ends with a space or newline, except
 * code and pre, whose spaces are content. Sorted. Source: `are_entities_valid` in tdlib's MessageEntity.cpp.
 */
export function settleEntities(text: string, spans: readonly Entity[]): Entity[] {
  const kept = spans.filter((span) => span.length > 0 && !isBlank(text.slice(span.offset, endOf(span))));
  const solids = outermost(kept.filter(isSolid));
  const edges: Edges = {
    starts: new Set(solids.map(({ offset }) => offset)),
    ends: new Set(solids.map(endOf)),
  };
  const links = outermost(kept.filter((span) => span.type === "text_link")).filter(
    (link) => (solids[firstEndingAfter(solids, link.offset)]?.offset ?? text.length) >= endOf(link),
  );
  const quotes = outermost(
    kept.filter((span) => span.type === "blockquote" || span.type === "expandable_blockquote"),
  );
  const trimmed = [...links, ...quotes].flatMap((span): Entity[] => {
    const { start, end } = trimRange(text, { start: span.offset, end: endOf(span) }, edges);
    return end > start ? [{ ...span, offset: start, length: end - start }] : [];
  });
  const styled = STYLES.flatMap((type) =>
    outermost(kept.filter((span) => span.type === type))
      .flatMap((span) => around({ start: span.offset, end: endOf(span) }, solids))
      .map((range) => trimRange(text, range, edges))
      .filter(({ start, end }) => end > start && !isBlank(text.slice(start, end)))
      .map(({ start, end }): Entity => ({ type, offset: start, length: end - start })),
  );
  return [...solids, ...trimmed, ...styled].sort(compareEntities);
}

/** Cuts off the spaces and newlines that Telegram would: all at the end, at the start those before the first entity. */
export function trimRich({ text, entities }: RichText): RichText {
  const end = trimmedLength(text);
  const limit = Math.min(end, entities[0]?.offset ?? end);
  let start = 0;
  while (start < limit && isSpaceAt(text, start)) start++;
  if (start === 0 && end === text.length) return { text, entities };
  const moved = entities
    .map((entity) => ({
      ...entity,
      offset: entity.offset - start,
      length: Math.min(endOf(entity), end) - entity.offset,
    }))
    .filter(({ length }) => length > 0);
  return { text: text.slice(start, end), entities: moved.sort(compareEntities) };
}

/** The entities that do not begin inside an earlier one, sorted. */
function outermost(spans: readonly Entity[]): Entity[] {
  let last = 0;
  return spans.toSorted(compareEntities).filter((span) => {
    if (span.offset < last) return false;
    last = endOf(span);
    return true;
  });
}

/** What is left of a range without the solids in it; these are sorted and apart from each other. */
function around({ start, end }: Range, solids: readonly Entity[]): Range[] {
  const pieces: Range[] = [];
  let from = start;
  for (let index = firstEndingAfter(solids, start); index < solids.length; index++) {
    const solid = solids[index];
    if (solid === undefined || solid.offset >= end) break;
    pieces.push({ start: from, end: solid.offset });
    from = endOf(solid);
  }
  return [...pieces, { start: from, end }].filter((piece) => piece.end > piece.start);
}

/** Moves both ends inward over spaces and newlines, but never into a solid. */
function trimRange(text: string, { start, end }: Range, edges: Edges): Range {
  let from = start;
  let to = end;
  while (from < to && isSpaceAt(text, from) && !edges.starts.has(from)) from++;
  while (to > from && isSpaceAt(text, to - 1) && !edges.ends.has(to)) to--;
  return { start: from, end: to };
}
