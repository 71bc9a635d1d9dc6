import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { BlocksReply, ModelReply, ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createStage, hasButton, type Stage, says, USER } from "../support/daemon.ts";
import { chargesIn, queryDaemon } from "../support/daemon-database.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

const MEMBER = 1002;

/** An answer that costs that many dollars: of claude-opus-5-5 a thousand tokens of input are 0.4 cents. */
const costing = (usd: number, answer: BlocksReply): ModelReply => ({
  ...answer,
  usage: { inputTokens: Math.round((usd * 1_000_000) / 4), outputTokens: 0 },
});

/** A second person, who is no owner. */
function member(stage: Stage) {
  const chat = stage.api.user({ id: MEMBER, firstName: "Bob" }).chat();
  chat.open();
  const waitFor = (expected: string) =>
    stage.api.waitForMessage(MEMBER, says(expected), {
      what: `a message that holds ${expected}`,
      timeoutMs: WAIT_MS,
    });
  return {
    ask: (text: string, expected: string) => {
      chat.send(text);
      return waitFor(expected);
    },
    waitFor,
  };
}

test("a turn that reaches what one request may cost is ended, says so, and goes on in its session when a person pays for more", async () => {
  const asked: string[] = [];
  const queue = createQueueScript([
    costing(0.06, callTool("Bash", { command: "ls" })),
    reply("Went on."),
    costing(0.06, callTool("Bash", { command: "ls" })),
  ]);
  const stage = await createStage({
    script: (request) => {
      asked.push(JSON.stringify(request.messages));
      return queue(request);
    },
    env: { CLAUDE_MAX_COST_PER_REQUEST: "0.05", CLAUDE_MAX_COST_PER_USER: "0.20" },
  });
  await stage.start();
  stage.chat.send("count albatrosses");
  const ended = await stage.waitFor(hasButton("Go on for another $0.0500"));
  expect(ended.text).toContain("The budget of this request is used up.");
  expect(ended.keyboard?.inline_keyboard.flat().map(({ text }) => text)).toEqual([
    "Go on for another $0.0500",
    "Stop",
  ]);

  stage.chat.press(ended.messageId, "Go on for another $0.0500");
  await stage.waitFor(({ text }) => text.includes("Went on."));
  expect(asked).toHaveLength(2);
  expect(asked[1]).toMatch(/count albatrosses.*had reached what one request may cost.*count albatrosses/);
});

test("whose budget is spent is told what is left and when it returns; an owner grants more, and it outlives a restart", async () => {
  const stage = await createStage({
    script: createQueueScript([costing(0.02, reply("Dear.")), reply("Granted."), reply("Still granted.")]),
    env: {
      ALLOWED_USERS: `${USER},${MEMBER}`,
      CLAUDE_MAX_COST_PER_USER: "0.01",
      TIMEZONE: "Pacific/Kiritimati",
    },
  });
  let life = await stage.start();
  const bob = member(stage);
  await bob.ask("/repo demo", "Working in demo");
  await bob.ask("first", "Dear.");
  const refused = await bob.ask("second", "The budget is spent");
  expect(refused.text).toMatch(
    /^The budget is spent: \$0\.0200 of \$0\.0100, nothing is left\. It returns on .*, 00:00 \(Pacific\/Kiritimati\); an owner may grant more \(\/grant\)\.$/,
  );
  await bob.ask(`/grant ${MEMBER} 5`, "Only owners may grant.");

  for (const wrong of ["", "1002", "1002 0", "1002 -5", "1002 five", "@bob 5", "1002 5 6"])
    await stage.ask(`/grant ${wrong}`, "Say to whom and how much");
  await stage.ask("/grant 4242 5", "Nobody of that id may use me.");
  const granted = await stage.ask(`/grant ${MEMBER} $0.5`, "Granted $0.5000 to 1002");
  expect(granted.text).toContain("$0.0200 of $0.5100, $0.4900 left (day)");
  await bob.waitFor("An owner granted you $0.5000");
  await bob.ask("third", "Granted.");

  await life.kill("SIGTERM");
  life = await stage.start();
  await bob.ask("fourth", "Still granted.");
  expect(queryDaemon(stage.home, "SELECT user_id, data FROM audit WHERE type = 'cost.granted'")).toEqual([
    { user_id: USER, data: JSON.stringify({ to: MEMBER, amountMicroUsd: 500_000 }) },
  ]);
});

