import type { ButtonSpec } from "../domain/button.ts";
import type { ScreenButton } from "../domain/outbox.ts";
import type { Work } from "../domain/work.ts";
import { cleanText, isBlank } from "../security/clean-text.ts";
import type { Buttons } from "../store/buttons.ts";

/** Telegram refuses a message with more buttons than this (H69). */
export const MAX_BUTTONS = 100;
/** How long a label may be before it is cut: clients show less. */
const MAX_LABEL = 60;
/** Shown where a label shows nothing, which Telegram refuses, and with it the whole message. */
const BLANK_LABEL = "(blank)";

/** As `userId` of buttons: made for nobody, so that owners alone may press them. */
export const OWNERS_ONLY = 0;

/** Whose buttons, where, and which are used up together. */
export interface KeyboardOwner {
  readonly group: string;
  readonly conversationId: number;
  readonly userId: number;
  readonly expiresAt: number | null;
}

/** Stores what each button does and returns the keys to show: they carry nonces only. */
export function offerKeyboard(
  buttons: Buttons,
  owner: KeyboardOwner,
  rows: readonly (readonly ButtonSpec[])[],
): readonly (readonly ScreenButton[])[] {
  return rows.map((row) =>
    row.map(({ label, action }) => ({ text: labelOf(label), data: buttons.offer({ ...owner, action }) })),
  );
}

/** The owner of buttons about a work: its asker. */
export function ownerOf(work: Work, group: string): KeyboardOwner {
  return { group, conversationId: work.conversationId, userId: work.userId, expiresAt: null };
}

/** A label as Telegram takes it and a person can read it: nothing hidden in it, never blank, one line, not too long. */
export function labelOf(label: string): string {
  const { text } = cleanText(label.replaceAll(/\s+/g, " "));
  if (isBlank(text)) return BLANK_LABEL;
  if (text.length <= MAX_LABEL) return text; // it has no more characters than that
  const characters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  return characters.length <= MAX_LABEL ? text : `${characters.slice(0, MAX_LABEL - 1).join("")}…`;
}
