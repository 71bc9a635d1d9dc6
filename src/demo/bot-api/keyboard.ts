import { z } from "zod";
import { badRequest } from "./failure.ts";
import { checkLink } from "./links.ts";
import type { ApiButton, ApiKeyboard } from "./objects.ts";

const MAX_BUTTONS = 100;
const MAX_CALLBACK_BYTES = 64;
const MAX_COPIED_CHARACTERS = 256;
const STYLES = new Set(["", "default", "primary", "danger", "success"]);
/** Fields that make an inline button do something. */
const ACTIONS = [
  "callback_game",
  "pay",
  "switch_inline_query",
  "switch_inline_query_chosen_chat",
  "switch_inline_query_current_chat",
  "login_url",
  "web_app",
];

const buttonShape = z.looseObject({
  text: z.string({ error: `Can't find field "text"` }),
  url: z.string().optional(),
  callback_data: z.string().optional(),
  style: z.string().optional(),
  copy_text: z.looseObject({ text: z.string() }).optional(),
});

const NO_ROWS = 'Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays';

const markupShape = z.looseObject({
  inline_keyboard: z.array(z.array(z.unknown(), { error: NO_ROWS }), { error: NO_ROWS }).optional(),
});

/** What a call said about its buttons: an inline keyboard, some other markup (shown to nobody here), or nothing. */
export type Markup =
  | { readonly kind: "inline"; readonly keyboard: ApiKeyboard }
  | { readonly kind: "other" }
  | { readonly kind: "none" };

/** First look at `reply_markup`: its shape. Throws 400 in the real server's words. */
export function parseMarkup(value: unknown): Markup {
  if (value === undefined || value === "") return { kind: "none" };
  const parsed = markupShape.safeParse(typeof value === "string" ? parseJson(value) : value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw badRequest(
      issue?.path[0] === "inline_keyboard" ? issue.message : "object expected as reply markup",
    );
  }
  const rows = parsed.data.inline_keyboard;
  if (rows === undefined) return Object.keys(parsed.data).length === 0 ? { kind: "none" } : { kind: "other" };
  return { kind: "inline", keyboard: { inline_keyboard: rows.map((row) => row.map(parseButton)) } };
}

/**
 * Second look, once the message is known to exist: what Telegram itself refuses. Gives the keyboard as it is shown,
 * without empty rows, or null when no button is left.
 */
export function checkKeyboard(markup: Markup): ApiKeyboard | null {
  if (markup.kind !== "inline") return null;
  const rows = markup.keyboard.inline_keyboard.filter((row) => row.length > 0);
  const buttons = rows.flat();
  buttons.forEach(checkButton);
  if (buttons.length > MAX_BUTTONS) throw badRequest("reply markup is too long");
  return rows.length === 0 ? null : { inline_keyboard: rows };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw badRequest("can't parse reply keyboard markup JSON object");
    throw cause;
  }
}

function parseButton(value: unknown): ApiButton {
  const parsed = buttonShape.safeParse(value);
  if (!parsed.success) {
    const isObject = typeof value === "object" && value !== null;
    if (!isObject)
      throw badRequest("can't parse inline keyboard button: InlineKeyboardButton must be an Object");
    throw badRequest(`can't parse inline keyboard button: ${parsed.error.issues[0]?.message ?? ""}`);
  }
  const button = parsed.data;
  const does = [button.url, button.callback_data, button.copy_text].some(
    (field) => field !== undefined && field !== "",
  );
  if (!does && !ACTIONS.some((field) => field in button)) {
    throw badRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard");
  }
  if (!STYLES.has(button.style?.toLowerCase() ?? "")) {
    throw badRequest("can't parse inline keyboard button: invalid button style specified");
  }
  return button;
}

function checkButton(button: ApiButton): void {
  if (!button.text.isWellFormed()) throw badRequest("inline keyboard button text must be encoded in UTF-8");
  if (button.text.trim() === "") throw badRequest("inline keyboard button text must be non-empty");
  const fault = button.url === undefined ? null : checkLink(button.url);
  if (fault !== null) throw badRequest(`inline keyboard button ${fault}`);
  const data = button.callback_data ?? "";
  if (!data.isWellFormed() || Buffer.byteLength(data) > MAX_CALLBACK_BYTES)
    throw badRequest("BUTTON_DATA_INVALID");
  const copied = copiedText(button);
  if (copied !== null && (copied === "" || copied.length > MAX_COPIED_CHARACTERS)) {
    throw badRequest("BUTTON_COPY_TEXT_INVALID");
  }
}

function copiedText(button: ApiButton): string | null {
  const parsed = z.looseObject({ text: z.string() }).safeParse(button.copy_text);
  return parsed.success ? parsed.data.text : null;
}
