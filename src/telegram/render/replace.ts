import { replaceSpans, type Span } from "../../log/spans.ts";
import { type Entity, endOf, type RichText } from "./entity.ts";
import { settleEntities } from "./settle.ts";

/**
 * The text with `by` for each of the spans, which are in order and apart. An entity that holds a span holds `by`; one that
 * lies inside a span is gone, and one that reaches into it ends before it, so that entities which nested still do.
 */
export function replaceIn({ text, entities }: RichText, spans: readonly Span[], by: string): RichText {
  const shown = replaceSpans(text, spans, by);
  const placeOf = createPlaces(spans, by.length);
  const moved = entities.flatMap((entity): readonly Entity[] => {
    const offset = placeOf(entity.offset).from;
    const length = placeOf(endOf(entity)).to - offset;
    return length > 0 ? [{ ...entity, offset, length }] : [];
  });
  return { text: shown, entities: settleEntities(shown, moved) };
}

/** Where an index is afterwards, as an entity's beginning (`from`) and as its end (`to`): these differ inside a span. */
function createPlaces(spans: readonly Span[], length: number): (index: number) => Span {
  const starts: number[] = [];
  let shift = 0;
  for (const { from, to } of spans) {
    starts.push(from + shift);
    shift += length - (to - from);
  }
  return (index) => {
    const at = lastBegunBefore(spans, index);
    const span = spans[at];
    const start = starts[at];
    if (span === undefined || start === undefined) return { from: index, to: index };
    if (index < span.to) return { from: start + length, to: start };
    const place = start + length + index - span.to;
    return { from: place, to: place };
  };
}

/** The last span that begins before `index`; -1 when none does. */
function lastBegunBefore(spans: readonly Span[], index: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.from ?? index) < index) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
