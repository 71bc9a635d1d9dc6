import { reply } from "../../src/demo/messages-api/scripts.ts";
import type {
  ModelMessage,
  ModelReply,
  ModelRequest,
  ModelScript,
} from "../../src/demo/messages-api/types.ts";
import type { Attack, Call } from "./attack.ts";

/** Calls in one message of the model. */
const BATCH = 40;

/** A model that attacks, and what it was told. */
export interface Attacker {
  readonly script: ModelScript;
  /** Results of that attack's calls, joined. */
  readonly told: (attack: Attack) => string;
  /** How many of its calls were made. */
  readonly calls: () => number;
}

interface Conversation {
  readonly calls: readonly { readonly call: Call; readonly attack: Attack }[];
  /** How many were sent. */
  sent: number;
  messages: readonly ModelMessage[];
}

/** Answers the prompt "attack" with all calls, a batch at a time, and the first message of a subagent with that subagent's own. */
export function createAttacker(
  attacks: readonly Attack[],
  callsOf: (attack: Attack) => readonly Call[],
): Attacker {
  const isSub = (attack: Attack) => attack.isSubagent === true;
  const main = attacks.flatMap((attack, index) =>
    (isSub(attack) && callsOf(attack).length > 0 ? [agent(index)] : callsOf(attack)).map((call) => ({
      call,
      attack,
    })),
  );
  const conversations = new Map<string, Conversation>([["main", { calls: main, sent: 0, messages: [] }]]);
  for (const [index, attack] of attacks.entries()) {
    if (!isSub(attack)) continue;
    const calls = callsOf(attack).map((call) => ({ call, attack }));
    conversations.set(marker(index), { calls, sent: 0, messages: [] });
  }

  function conversationOf({ messages }: ModelRequest): Conversation | undefined {
    const first = JSON.stringify(messages[0]?.content ?? "");
    const found = /SUBAGENT-\d+-/.exec(first)?.[0];
    return conversations.get(found ?? "main");
  }

  return {
    calls: () => [...conversations.values()].reduce((sum, { sent }) => sum + sent, 0),
    script: (request): ModelReply => {
      const conversation = request.isAuxiliary ? undefined : conversationOf(request);
      if (!conversation || !isAttackTurn(request)) return reply("ok");
      conversation.messages = request.messages;
      const batch = conversation.calls.slice(conversation.sent, conversation.sent + BATCH);
      conversation.sent += batch.length;
      if (batch.length === 0) return reply("done");
      return {
        kind: "blocks",
        blocks: batch.map(({ call }) => ({ type: "tool_use", name: call.tool, input: call.input })),
      };
    },
    told: (attack) =>
      [...conversations.values()]
        .flatMap(({ calls, messages }) => {
          const results = resultsIn(messages);
          return calls.flatMap((one, index) => (one.attack === attack ? [results[index] ?? ""] : []));
        })
        .join("\n"),
  };
}

const marker = (index: number): string => `SUBAGENT-${index}-`;

function agent(index: number): Call {
  const prompt = `${marker(index)} do it`;
  return { tool: "Agent", input: { description: "help", prompt, subagent_type: "general-purpose" } };
}

/** A subagent's conversation, or the person has said "attack". */
function isAttackTurn({ messages }: ModelRequest): boolean {
  return messages.some(
    ({ role, content }) => role === "user" && /ATTACK NOW|SUBAGENT-\d+-/.test(JSON.stringify(content)),
  );
}

/** The text of each result, in the order of the calls. */
function resultsIn(messages: readonly ModelMessage[]): readonly string[] {
  const blocks = messages.flatMap(({ content }) => content);
  const results = new Map(
    blocks
      .filter(({ type }) => type === "tool_result")
      .map((block) => [block.tool_use_id, JSON.stringify(block.content)]),
  );
  return blocks.filter(({ type }) => type === "tool_use").map(({ id }) => results.get(id) ?? "");
}
