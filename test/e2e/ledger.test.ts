import { afterEach, expect, test } from "vitest";
import {
  callTool,
  createQueueScript,
  fail,
  type QueueStep,
  reply,
} from "../../src/demo/messages-api/scripts.ts";
import type { BlocksReply, ModelReply } from "../../src/demo/messages-api/types.ts";
import type { TokenCounts } from "../../src/domain/usage.ts";
import { createHouse, type House } from "../claude/house.ts";
import { turnsBench } from "../support/turns.ts";
import { until } from "../support/until.ts";

/** Micro-USD per token, from Anthropic's list, not from the program: input, cache writes of 5 min and 1 h, cache reads, output. */
const OPUS = { input: 4, write5m: 5, write1h: 8, read: 0.2, output: 20 };
const SONNET = { input: 2, write5m: 2.5, write1h: 4, read: 0.1, output: 10 };
const NO_TOKENS = {
  inputTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  cacheReadTokens: 0,
  outputTokens: 0,
};
const ROUNDS = 5;
/** Longer than one delta, so that the count of a cut answer is put together. */
const CUT_TEXT = "A sentence that is never finished because";

let house: House;
afterEach(() => house.dispose());

/** What the stand-in has served so far, in micro-USD: each request rounded up, as it is charged. */
let servedMicroUsd = 0;

function charge(price: typeof OPUS, usage: Partial<TokenCounts>): void {
  const { inputTokens = 0, cacheWrite5mTokens = 0, cacheWrite1hTokens = 0, cacheReadTokens = 0 } = usage;
  servedMicroUsd += Math.ceil(
    inputTokens * price.input +
      cacheWrite5mTokens * price.write5m +
      cacheWrite1hTokens * price.write1h +
      cacheReadTokens * price.read +
      (usage.outputTokens ?? 0) * price.output,
  );
}

/** An answer that says what it used, charged when it is served. */
function served(answer: BlocksReply, price: typeof OPUS, usage: Partial<TokenCounts>): QueueStep {
  return () => {
    charge(price, usage);
    return { ...answer, usage: { ...NO_TOKENS, ...usage } };
  };
}

/** An answer that ends in the middle: its input is known, its output the bytes that came, a token for four of them. */
function broken(kind: "hang" | "cut", inputTokens: number): QueueStep {
  return (): ModelReply => {
    charge(OPUS, { inputTokens, outputTokens: Math.ceil(CUT_TEXT.length / 4) });
    return { kind, afterText: CUT_TEXT, usage: { inputTokens, outputTokens: 1 } };
  };
}

/** The model's part in one kind of turn; `n` makes each round's numbers its own. */
const KINDS: Readonly<Record<string, (n: number) => readonly QueueStep[]>> = {
  finished: (n) => [served(reply("done"), OPUS, { inputTokens: 100 + n, outputTokens: 10 + n })],
  tooled: (n) => [
    served(callTool("Read", { file_path: "README.md" }), OPUS, {
      cacheWrite5mTokens: 4000 + n,
      outputTokens: 30,
    }),
    served(reply("read"), OPUS, { inputTokens: 7, cacheReadTokens: 4000 + n, outputTokens: 5 }),
  ],
  interrupted: (n) => [broken("hang", 3000 + n)],
  killed: (n) => [broken("hang", 5000 + n)],
  crashed: (n) => [
    served(callTool("Bash", { command: "kill -9 $PPID" }), OPUS, { inputTokens: 900 + n, outputTokens: 40 }),
  ],
  retried: (n) => [
    fail(529, "overloaded_error"),
    served(reply("at last"), OPUS, { inputTokens: 200 + n, outputTokens: 20 }),
  ],
  cut: (n) => [
    broken("cut", 800 + n),
    served(reply("again"), OPUS, { inputTokens: 810 + n, outputTokens: 12 }),
  ],
  subagent: (n) => [
    served(
      callTool("Agent", {
        description: "look",
        prompt: "look",
        subagent_type: "general-purpose",
        model: "sonnet",
      }),
      OPUS,
      { inputTokens: 1000 + n, cacheWrite1hTokens: 500, outputTokens: 60 },
    ),
    served(reply("report"), SONNET, { inputTokens: 2000 + n, outputTokens: 70 }),
    served(reply("done"), OPUS, { inputTokens: 50, outputTokens: 6 }),
  ],
};

test("H10: over 40 turns that finish, are interrupted, killed, crash, are retried, cut or use a subagent of another model, the ledger is what was served", async () => {
  const turns = Array.from({ length: ROUNDS }, (_, n) =>
    Object.entries(KINDS).map(([kind, stepsOf]) => ({ kind, n, steps: stepsOf(n) })),
  ).flat();
  servedMicroUsd = 0;
  const script = createQueueScript(turns.flatMap(({ steps }) => steps));
  house = await createHouse({ script, settings: { model: "claude-opus-5-5" } });
  const { project, configDir } = house.session();
  const bench = turnsBench({ claude: house.runner, project, configDir });
  const { store, reports } = bench;

  for (const [index, { kind, n }] of turns.entries()) {
    const before = servedMicroUsd;
    const work = bench.submit(`${kind} ${n}`);
    const answered = setInterval(() => allowAll(bench), 20);
    try {
      if (kind === "interrupted" || kind === "killed") {
        await until(() => store.ledger.metered(work.id) > 0, `the answer of ${kind} ${n} begins`);
        await new Promise((resolve) => setTimeout(resolve, 100)); // its text is on the way
        if (kind === "killed") {
          process.kill(lastPid(), "SIGKILL");
        } else {
          store.transaction(() => bench.turns.stop(work.conversationId));
        }
      }
      await until(() => reports.length === index + 1, `${kind} ${n} ends`);
    } finally {
      clearInterval(answered);
    }
    const report = reports.at(-1);
    expect([kind, n, report?.outcome.kind]).toEqual([kind, n, OUTCOMES[kind] ?? "completed"]);
    expect([kind, n, report?.costMicroUsd]).toEqual([kind, n, servedMicroUsd - before]);
  }
  expect(reports).toHaveLength(40);
  expect(script.left()).toBe(0);
  expect(store.ledger.spentSince(7, 0)).toBe(servedMicroUsd);
}, 120_000);

const OUTCOMES: Readonly<Record<string, string>> = {
  interrupted: "stopped",
  killed: "failed",
  crashed: "failed",
};

/** Lets every call through that a person is asked about. */
function allowAll({ store, turns }: ReturnType<typeof turnsBench>): void {
  store.transaction(() => {
    for (const { id } of store.approvals.open()) {
      turns.press({ kind: "approve", approvalId: id, decision: "allow" }, 7);
    }
  });
}

/** The process that was started last: the jail's outermost. */
function lastPid(): number {
  return Number(house.logged.findLast(({ event }) => event === "claude.started")?.cliPid);
}
