import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { escapeInvisible } from "../telegram/render/invisible.ts";
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
  /** Aborted = the chat ends now. */
  readonly signal: AbortSignal;
}

/** A button that can be pressed by its number. */
interface Key {
  readonly messageId: number;
  readonly data: string;
  readonly label: string;
}

/**
 * A chat in the terminal: a line is a message, a number presses the button of that number. Resolves when the person ends
 * it (Ctrl-D, Ctrl-C), once nothing has happened for a while after a piped input ended, or when `signal` is aborted.
 */
export async function chatInTerminal({ api, person, input, output, signal }: TerminalDeps): Promise<void> {
  const chat = person.chat();
  chat.open();
  const keys = new Map<number, Key>();
  const shown = new Map<number, string>();
  let lastNumber = 0;
  let lastChange = performance.now();
  const isTyped = isTty(input);
  const isScreen = isTyped && isTty(output);
  const lines = createInterface({ input, output: isScreen ? output : undefined, prompt: "> ", signal });
  let isClosed = false;
  lines.once("close", () => {
    isClosed = true;
  });

  /** On a screen, above the line that is being typed. */
  function print(text: string): void {
    lastChange = performance.now();
    if (!isScreen || isClosed) {
      output.write(`${text}\n`);
      return;
    }
    const { rows } = lines.getCursorPos();
    moveCursor(output, 0, -rows);
    cursorTo(output, 0);
    clearScreenDown(output);
    output.write(`${text}\n${"\n".repeat(rows)}`); // the prompt goes back up as many rows as it took before
    lines.prompt(true);
  }

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
      ? [`(file ${message.document.fileName})`, escapeInvisible(message.document.content.toString("utf8"))]
      : [];
    const text = [message.text, ...file, row.join("   ")].filter((line) => line !== "").join("\n");
    if (shown.get(message.messageId) === text) return;
    shown.set(message.messageId, text);
    print(`${mark} ${text.replaceAll("\n", "\n    ")}`);
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

  try {
    if (isScreen) lines.prompt();
    for await (const line of lines) {
      if (signal.aborted) break;
      take(line.trim());
      if (isScreen && !isClosed) lines.prompt();
      if (!isTyped && line.trim() !== "") await quiet(1_500);
    }
    if (!isTyped) await quiet(QUIET_MS);
  } finally {
    unsubscribe();
    lines.close();
    if (isScreen) output.write("\n");
  }

  function take(text: string): void {
    if (text === "") return;
    lastChange = performance.now();
    if (!isTyped) print(`you ${text}`);
    const key = keys.get(Number(text));
    if (key) chat.press(key.messageId, key.data);
    else if (/^\d+$/.test(text)) print(`  ! No button has the number ${text} now.`);
    else chat.send(text);
  }

  /** Something runs, and nothing waits for the person. */
  function isBusy(): boolean {
    const labels = [...keys.values()].map(({ label }) => label);
    return labels.length > 0 && labels.every((label) => label === "Stop");
  }

  /** Waits until nothing has happened for `ms` and nothing runs, or until `signal` is aborted. */
  async function quiet(ms: number): Promise<void> {
    for (
      let rest = ms;
      !signal.aborted && (rest > 0 || isBusy());
      rest = lastChange + ms - performance.now()
    ) {
      await sleep(Math.max(rest, 100), undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error; // woken to end is what the signal is for
      });
    }
  }
}

function isTty(stream: Readable | Writable): boolean {
  return "isTTY" in stream && stream.isTTY === true;
}
