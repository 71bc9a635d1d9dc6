import { isSolid, type RichText } from "./entity.ts";
import { renderMarkdown } from "./markdown.ts";
import { clustersOf, skipSpaces, sliceRich, splitsPair } from "./slice.ts";
import { sourceTail } from "./tail.ts";

const MAX_ENTITIES = 100;
/** Markdown is longer than what it shows; of an answer beyond this many times the message only the end is rendered. */
const SOURCE_PER_SHOWN = 4;

interface PreviewOptions {
  /** In UTF-16 units. */
  readonly maxLength?: number;
  /** Changes what was rendered before it is cut to what fits. */
  readonly change?: (rich: RichText) => RichText;
}

/**
 * What one message can show of an answer that is still being written: all of it, or its end, at most `maxLength` UTF-16
 * units of it, beginning at a line where one begins early enough. An unclosed fence is code to the end; unclosed emphasis
 * stays literal until it is closed. Empty when there is nothing to see yet. The final answer is never made from a preview
 * (H64): it is `splitRichText(renderMarkdown(…))`.
 */
export function previewMarkdown(markdown: string, options: PreviewOptions = {}): RichText {
  const { maxLength = 4096, change = (same) => same } = options;
  const rich = change(renderMarkdown(sourceTail(markdown, SOURCE_PER_SHOWN * maxLength)));
  const from = tailStart(rich.text, maxLength);
  const { text, entities } = sliceRich(
    rich,
    skipSpaces(rich.text, rich.entities.filter(isSolid), from),
    rich.text.length,
  );
  return { text, entities: entities.slice(-MAX_ENTITIES) };
}

function tailStart(text: string, maxLength: number): number {
  const from = text.length - maxLength;
  if (from <= 0) return 0;
  const line = text.indexOf("\n", from - 1);
  if (line !== -1 && line - from < maxLength / 4) return line;
  const clusters = clustersOf(text);
  if (clusters.startOf(from) === from) return from;
  const next = clusters.endOf(from);
  if (next < text.length) return next;
  return splitsPair(text, from) ? from + 1 : from;
}
