import type { ButtonSpec } from "../domain/button.ts";
import type { ScreenButton } from "../domain/outbox.ts";
import type { Work } from "../domain/work.ts";
import type { Buttons } from "../store/buttons.ts";

/** Telegram refuses a message with more buttons than this (H69). */
export const MAX_BUTTONS = 100;
/** How long a label may be before it is cut: clients show less. */
const MAX_LABEL = 60;
const GRAPHEMES = new Intl.Segmenter();

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
    row.map(({ label, action, style }) => {
      const data = buttons.offer({ ...owner, action });
      return { text: shortLabel(label), data, ...(style ? { style } : {}) };
    }),
  );
}

/** The owner of buttons about a work: its asker. */
export function ownerOf(work: Work, group: string): KeyboardOwner {
  return { group, conversationId: work.conversationId, userId: work.userId, expiresAt: null };
}

function shortLabel(label: string): string {
  const characters = Array.from(GRAPHEMES.segment(label), ({ segment }) => segment);
  return characters.length <= MAX_LABEL ? label : `${characters.slice(0, MAX_LABEL - 1).join("")}…`;
}
