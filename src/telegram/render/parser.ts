import MarkdownIt, { type Env, type MarkdownIt as Parser, type Token } from "markdown-it";
import { emphasis } from "./emphasis.ts";

/** Containers deeper than this are dropped by markdown-it with what they hold. */
const MAX_NESTING = 100;

/** A link definition (`[label]: address "title"`). */
export interface Definition {
  readonly label: string;
  readonly href: string;
  readonly title: string;
}

/** What a Markdown text parsed to. */
export interface Parsed {
  readonly tokens: readonly Token[];
  /** The lines that the tokens' `map` counts. */
  readonly lines: readonly string[];
  /** Definitions that no link uses: Markdown would drop them. */
  readonly unused: readonly Definition[];
}

const markdown = createParser();

/** An address as a person reads it: percent-escapes and punycode decoded, unless that gives spaces or invisible characters. */
export function shownUrl(href: string): string {
  const decoded = markdown.normalizeLinkText(href);
  return /[\s\p{C}]/u.test(decoded) ? href : decoded;
}

/**
 * Parses CommonMark with tables and strikethrough; raw HTML stays text, bare addresses are left to Telegram, every scheme
 * is a link here and judged later. Null when the text is nested so deep that the parser would leave out parts of it.
 */
export function parseMarkdown(source: string): Parsed | null {
  const env: Env = {};
  const tokens = markdown.parse(source, env);
  if (tokens.some(isTooDeep)) return null;
  return {
    tokens,
    lines: source.split(/\r\n?|\n/u),
    unused: unusedDefinitions(tokens, env.references ?? {}),
  };
}

function unusedDefinitions(
  tokens: readonly Token[],
  references: NonNullable<Env["references"]>,
): Definition[] {
  const all = Object.entries(references);
  if (all.length === 0) return [];
  const used = new Set(tokens.flatMap(({ children }) => (children ?? []).map(hrefOf)));
  return all
    .map(([label, { href, title }]) => ({ label, href, title }))
    .filter(({ href }) => !used.has(href));
}

function createParser(): Parser {
  const parser = new MarkdownIt({ html: false, linkify: false, maxNesting: MAX_NESTING });
  parser.inline.ruler.at("emphasis", emphasis);
  parser.validateLink = () => true; // what is no safe link is written out as text, not hidden
  return parser;
}

function isTooDeep({ type, level }: Token): boolean {
  return level >= MAX_NESTING - 1 && (type === "blockquote_open" || type === "list_item_open");
}

function hrefOf(token: Token): string {
  return String(token.attrGet("href") ?? token.attrGet("src") ?? "");
}
