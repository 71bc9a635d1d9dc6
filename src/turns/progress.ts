import type { ClaudeEvent } from "../domain/claude-event.ts";
import type { TurnEvent } from "../domain/turn-event.ts";

/** Characters between two previews: putting one together for every delta would cost the square of the answer. */
const PREVIEW_STEP = 64;

/** Follows the CLI's events and gives what a person should see of them. */
export interface Progress {
  readonly follow: (event: ClaudeEvent) => void;
  /** Lines of the tools called so far. */
  readonly tools: () => readonly string[];
  /** What the main loop has said so far, for turns that end without a result text. */
  readonly text: () => string;
  /** The last of it is still being written. */
  readonly isOpen: () => boolean;
}

interface ProgressDeps {
  readonly show: (event: TurnEvent) => void;
  /** One redacted line for a tool call. */
  readonly summarise: (name: string, input: Readonly<Record<string, unknown>>) => string;
}

export function createProgress({ show, summarise }: ProgressDeps): Progress {
  const tools: string[] = [];
  const blocks: string[] = [];
  let draft = "";
  let shownLength = 0;

  const isOpen = (): boolean => draft !== "";

  const preview = (): void => {
    const text = [blocks.at(-1), draft].filter(Boolean).join("\n\n");
    if (text !== "") show({ kind: "preview", text, isOpen: isOpen() });
  };

  const note = (line: string): void => {
    tools.push(line);
    show({ kind: "tool", line });
  };

  return {
    follow: (event) => {
      switch (event.kind) {
        case "message_started":
          draft = "";
          shownLength = 0;
          return;
        case "text_delta":
          draft += event.text;
          if (draft.length < shownLength + PREVIEW_STEP && shownLength > 0) return;
          shownLength = draft.length;
          preview();
          return;
        case "text":
          blocks.push(event.text);
          draft = "";
          shownLength = 0;
          preview();
          return;
        case "tool_started": {
          note(`${event.isSubagent ? "↳ " : ""}${summarise(event.name, event.input)}`);
          return;
        }
        case "retrying":
          show(event);
          return;
        case "fell_back":
          note(`Fallback: ${event.model} answers in place of the chosen model`);
          return;
        case "jail_renewed":
        case "jail_lost":
        case "model_refused":
        case "tool_refused":
        case "started":
        case "tool_finished":
          return;
      }
    },
    tools: () => tools,
    isOpen,
    text: () => [...blocks, draft].filter((text) => text !== "").join("\n\n"),
  };
}
