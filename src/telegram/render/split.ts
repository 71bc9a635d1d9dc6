import { type Entity, endOf, isSolid, type RichText } from "./entity.ts";
import { type Clusters, clustersOf, skipSpaces, sliceRich, splitsPair } from "./slice.ts";

/** What one message holds. Telegram's own limits are the defaults. */
export interface MessageLimits {
  /** UTF-16 units; Telegram counts code points, of which there are never more. 1024 for a caption. Less than 2 is 2. */
  readonly maxLength?: number;
  readonly maxEntities?: number;
}

/** The server takes 32768 bytes of text, and a UTF-16 unit is at most 3 bytes of UTF-8. */
const MAX_UNITS_IN_BYTES = Math.floor(32_768 / 3);
const SEPARATORS = ["\n\n", "\n", " "] as const;

/** Where a piece may end: after `from`, at `until` at the latest. */
interface Span {
  readonly from: number;
  readonly until: number;
}

/**
 * The text in pieces that each fit one message. A piece ends before a code block that begins in its second half and does
 * not end in it, else at the last blank line, newline or space of that half, else between two grapheme clusters; only a
 * cluster longer than a message is cut, between code points. A cut entity goes on in the next piece (code keeps its
 * language).
 *
 * Put together again the pieces are the text, except: spaces and newlines at a cut and at both ends of the text are gone
 * (inside code only newlines are, so that its lines stay indented), and pieces of nothing but blanks and invisible
 * characters, which Telegram refuses, are left out. Where more than `maxEntities` cover one place, the inner ones are
 * dropped there.
 */
export function splitRichText(rich: RichText, limits: MessageLimits = {}): RichText[] {
  const { maxLength = 4096, maxEntities = 100 } = limits;
  const { text } = rich;
  const size = Math.max(2, Math.min(Math.floor(maxLength), MAX_UNITS_IN_BYTES));
  const clusters = clustersOf(text);
  const solids = rich.entities.filter(isSolid);
  const presentIn = createSweep(rich.entities);
  const pieces: RichText[] = [];
  let from = skipSpaces(text, solids, 0);
  while (from < text.length) {
    const limit = Math.min(from + size, text.length);
    const entities = presentIn({ from, until: limit });
    const until = firstTooMany(entities, from, maxEntities) ?? limit;
    const cut = until === text.length ? until : chooseCut({ text, entities }, { from, until }, clusters);
    const piece = sliceRich({ text, entities }, from, cut);
    if (piece.text !== "") pieces.push({ ...piece, entities: piece.entities.slice(0, maxEntities) });
    from = skipSpaces(text, solids, cut);
  }
  return pieces;
}

/** Gives the entities that touch a span, when asked for spans in order: each entity is looked at about once. */
function createSweep(entities: readonly Entity[]): (span: Span) => readonly Entity[] {
  let next = 0;
  let present: Entity[] = [];
  return ({ from, until }) => {
    present = present.filter((entity) => endOf(entity) > from);
    for (
      let entity = entities[next];
      entity !== undefined && entity.offset <= until;
      entity = entities[++next]
    ) {
      present.push(entity);
    }
    return present;
  };
}

/** Where the first entity begins that would be one too many; undefined when there is none. */
function firstTooMany(entities: readonly Entity[], from: number, maxEntities: number): number | undefined {
  return entities.slice(maxEntities).find(({ offset }) => offset > from)?.offset;
}

function chooseCut({ text, entities }: RichText, { from, until }: Span, clusters: Clusters): number {
  const half = from + Math.ceil((until - from) / 2);
  const isCandidate = (at: number) => at >= half && at <= until && clusters.startOf(at) === at;
  const block = entities.find(
    (entity) => entity.type === "pre" && endOf(entity) > until && isCandidate(entity.offset),
  );
  if (block !== undefined) return block.offset;
  for (const separator of SEPARATORS) {
    const at = half + text.slice(half, until + separator.length).lastIndexOf(separator);
    if (isCandidate(at)) return at;
  }
  const start = clusters.startOf(until);
  if (start > from) return start;
  return splitsPair(text, until) ? until - 1 : until;
}
