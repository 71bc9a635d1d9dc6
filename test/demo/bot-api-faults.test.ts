import { expect, test } from "vitest";
import { createFlood, STATED_LIMITS } from "../../src/demo/bot-api/flood.ts";
import type { Fault } from "../../src/demo/bot-api/types.ts";
import { serve, TOKEN } from "./bot-api.fixture.ts";

const HELLO = { chat_id: 7, text: "hello" };

function once(fault: Fault): () => Fault | undefined {
  let isDone = false;
  return () => {
    if (isDone) return undefined;
    isDone = true;
    return fault;
  };
}

test("the hook sees each call before it is processed, and may let it pass", async () => {
  const { api, clock, call } = await serve();
  const seen: object[] = [];
  api.setIntercept((hooked) => {
    seen.push(hooked, [...api.messages(7)]);
    return undefined;
  });
  expect((await call("sendMessage", HELLO)).ok).toBe(true);
  expect(seen).toEqual([{ method: "sendMessage", payload: HELLO, at: clock.ms }, []]);
  api.setIntercept(undefined);
  await call("sendMessage", HELLO);
  expect(seen).toHaveLength(2);
});

test("an error is answered as told, with its retry_after, and nothing is done", async () => {
  const { api, call } = await serve();
  api.setIntercept(
    once({ kind: "error", code: 429, description: "Too Many Requests: retry after 7", retryAfterSeconds: 7 }),
  );
  const reply = await call("sendMessage", HELLO);
  expect(reply).toMatchObject({ status: 429, ok: false, parameters: { retry_after: 7 } });
  expect(reply.headers.get("retry-after")).toBe("7");
  expect(api.messages(7)).toEqual([]);
  api.setIntercept(once({ kind: "error", code: 500, description: "Internal Server Error" }));
  expect(await call("sendMessage", HELLO)).toMatchObject({
    status: 500,
    description: "Internal Server Error",
  });
});

test("a delayed call is processed and answered after its delay", async () => {
  const { api, call } = await serve();
  api.setIntercept(once({ kind: "delay", delayMs: 150 }));
  const since = performance.now();
  const reply = call("sendMessage", HELLO);
  await api.waitFor(() => api.log.length === 1, { what: "the call to arrive" });
  expect(api.messages(7)).toEqual([]);
  expect((await reply).ok).toBe(true);
  expect(performance.now() - since).toBeGreaterThan(145);
});

test.each([
  ["drop_before", 0],
  ["drop_after", 1],
] as const)("%s cuts the connection, with the message sent %i times", async (kind, count) => {
  const { api, call } = await serve();
  api.setIntercept(once({ kind }));
  await expect(call("sendMessage", HELLO)).rejects.toThrow();
  expect(api.messages(7)).toHaveLength(count);
  expect(api.log[0]).toMatchObject({
    answeredAt: null,
    fault: { kind },
    response: count === 0 ? null : { ok: true },
  });
  expect((await call("getMe")).ok).toBe(true);
});

test.each([
  [false, 0],
  [true, 1],
])(
  "a call that hangs gets no answer until the client gives up; processed: %s",
  async (isProcessed, count) => {
    const { api, call, root } = await serve();
    api.setIntercept(once({ kind: "hang", isProcessed }));
    const url = `${root}/bot${TOKEN}/sendMessage?chat_id=7&text=x`;
    const client = new AbortController();
    const gone = expect(fetch(url, { signal: client.signal })).rejects.toThrow(/abort/);
    const isThere = () => api.log.length === 1 && api.messages(7).length === count;
    await api.waitFor(isThere, { what: "the call" });
    expect((await call("getMe")).ok).toBe(true); // it could have been answered by now
    client.abort();
    await gone;
    expect(api.messages(7)).toHaveLength(count);
    expect(api.log[0]?.answeredAt).toBe(null);
  },
);

test("closing ends calls that hang or wait in a delay", async () => {
  const { api, call } = await serve();
  api.setIntercept(({ method }) =>
    method === "getMe" ? { kind: "hang" } : { kind: "delay", delayMs: 60_000 },
  );
  const ends = [call("getMe"), call("sendMessage", HELLO)].map((reply) => expect(reply).rejects.toThrow());
  await api.waitFor(() => api.log.length === 2, { what: "both calls" });
  await api.close();
  await Promise.all(ends);
  expect(api.messages(7)).toEqual([]);
});

