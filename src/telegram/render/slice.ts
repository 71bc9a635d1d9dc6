import { isBlank, isSpaceAt, trimmedLength } from "./clean.ts";
import { compareEntities, type Entity, endOf, firstEndingAfter, NOTHING, type RichText } from "./entity.ts";

/** Made when a text is cut: its data are several megabytes, which a daemon that only waits does not need. */
let graphemes: Intl.Segmenter | null = null;

/** Grapheme clusters of one text, by UTF-16 index. */
export interface Clusters {
  /** The start of the cluster that holds `index`; `index` itself at or past the text's end. */
  readonly startOf: (index: number) => number;
  /** The first index after the cluster that holds `index`. */
  readonly endOf: (index: number) => number;
}

/** Clusters as a person sees characters: family emoji, flags and combined letters are one. */
export function clustersOf(text: string): Clusters {
  let segments: Intl.Segments | null = null;
  const containing = (index: number): Intl.SegmentData | undefined => {
    graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
    segments ??= graphemes.segment(text);
    return segments.containing(index);
  };
  return {
    startOf: (index) => containing(index)?.index ?? index,
    endOf: (index) => {
      const cluster = containing(index);
      return cluster === undefined ? index : cluster.index + cluster.segment.length;
    },
  };
}

/** True where a cut at `index` would go through a surrogate pair. */
export function splitsPair(text: string, index: number): boolean {
  return (text.codePointAt(index - 1) ?? 0) > 0xffff;
}

/**
 * The first index at or after `from` that Telegram would not trim away at a message's start: past newlines, and past spaces
 * outside of code. `solids` are the text's code and pre entities.
 */
export function skipSpaces(text: string, solids: readonly Entity[], from: number): number {
  let at = from;
  while (isSpaceAt(text, at)) {
    const solid = text[at] === " " ? solids[firstEndingAfter(solids, at)] : undefined;
    if (solid !== undefined && solid.offset <= at && !isBlank(text.slice(at, endOf(solid)))) break;
    at++;
  }
  return at;
}

/** The part `[from, to)` without spaces and newlines at its end, with the entities clipped to it. */
export function sliceRich({ text, entities }: RichText, from: number, to: number): RichText {
  const part = text.slice(from, from + trimmedLength(text.slice(from, to)));
  if (isBlank(part)) return NOTHING;
  const clipped = entities.flatMap((entity): Entity[] => {
    const start = Math.max(entity.offset - from, 0);
    const end = Math.min(endOf(entity) - from, part.length);
    if (end <= start || isBlank(part.slice(start, end))) return [];
    return [{ ...entity, offset: start, length: end - start }];
  });
  return { text: part, entities: clipped.sort(compareEntities) };
}
