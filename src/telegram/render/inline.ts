import type { Token } from "markdown-it";
import { isBlank } from "./clean.ts";
import type { StyleType } from "./entity.ts";
import { isLinkable } from "./links.ts";
import { createWriter, type Writer } from "./writer.ts";

/** How a line's tokens are written. */
export interface InlineOptions {
  readonly writer: Writer;
  /** An address as a person reads it: percent-escapes and punycode decoded. */
  readonly shownUrl: (href: string) => string;
  /** False where no entity may stand: addresses are then written out. */
  readonly hasEntities: boolean;
}

const STYLES: Readonly<Record<string, StyleType>> = { strong: "bold", em: "italic", s: "strikethrough" };
const NAMELESS_IMAGE = "image";

interface OpenLink {
  readonly href: string;
  readonly start: number;
}

/** Writes the children of a markdown-it `inline` token. Code inside a link is plain, since the two cannot overlap. */
export function renderInline(tokens: readonly Token[], options: InlineOptions): void {
  const { writer } = options;
  let link: OpenLink | null = null;
  for (const token of tokens) {
    switch (token.type) {
      case "link_open":
        link = { href: String(token.attrGet("href") ?? ""), start: writer.begin() };
        break;
      case "link_close":
        if (link !== null) closeLink(link, options);
        link = null;
        break;
      case "softbreak":
      case "hardbreak":
        writer.text("\n");
        break;
      case "code_inline":
        writeCode(token.content, writer, link === null || !isLinkable(link.href));
        break;
      case "image":
        writeImage(token, options, link !== null);
        break;
      default:
        writeOther(token, writer);
    }
  }
}

/** The tokens as plain text, addresses written out. */
export function inlineText(tokens: readonly Token[], shownUrl: InlineOptions["shownUrl"]): string {
  const writer = createWriter();
  renderInline(tokens, { writer, shownUrl, hasEntities: false });
  return writer.since(0).trim();
}

function writeOther(token: Token, writer: Writer): void {
  const style = STYLES[token.tag];
  if (style === undefined) writer.text(token.content);
  else if (token.nesting === 1) writer.openStyle(style);
  else if (token.nesting === -1) writer.closeStyle(style);
}

function writeCode(content: string, writer: Writer, isMarked: boolean): void {
  const offset = writer.begin();
  writer.text(content);
  if (isMarked) writer.mark({ type: "code", offset, length: writer.end() - offset });
}

function writeImage(token: Token, options: InlineOptions, isInLink: boolean): void {
  const { writer, shownUrl } = options;
  const start = writer.begin();
  const alt = inlineText(token.children ?? [], shownUrl);
  writer.text(isBlank(alt) ? NAMELESS_IMAGE : alt);
  if (!isInLink) closeLink({ href: String(token.attrGet("src") ?? ""), start }, options);
}

/** Turns what was written since `start` into a link, or writes the address behind it: `text (address)`. */
function closeLink({ href, start }: OpenLink, { writer, shownUrl, hasEntities }: InlineOptions): void {
  const shown = shownUrl(href).replace(/^mailto:/iu, "");
  if (isBlank(writer.since(start))) writer.text(shown);
  const text = writer.since(start);
  if (hasEntities && isLinkable(href)) {
    writer.mark({ type: "text_link", offset: start, length: writer.end() - start, url: href });
    return;
  }
  if (shown !== "" && text !== shown && text !== href) writer.text(` (${shown})`);
}
