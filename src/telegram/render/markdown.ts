import { renderBlocks } from "./blocks.ts";
import { isBlank } from "./clean.ts";
import { NOTHING, type RichText } from "./entity.ts";
import { parseMarkdown } from "./parser.ts";
import { plain } from "./rich-text.ts";
import { trimRich } from "./settle.ts";
import { createWriter } from "./writer.ts";

/**
 * Markdown as Telegram shows it: text and entities, sent without parse_mode, so that no parse error is possible (H60, H61).
 * Any string is taken; an unclosed fence is code to the end. The text is cleaned and trimmed as Telegram does it; empty
 * for Markdown of which nothing would be seen. Not split: see `splitRichText`.
 *
 * Headings are bold, the first level underlined too; lists have • ◦ ▪, numbers, or ☐ ☑; tables are monospace; the outermost
 * quote is a quote, folded when long, inner ones keep their `>`; raw HTML and LaTeX are literal; a link that Telegram would
 * refuse is `text (address)` (H63). Nested deeper than 100 levels, the Markdown is shown as written.
 */
export function renderMarkdown(markdown: string): RichText {
  const source = markdown.toWellFormed();
  const parsed = parseMarkdown(source);
  if (parsed === null) return isBlank(source) ? NOTHING : trimRich(plain(source));
  const writer = createWriter();
  renderBlocks(parsed, writer);
  return writer.finish();
}
