import { GIT_PUSH } from "../domain/net.ts";
import type { RichText } from "./render/entity.ts";
import { escapeInvisible } from "./render/invisible.ts";
import { bold, joinRich, plain, pre } from "./render/rich-text.ts";
import { splitRichText } from "./render/split.ts";

/** Longer views go as a file, so that the whole can be seen (H25). Leaves room in the message for how it ended. */
const MAX_INLINE = 3_000;
/** What a caption names before the rest is left to the file: together well below 1024. */
const MAX_TITLE = 300;
const MAX_SIZES = 400;

/** What is put before a person: whole, in the message, or in a file under a caption. */
export type WholeView =
  | { readonly kind: "message"; readonly rich: RichText }
  | { readonly kind: "file"; readonly rich: RichText; readonly fileName: string; readonly content: string };

/** Shows a tool call's whole input, below a note where there is one; characters that could hide something are written out. */
export function viewTool(name: string, input: Readonly<Record<string, unknown>>, note = ""): WholeView {
  const title = toolTitle(name);
  const parts = fieldsOf(name, input);
  const body = parts.flatMap(({ label, text, language }) => [`\n${label}\n`, pre(text, language)]);
  const above = note === "" ? "" : `\n${note}`;
  const rich = joinRich(bold(title), above, ...body);
  if (isInline(rich)) return { kind: "message", rich };
  const content = parts.map(({ label, text }) => `== ${label}\n${text}\n`).join("\n");
  const sizes = `${parts.map(({ label, text }) => `${label}: ${text.length} characters`).join(", ")}.`;
  return {
    kind: "file",
    rich: joinRich(
      bold(cutRich(plain(title), MAX_TITLE)),
      above,
      "\n",
      cutRich(plain(sizes), MAX_SIZES),
      "\nThe whole call is in the file: look before you allow it.",
    ),
    fileName: `${fileNameOf(name)}.txt`,
    content: `${title}${above}\n\n${content}`,
  };
}

/** What a tool call is called before a person. */
export function toolTitle(name: string): string {
  if (name === GIT_PUSH) return "git in the sandbox wants to push";
  return `Claude wants to use ${escapeInvisible(name)}`;
}

/** Whether a text is shown as a message: one that Telegram takes whole, many entities included. */
export function isInline(rich: RichText): boolean {
  return rich.text.length <= MAX_INLINE && splitRichText(rich).length <= 1;
}

/** The text as Telegram would trim it; its beginning and `…` where it is longer than `maxLength` UTF-16 units. */
export function cutRich(rich: RichText, maxLength: number): RichText {
  const [whole = rich, ...more] = splitRichText(rich, { maxLength });
  if (more.length === 0) return whole;
  const [beginning = whole] = splitRichText(rich, { maxLength: maxLength - 1 });
  return joinRich(beginning, "…");
}

interface Field {
  readonly label: string;
  readonly text: string;
  readonly language?: string;
}

/** Every field of the input, in its order; nothing is left out. */
function fieldsOf(name: string, input: Readonly<Record<string, unknown>>): readonly Field[] {
  const entries = Object.entries(input);
  if (entries.length === 0) return [{ label: "input", text: "{}" }];
  return entries.map(([key, value]) => {
    const text = escapeInvisible(typeof value === "string" ? value : JSON.stringify(value, null, 2));
    const label = escapeInvisible(key);
    const shown = text === "" ? '""' : text;
    return name === "Bash" && key === "command"
      ? { label, text: shown, language: "bash" }
      : { label, text: shown };
  });
}

function fileNameOf(name: string): string {
  return name.replaceAll(/[^\w-]/g, "_").slice(0, 40) || "tool";
}
