import type { ApiEntity } from "./objects.ts";

/** Commands, mentions and plain links: what people's clients light up by themselves. The patterns of td's `find_entities`, simplified. */
const PATTERNS = {
  bot_command: /(?<![\p{L}\p{N}_/<>])\/[a-zA-Z0-9_]{1,64}(?:@[a-zA-Z0-9_]{3,32})?(?![\p{L}\p{N}_/<>])/gu,
  mention: /(?<![\p{L}\p{N}_/])@[a-zA-Z0-9_]{3,32}(?![\p{L}\p{N}_])/gu,
  url: /(?<![\p{L}\p{N}_])https?:\/\/[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:[/?#][^\s<>"«»]*[^\s<>"«».,:;!?)\]])?/gu,
} as const;

/** The entities that Telegram finds in a text by itself. They share no characters: a link wins over what stands in it. */
export function findEntities(text: string): readonly ApiEntity[] {
  const links = matches("url", text);
  const others = [...matches("bot_command", text), ...matches("mention", text)].filter((entity) =>
    links.every((link) => entity.offset >= link.offset + link.length || entity.offset < link.offset),
  );
  return [...links, ...others].toSorted((a, b) => a.offset - b.offset);
}

function matches(type: keyof typeof PATTERNS, text: string): readonly ApiEntity[] {
  return [...text.matchAll(PATTERNS[type])].map((match) => ({
    type,
    offset: match.index,
    length: match[0].length,
  }));
}