test("a proxy's error page is HTML under 502, and garbage is no JSON under 200", async () => {
  const { api, root } = await serve();
  const url = `${root}/bot${TOKEN}/getMe`;
  api.setIntercept(once({ kind: "html" }));
  const page = await fetch(url);
  expect([page.status, page.headers.get("content-type")]).toEqual([502, "text/html"]);
  expect(await page.text()).toContain("<html>");
  api.setIntercept(once({ kind: "garbage" }));
  const garbage = await fetch(url);
  expect(garbage.status).toBe(200);
  await expect(garbage.json()).rejects.toThrow(SyntaxError);
});

test("a truncated answer breaks off under its full Content-Length, and the call is done", async () => {
  const { api, root } = await serve();
  api.setIntercept(once({ kind: "truncated" }));
  const response = await fetch(`${root}/bot${TOKEN}/sendMessage?chat_id=7&text=x`);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
  expect(api.messages(7)).toHaveLength(1);
});

test("a faulty getUpdates hands nothing out for good", async () => {
  const { api, alice, call } = await serve();
  const { updateId } = alice.send("hi");
  for (const kind of ["drop_after", "drop_before"] as const) {
    api.setIntercept(once({ kind }));
    await expect(call("getUpdates")).rejects.toThrow();
  }
  expect((await call("getUpdates")).result).toMatchObject([{ update_id: updateId }]);
});

test("downloads can be made to fail too", async () => {
  const { api, root } = await serve();
  const file = api.addFile({ fileName: "a.txt", content: Buffer.from("a") });
  api.setIntercept(({ method, payload }) =>
    method === "file" && payload.path === file.file_path ? { kind: "drop_before" } : undefined,
  );
  await expect(fetch(`${root}/file/bot${TOKEN}/${file.file_path}`)).rejects.toThrow();
});

test("without limits nothing is ever too much", async () => {
  const { call } = await serve();
  for (let i = 0; i < 50; i += 1) expect((await call("sendMessage", HELLO)).ok).toBe(true);
});

test("a burst is taken, then 429 shuts the chat for the seconds it names, edits included, other chats not", async () => {
  const { api, clock, call } = await serve({ flood: STATED_LIMITS });
  api.user({ id: 9, firstName: "Bob" }).chat().open();
  for (let i = 0; i < 3; i += 1) expect((await call("sendMessage", HELLO)).ok).toBe(true);
  const refused = await call("sendMessage", HELLO);
  expect(refused).toMatchObject({
    status: 429,
    description: "Too Many Requests: retry after 1",
    parameters: { retry_after: 1 },
  });
  clock.ms += 999;
  expect((await call("editMessageText", { chat_id: 7, message_id: 1, text: "final" })).status).toBe(429);
  expect((await call("sendMessage", { chat_id: 9, text: "x" })).ok).toBe(true);
  expect((await call("deleteMessage", { chat_id: 7, message_id: 2 })).ok).toBe(true);
  clock.ms += 1;
  expect((await call("editMessageText", { chat_id: 7, message_id: 1, text: "final" })).ok).toBe(true);
  api.setFlood(null);
  for (let i = 0; i < 9; i += 1) expect((await call("sendMessage", HELLO)).ok).toBe(true);
});

test("a group takes 20 a minute, everybody together 30 a second", () => {
  let ms = 0;
  const flood = createFlood({ now: () => ms, limits: STATED_LIMITS });
  let taken = 0;
  const until = (end: number): void => {
    for (; ms < end; ms += 1000) {
      try {
        flood.spend(-5, "message");
        taken += 1;
      } catch {
        // too fast: what is counted here
      }
    }
  };
  until(60_000);
  expect(taken).toBeGreaterThanOrEqual(20);
  expect(taken).toBeLessThanOrEqual(40);
  const before = taken;
  until(360_000);
  expect(taken - before).toBeLessThanOrEqual(100);
  ms += 60_000;
  for (let chat = 1; chat <= 30; chat += 1) flood.spend(chat, "message");
  expect(() => flood.spend(31, "message")).toThrow("Too Many Requests: retry after 1");
});

test("typing and drafts have a budget of their own that spares the messages", async () => {
  const { call } = await serve({ flood: STATED_LIMITS });
  const typing = { chat_id: 7, action: "typing" };
  for (let i = 0; i < 20; i += 1) expect((await call("sendChatAction", typing)).ok).toBe(true);
  expect((await call("sendChatAction", typing)).status).toBe(429);
  expect((await call("sendMessageDraft", { chat_id: 7, draft_id: 1, text: "x" })).status).toBe(429);
  expect((await call("sendMessage", HELLO)).ok).toBe(true);
});
