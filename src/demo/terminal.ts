import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { BotApi } from "./bot-api/api.ts";
import type { Person } from "./bot-api/person.ts";
import type { ShownMessage } from "./bot-api/types.ts";

/** After the input has ended, silence for so long ends the chat. */
const QUIET_MS = 4_000;

interface TerminalDeps {
  readonly api: BotApi;
  readonly person: Person;
  readonly input: Readable;
  readonly output: Writable;
}

/** A button that can be pressed by its number. */
interface Key {
  readonly messageId: number;
  readonly data: string;
  readonly label: string;
}

/**
 * A chat in the terminal: a line is a message, a number presses the button of that number. Resolves when the person ends
 * it (Ctrl-D, Ctrl-C), or once nothing has happened for a while after a piped input ended.
 */
export async function chatInTerminal({ api, person, input, output }: TerminalDeps): Promise<void> {
  const chat = person.chat();
  chat.open();
  const keys = new Map<number, Key>();
  const shown = new Map<number, string>();
  let lastNumber = 0;
  let lastChange = performance.now();
  const isTerminal = "isTTY" in input && input.isTTY === true;
  const print = (text: string): void => {
    lastChange = performance.now();
    output.write(`${text}\n`);
  };

  function numberOf(key: Key): number {
    const known = [...keys].find(([, other]) => other.data === key.data)?.[0];
    if (known !== undefined) return known;
    lastNumber += 1;
    keys.set(lastNumber, key);
    return lastNumber;
  }

  function show(mark: string, message: ShownMessage): void {
    const buttons = message.keyboard?.inline_keyboard.flat() ?? [];
    for (const [number, key] of keys) {
      const isGone =
        key.messageId === message.messageId && !buttons.some((one) => one.callback_data === key.data);
      if (isGone) keys.delete(number);
    }
    const row = buttons.map(({ text: label, callback_data: data = "" }) => {
      const key = { messageId: message.messageId, data, label };
      return `[${numberOf(key)}] ${label}`;
    });
    const file = message.document
      ? [`(file ${message.document.fileName}, ${message.document.content.length} bytes)`]
      : [];
    const lines = [message.text, ...file, row.join("   ")].filter((line) => line !== "").join("\n");
    if (shown.get(message.messageId) === lines) return;
    shown.set(message.messageId, lines);
    print(`${mark} ${lines.replaceAll("\n", "\n    ")}`);
  }

  const unsubscribe = api.on("change", (change) => {
    if (change.kind === "callback_answered" && change.answer.text !== "") print(`  ! ${change.answer.text}`);
    if (!("message" in change)) return;
    const { message } = change;
    if (change.kind === "message_sent" && message.isFromBot) show("bot", message);
    if (change.kind === "message_edited" && message.isFromBot) show("bot ✎", message);
    if (change.kind === "message_reacted" && message.reactions.length > 0)
      print(`bot ${message.reactions.join("")}`);
  });

  const lines = createInterface({ input, output: isTerminal ? output : undefined, prompt: "" });
  try {
    for await (const line of lines) {
      const text = line.trim();
      if (text === "") continue;
      lastChange = performance.now();
      if (!isTerminal) print(`you ${text}`);
      const key = /^\d+$/.test(text) ? keys.get(Number(text)) : undefined;
      if (key) chat.press(key.messageId, key.data);
      else chat.send(text);
      if (!isTerminal) await quiet(1_500);
    }
    if (!isTerminal) await quiet(QUIET_MS);
  } finally {
    unsubscribe();
    lines.close();
  }

  /** Something runs, and nothing waits for the person. */
  function isBusy(): boolean {
    const labels = [...keys.values()].map(({ label }) => label);
    return labels.length > 0 && labels.every((label) => label === "Stop");
  }

  /** Waits until nothing has happened for `ms`, and nothing runs. */
  async function quiet(ms: number): Promise<void> {
    for (let rest = ms; rest > 0 || isBusy(); rest = lastChange + ms - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(rest, 100)));
    }
  }
}
