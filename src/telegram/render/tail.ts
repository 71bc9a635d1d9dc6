const FENCE = /^[\s>]*(?<marker>`{3,}(?!.*`)|~{3,})(?<info>.*)/u;

interface OpenFence {
  readonly marker: string;
  readonly line: string;
}

/** How far a scan from the top came: the last line's start, the last block's start, and the fence that is open there. */
interface Place {
  readonly line: number;
  readonly block: number;
  readonly fence: OpenFence | null;
}

/**
 * The end of a Markdown text, of at least `length` UTF-16 units or all of it, that renders as it does within the whole: it
 * begins at a block, else at a line; inside a fence the opening line is repeated. An approximation, for previews, so that
 * their cost does not grow with the answer; what is nested or refers to something further up may look different.
 */
export function sourceTail(markdown: string, length: number): string {
  const limit = markdown.length - length;
  if (limit <= 0) return markdown;
  const { line, block, fence } = scanTo(markdown, limit);
  const start = limit - line > length ? limit : line;
  if (fence !== null) return `${fence.line}\n${markdown.slice(start)}`;
  return markdown.slice(limit - block > length ? start : block);
}

function scanTo(markdown: string, limit: number): Place {
  let line = 0;
  let block = 0;
  let fence: OpenFence | null = null;
  for (;;) {
    const end = markdown.indexOf("\n", line);
    if (end === -1 || end >= limit) return { line, block, fence };
    const text = markdown.slice(line, end);
    const isBlankLine = text.trim() === "";
    fence = isBlankLine ? fence : fenceAfter(fence, text);
    line = end + 1;
    if (isBlankLine && fence === null && /\S/u.test(markdown.charAt(line))) block = line;
  }
}

function fenceAfter(fence: OpenFence | null, line: string): OpenFence | null {
  const found = FENCE.exec(line)?.groups;
  const marker = found?.marker;
  if (marker === undefined) return fence;
  if (fence === null) return { marker, line };
  return marker.startsWith(fence.marker) && found?.info?.trim() === "" ? null : fence;
}
