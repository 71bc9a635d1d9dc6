import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Fault } from "../../src/demo/bot-api/types.ts";
import { createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { ALLOWED_UPDATES } from "../../src/telegram/get-updates.ts";
import { createStage, type Life, type Stage } from "../support/daemon.ts";
import { until } from "../support/until.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

const NO_SCRIPT = { script: createQueueScript([]) };

const calls = ({ api }: Stage, method: string) => api.log.filter((call) => call.method === method);
const portOf = (apiRoot: string): number => Number(new URL(apiRoot).port);

/** Ends a life by SIGTERM; gives the code that it ends with: 1 when it does not come to its end in time. */
const terminate = async (life: Life): Promise<number | null> => (await life.kill("SIGTERM")).code;

test("H49, H40: with Telegram down at the start it comes up, registers, asks for exactly its updates, and answers what was sent meanwhile", async () => {
  const stage = await createStage({ script: createQueueScript([reply("Here I am.")]) });
  const { port } = new URL(stage.apiRoot);
  await stage.api.close();
  stage.chat.send("are you there?");
  const life = await stage.start({ isReady: false });
  await until(() => life.output().split('"telegram.unreachable"').length > 3, "three tries in vain");
  await until(() => life.log.some(({ event }) => event === "daemon.started"), "all but Telegram to be there");
  await stage.api.listen(Number(port));
  const answer = await stage.waitFor(({ text }) => text.includes("Here I am."));
  expect(answer.replyTo).not.toBeNull();

  const methods = stage.api.log.map(({ method }) => method);
  expect(methods.slice(0, 1)).toEqual(["getMe"]);
  expect(methods.indexOf("deleteWebhook")).toBeLessThan(methods.indexOf("getUpdates"));
  expect(calls(stage, "deleteWebhook").map(({ payload }) => payload)).toEqual([
    { drop_pending_updates: false },
  ]);
  for (const { payload } of calls(stage, "getUpdates"))
    expect(payload).toMatchObject({ timeout: 25, allowed_updates: [...ALLOWED_UPDATES] });
  expect(ALLOWED_UPDATES).toEqual(["message", "edited_message", "callback_query", "my_chat_member"]);
});

test("H40: what was sent while the daemon was down is handled after the start, in its order, and confirmed only then", async () => {
  const stage = await createStage({
    script: createQueueScript([reply("First."), reply("Second."), reply("Third.")]),
  });
  const first = await stage.start();
  await stage.ask("one", "First.");
  expect(await terminate(first)).toBe(0);
  stage.chat.send("two");
  stage.chat.send("three");
  expect(stage.api.pendingUpdates().length).toBeGreaterThanOrEqual(2);
  await stage.start();
  await stage.waitFor(({ text }) => text.includes("Third."));
  const order = stage.botTexts().filter((text) => /^(First|Second|Third)\./.test(text));
  expect(order.map((text) => text.split(".")[0])).toEqual(["First", "Second", "Third"]);
  expect(stage.model.requests.filter(({ method }) => method === "POST").length).toBe(3);
});

test("H48: a storm of server faults and a second poller are waited out, and then it answers", async () => {
  const stage = await createStage(NO_SCRIPT);
  const life = await stage.start();
  const storm: Fault[] = [
    { kind: "html" },
    { kind: "drop_before" },
    { kind: "error", code: 500, description: "Internal Server Error" },
  ];
  stage.api.setIntercept(({ method }) => (method === "getUpdates" ? storm.shift() : undefined));
  await stage.ask("/help", "/status:"); // ends the poll that was open before the storm
  await stage.api.waitFor(() => storm.length === 0, { what: "the storm" });
  await stage.ask("/status", "nothing runs");

  await stage.api.waitFor(() => stage.api.isPolled(), { what: "an open poll" });
  stage.api.rivalPoll();
  await stage.api.waitFor(() => calls(stage, "getUpdates").some(isConflict), { what: "the conflict" });
  await stage.ask("/new", "begins a new session");
  const polls = calls(stage, "getUpdates");
  const conflict = polls.findIndex(isConflict);
  const gap = (polls[conflict + 1]?.at ?? 0) - (polls[conflict]?.answeredAt ?? 0);
  expect(gap).toBeGreaterThanOrEqual(2_900);
  expect(gap).toBeLessThan(6_000);
  expect(stage.botTexts().length).toBe(3);
  expect(await terminate(life)).toBe(0);
});

const isConflict = ({ response }: Stage["api"]["log"][number]): boolean =>
  response?.ok === false && response.error_code === 409;

test("H47: stopped for 20 s, as by a sleep, with the poll on a dead connection, it answers within 5 s of waking, as if nothing had been", async () => {
  const stage = await createStage(NO_SCRIPT);
  const life = await stage.start();
  let hanging = 0;
  stage.api.setIntercept(({ method }) => {
    if (method !== "getUpdates" || hanging > 0) return undefined;
    hanging += 1;
    return { kind: "hang" };
  });
  await stage.ask("/help", "/status:"); // ends the open poll; the next one hangs
  await until(() => hanging === 1, "the poll that hangs");
  await until(() => life.log.some(({ event }) => event === "daemon.started"), "the start's end");
  process.kill(life.pid, "SIGSTOP");
  stage.chat.send("/status");
  await delay(20_000);
  const before = performance.now();
  process.kill(life.pid, "SIGCONT");
  await stage.waitFor(({ text }) => text.includes("nothing runs"));
  expect(performance.now() - before).toBeLessThan(5_000);

  await stage.ask("/new", "begins a new session");
  expect(stage.botTexts().length).toBe(3);
  const events = life.log.map(({ event }) => event);
  expect(events.filter((event) => event === "telegram.woke").length).toBe(1);
  expect(events.filter((event) => event === "telegram.ready").length).toBe(1);
  expect(life.output()).not.toMatch(/telegram\.(unreachable|refused|back|outage)/);
  expect(await terminate(life)).toBe(0);
});

test("H81: a token that is revoked while Telegram is out of reach ends it with 77 as soon as that is heard", async () => {
  const stage = await createStage(NO_SCRIPT);
  const life = await stage.start();
  const port = portOf(stage.apiRoot);
  await stage.api.close();
  await until(() => life.output().split('"telegram.unreachable"').length > 3, "three tries in vain");
  stage.api.revoke();
  await stage.api.listen(port);
  const before = performance.now();
  expect(await life.exited).toEqual({ code: 77, signal: null });
  expect(performance.now() - before).toBeLessThan(6_000);
});

test("H81: a token that is revoked while it runs ends it with 77 and one clear line", async () => {
  const stage = await createStage(NO_SCRIPT);
  const life = await stage.start();
  await stage.ask("/help", "/status:");
  stage.api.revoke();
  expect(await life.exited).toEqual({ code: 77, signal: null });
  const lines = life
    .output()
    .split("\n")
    .filter((line) => line.startsWith("sallyport: "));
  expect(lines).toEqual([expect.stringMatching(/^sallyport: Telegram does not know TELEGRAM_BOT_TOKEN/)]);
  expect(life.output()).not.toMatch(/test-token-of-thirty/);
});

describe("SIGTERM", () => {
  test("idle, it ends with 0 in time, and with it the poll", async () => {
    const stage = await createStage(NO_SCRIPT);
    const life = await stage.start();
    await stage.ask("/help", "/status:");
    await until(() => life.log.some(({ event }) => event === "daemon.started"), "the end of its start");
    expect(await terminate(life)).toBe(0);
    expect(life.log.at(-1)).toMatchObject({ event: "daemon.ended" });
  });

  test("with Telegram silent at the start, or out of reach, it ends with 0 in time too", async () => {
    const stage = await createStage(NO_SCRIPT);
    stage.api.setIntercept(() => ({ kind: "hang" }));
    const silent = await stage.start({ isReady: false });
    await stage.api.waitFor(() => stage.api.log.length > 0, { what: "the first call", timeoutMs: WAIT_MS });
    expect(await terminate(silent)).toBe(0);

    const port = portOf(stage.apiRoot);
    await stage.api.close();
    const alone = await stage.start({ isReady: false });
    await until(
      () => alone.output().split('"telegram.unreachable"').length > 4,
      "a long pause between tries",
    );
    await until(() => alone.log.some(({ event }) => event === "daemon.started"), "the end of its start");
    expect(await terminate(alone)).toBe(0);
    await stage.api.listen(port);
  });

  test("with a message under way to a Telegram that hangs, it ends with 0 all the same, and the next life sends the message", async () => {
    const stage = await createStage(NO_SCRIPT);
    const life = await stage.start();
    stage.api.setIntercept(({ method }) => (method === "sendMessage" ? { kind: "hang" } : undefined));
    stage.chat.send("/help");
    await stage.api.waitFor(() => calls(stage, "sendMessage").length > 0, {
      what: "the call",
      timeoutMs: WAIT_MS,
    });
    expect(await terminate(life)).toBe(0);
    stage.api.setIntercept(undefined);
    await stage.start();
    await stage.waitFor(({ text }) => text.includes("/status:"));
  });
});