test("with a subscription amounts are called API-equivalent, and owners have no budget unless one is set", async () => {
  const stage = await createStage({
    script: () => costing(0.02, reply("Done.")),
    env: {
      CLAUDE_AUTH: "subscription",
      ANTHROPIC_API_KEY: "",
      CLAUDE_CODE_OAUTH_TOKEN: "sk-ant-oat01-the-real-token-that-never-enters-the-jail",
      ALLOWED_USERS: `${USER},${MEMBER}`,
    },
  });
  await stage.start();
  const answer = await stage.ask("a question", "Done.");
  expect(answer.text).toContain("$0.0200 API-equivalent");
  await stage.ask("/status", "Spent: $0.0200 API-equivalent, no limit (day)");
  await stage.ask(`/grant ${USER} 5`, "That person has no budget");
  const bob = member(stage);
  await bob.ask("/status", "Spent: $0.00 of $10.00 API-equivalent, $10.00 left (day)");
});

/** Has a program of the jail send that many requests of its own beside the turn's; they go on in the background once there is a file `begun`. */
function sideRequests(count: number): BlocksReply {
  const body = JSON.stringify({
    model: "claude-opus-5-5",
    max_tokens: 64_000,
    stream: true,
    messages: [{ role: "user", content: "SIDE" }],
  });
  const curl = `curl -sN --unix-socket "$ANTHROPIC_UNIX_SOCKET" -H "x-api-key: $ANTHROPIC_API_KEY" -H "content-type: application/json" -d '${body}' http://localhost/v1/messages`;
  const quoted = `'${curl.replaceAll("'", `'\\''`)}'`;
  const command = `for i in $(seq ${count}); do setsid sh -c ${quoted} >/dev/null 2>&1 & done; while [ ! -e begun ]; do sleep 0.1; done; echo begun`;
  return callTool("Bash", { command });
}

const isSide = ({ messages }: ModelRequest): boolean => JSON.stringify(messages.at(-1)).includes('"SIDE"');

test("H10: what a program of the jail has under way when the turn ends is cut, and charged with it", async () => {
  let side = 0;
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail" },
    script: (request) => {
      if (isSide(request)) {
        side += 1;
        if (side === 2) writeFileSync(join(stage.project, "begun"), "");
        return { kind: "hang", afterText: "x".repeat(4_000), usage: { inputTokens: 10 } };
      }
      return request.toolResults.length > 0 ? reply("All done.") : sideRequests(2);
    },
  });
  await stage.start();
  await stage.ask("go", "All done.");
  expect(side).toBe(2);
  const [charge] = chargesIn(stage.home);
  expect(charge?.costMicroUsd).toBe(charge?.meteredMicroUsd);
  expect(charge?.costMicroUsd).toBeGreaterThan(2 * 1_000 * 20); // four characters of the answers are a token
  expect(queryDaemon(stage.home, "SELECT count(*) AS n FROM api_usage WHERE is_final = 0")).toEqual([
    { n: 0 },
  ]);
});

test("H10: requests of a program of the jail spend no more than the budget and one of them", async () => {
  let side = 0;
  const stage = await createStage({
    env: {
      CLAUDE_PERMISSION_MODE: "jail",
      CLAUDE_MAX_COST_PER_USER: "0.5",
      CLAUDE_MAX_COST_PER_REQUEST: "0.4",
    },
    script: async (request) => {
      if (!isSide(request)) return request.toolResults.length > 0 ? reply("All done.") : sideRequests(8);
      side += 1;
      if (side === 1) writeFileSync(join(stage.project, "begun"), "");
      await sleep(1_500);
      return costing(1, reply("x"));
    },
  });
  await stage.start();
  await stage.ask("go", "The budget is spent");
  expect(side).toBe(1);
  await stage.ask("again", "The budget is spent");
  const charges = chargesIn(stage.home);
  expect(charges).toHaveLength(1);
  expect(charges[0]?.costMicroUsd).toBe(charges[0]?.meteredMicroUsd);
  expect(charges[0]?.costMicroUsd).toBeLessThan(1_200_000);
});
