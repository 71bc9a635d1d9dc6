import { z } from "zod";
import { badRequest } from "./failure.ts";
import { unwrapJson } from "./params.ts";

/** The emoji that bots may react with (Bot API, `ReactionTypeEmoji`). */
const ALLOWED = new Set(
  (
    "👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 " +
    "😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡"
  ).split(" "),
);

const shape = z.discriminatedUnion("type", [
  z.object({ type: z.literal("emoji"), emoji: z.string() }),
  z.object({ type: z.literal("custom_emoji"), custom_emoji_id: z.string() }),
]);

/** The emoji of a `reaction` parameter; empty takes the reaction away. Throws 400 for what a bot may not react with. */
export function parseReactions(value: unknown): readonly string[] {
  if (value === undefined || value === "") return [];
  const list = unwrapJson(value);
  if (!Array.isArray(list)) throw badRequest("expected an Array of ReactionType");
  return list.map((item) => {
    const parsed = shape.safeParse(item);
    if (!parsed.success) throw badRequest("can't parse ReactionType: invalid reaction type specified");
    if (parsed.data.type !== "emoji" || !ALLOWED.has(parsed.data.emoji)) throw badRequest("REACTION_INVALID");
    return parsed.data.emoji;
  });
}

/** A bot that has no Premium may leave one reaction on a message. */
export function checkReactions(reactions: readonly string[]): void {
  if (reactions.length > 1) throw badRequest("REACTIONS_TOO_MANY");
}
