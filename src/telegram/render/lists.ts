import type { Token } from "markdown-it";
import type { LinePrefix } from "./writer.ts";

const BULLETS = ["•", "◦", "▪"] as const;
const TASK = /^\[(?<mark>[ xX])\](?:\s+|$)/u;

/** The lists that are open at a point of the token stream. */
export interface Lists {
  readonly depth: () => number;
  /** Newlines before a block: one inside a tight list, else two. */
  readonly gap: () => number;
  readonly open: (list: Token) => void;
  readonly close: () => void;
  /** To be told of every paragraph: a list is loose when one of its own is not hidden. */
  readonly seeParagraph: (paragraph: Token) => void;
  /** The marker of an item whose tokens after `list_item_open` are `following`. Takes a task's `[x]` off its text. */
  readonly openItem: (item: Token, following: readonly Token[]) => LinePrefix;
}

interface OpenList {
  readonly level: number;
  /** Number of the next item, null for bullets. */
  next: number | null;
  isLoose: boolean;
}

/** Markers by level: • ◦ ▪ for bullets, ☐ ☑ for tasks, the number that Markdown counts for ordered items. */
export function createLists(): Lists {
  const lists: OpenList[] = [];

  return {
    depth: () => lists.length,
    gap: () => (lists.at(-1)?.isLoose === false ? 1 : 2),
    open: (list) => {
      const next = list.type === "ordered_list_open" ? Number(list.attrGet("start") ?? 1) : null;
      lists.push({ level: list.level, next, isLoose: false });
    },
    close: () => {
      lists.pop();
    },
    seeParagraph: ({ hidden, level }) => {
      const list = lists.at(-1);
      if (list !== undefined && !hidden && level === list.level + 2) list.isLoose = true;
    },
    openItem: (item, [paragraph, inline]) => {
      const list = lists.at(-1);
      const box = paragraph?.type === "paragraph_open" ? takeTask(inline) : "";
      let first = box;
      if (list !== undefined && list.next !== null) first = `${list.next++}${item.markup} ${box}`;
      else if (box === "") first = `${BULLETS[Math.min(lists.length, BULLETS.length) - 1]} `;
      return { first, rest: " ".repeat(first.length) };
    },
  };
}

/** The box of a task item, whose `[ ]` is cut from the text; empty for other items. */
function takeTask(inline: Token | undefined): string {
  const text = inline?.children?.[0];
  if (text?.type !== "text") return "";
  const task = TASK.exec(text.content);
  if (task === null) return "";
  text.content = text.content.slice(task[0].length);
  return task.groups?.mark === " " ? "☐ " : "☑ ";
}
