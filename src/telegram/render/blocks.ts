import type { Token } from "markdown-it";
import { isBlank } from "./clean.ts";
import { renderInline } from "./inline.ts";
import { createLists, type Lists } from "./lists.ts";
import { type Definition, type Parsed, shownUrl } from "./parser.ts";
import { tableText } from "./table.ts";
import type { Writer } from "./writer.ts";

const RULE = "──────────";
/** Quotes over either are shown folded. Lengths in UTF-16 units. */
const FOLD_OVER = { length: 600, lines: 10 } as const;
/** A fence's first word, as far as it can name a language: "c++", "ts", not "{.python}". */
const LANGUAGE = /^[\w+#.-]{1,32}/u;

type Handler = (token: Token, at: number) => void;

/** Writes the blocks of a parsed text, and after them the definitions that nothing refers to. */
export function renderBlocks({ tokens, lines, unused }: Parsed, writer: Writer): void {
  const lists = createLists();
  const handlers = { ...leafHandlers(lists, writer), ...containerHandlers({ tokens, lists, writer }) };
  let tableStart: number | null = null;
  for (const [at, token] of tokens.entries()) {
    if (token.type === "table_open") tableStart = at;
    if (tableStart === null) handlers[token.type]?.(token, at);
    if (token.type !== "table_close" || tableStart === null) continue;
    writer.gap(lists.gap());
    writer.codeBlock(tableText({ tokens: tokens.slice(tableStart, at), lines, shownUrl }), undefined);
    tableStart = null;
  }
  renderDefinitions(unused, writer);
}

function leafHandlers(lists: Lists, writer: Writer): Record<string, Handler> {
  const writeCode: Handler = (token) => {
    writer.gap(lists.gap());
    writer.codeBlock(token.content, LANGUAGE.exec(token.info.trim())?.[0]);
  };
  return {
    paragraph_open: (paragraph) => {
      lists.seeParagraph(paragraph);
      writer.gap(paragraph.hidden ? 1 : 2);
    },
    inline: (token) => renderInline(token.children ?? [], { writer, shownUrl, hasEntities: true }),
    heading_open: (token) => {
      writer.gap(lists.gap());
      writer.openStyle("bold");
      if (token.tag === "h1") writer.openStyle("underline");
    },
    heading_close: (token) => {
      writer.closeStyle("bold");
      if (token.tag === "h1") writer.closeStyle("underline");
    },
    fence: writeCode,
    code_block: writeCode,
    hr: () => {
      writer.gap(lists.gap());
      writer.text(RULE);
    },
  };
}

interface ContainerSource {
  readonly tokens: readonly Token[];
  readonly lists: Lists;
  readonly writer: Writer;
}

function containerHandlers({ tokens, lists, writer }: ContainerSource): Record<string, Handler> {
  let quoteDepth = 0;
  let quoteStart = 0;
  const openList: Handler = (list, at) => {
    writer.gap(followsDirectly(tokens, at) ? 1 : lists.gap());
    lists.open(list);
  };
  return {
    bullet_list_open: openList,
    ordered_list_open: openList,
    bullet_list_close: lists.close,
    ordered_list_close: lists.close,
    list_item_open: (item, at) => {
      writer.gap(1);
      writer.pushPrefix(lists.openItem(item, tokens.slice(at + 1, at + 3)));
    },
    list_item_close: writer.popPrefix,
    blockquote_open: () => {
      writer.gap(lists.gap());
      if (quoteDepth === 0) quoteStart = writer.beginBlock();
      else writer.pushPrefix({ first: "> ", rest: "> " });
      quoteDepth++;
    },
    blockquote_close: () => {
      quoteDepth--;
      if (quoteDepth > 0) writer.popPrefix();
      else markQuote(writer, quoteStart);
    },
  };
}

/** True for a list right under the line of a paragraph or heading. */
function followsDirectly(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1]?.type;
  if (before !== "paragraph_close" && before !== "heading_close") return false;
  return tokens[at - 3]?.map?.[1] === tokens[at]?.map?.[0];
}

function markQuote(writer: Writer, offset: number): void {
  const text = writer.since(offset);
  if (isBlank(text)) return;
  const isLong = text.length > FOLD_OVER.length || text.split("\n").length > FOLD_OVER.lines;
  writer.mark({ type: isLong ? "expandable_blockquote" : "blockquote", offset, length: text.length });
}

function renderDefinitions(definitions: readonly Definition[], writer: Writer): void {
  for (const [index, { label, href, title }] of definitions.entries()) {
    writer.gap(index === 0 ? 2 : 1);
    writer.text(`[${label}]: ${shownUrl(href)}${title === "" ? "" : ` "${title}"`}`);
  }
}
