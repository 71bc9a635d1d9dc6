import type { RichText } from "./render/entity.ts";
import { escapeInvisible } from "./render/invisible.ts";
import { bold, joinRich, pre } from "./render/rich-text.ts";

/** Longer calls go as a file, so that the whole of what is approved can be seen (H25). */
const MAX_INLINE = 3_000;

/** A tool call as it is put before a person: whole, in the message or in a file. */
export type ToolView =
  | { readonly kind: "message"; readonly rich: RichText }
  | { readonly kind: "file"; readonly rich: RichText; readonly fileName: string; readonly content: string };

/** Shows a tool call's whole input; characters that could hide something are written out. */
export function viewTool(
  name: string,
  input: Readonly<Record<string, unknown>>,
  isSubagent = false,
): ToolView {
  const title = bold(`${isSubagent ? "A subagent" : "Claude"} wants to use ${escapeInvisible(name)}`);
  const parts = fieldsOf(name, input);
  const body = parts.flatMap(({ label, text, language }) => [`\n${label}\n`, pre(text, language)]);
  const rich = joinRich(title, ...body);
  if (rich.text.length <= MAX_INLINE) return { kind: "message", rich };
  const content = parts.map(({ label, text }) => `== ${label}\n${text}\n`).join("\n");
  const hint = `\n${parts.map(({ label, text }) => `${label}: ${text.length} characters`).join(", ")}.\nThe whole call is in the file: look before you allow it.`;
  return {
    kind: "file",
    rich: joinRich(title, hint.slice(0, 700)),
    fileName: `${fileNameOf(name)}.txt`,
    content,
  };
}

interface Field {
  readonly label: string;
  readonly text: string;
  readonly language?: string;
}

/** Every field of the input, those that say most first; nothing is left out. */
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
