import { REDACTED } from "../domain/secret-shapes.ts";

/** A stretch of a text in UTF-16 units, `to` not included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** In order, and apart: those that touch or overlap are one. */
export function mergeSpans(spans: readonly Span[]): readonly Span[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of spans.toSorted((one, other) => one.from - other.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else if (to > from) merged.push({ from, to });
  }
  return merged;
}

/** The text with `by` for each of the merged spans. */
export function replaceSpans(text: string, spans: readonly Span[], by: string = REDACTED): string {
  let shown = "";
  let done = 0;
  for (const { from, to } of spans) {
    shown += text.slice(done, from) + by;
    done = to;
  }
  return shown + text.slice(done);
}
