import { once } from "node:events";
import { Agent, createServer, type RequestListener, request } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { fail, reply } from "../../src/demo/messages-api/scripts.ts";
import type { Payer } from "../../src/domain/usage.ts";
import { until } from "../support/until.ts";
import { answerOf, createHarness, HELLO, portOf, REAL } from "./harness.ts";

/** More requests of a kind than may be under way at once. */
const MANY = 20;

type Harness = Awaited<ReturnType<typeof createHarness>>;
let harness: Harness;
const servers: ReturnType<typeof createServer>[] = [];

afterEach(async () => {
  await harness.dispose();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** An upstream that the test writes by hand. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${portOf(server)}`;
}

const errorOf = (text: string) => JSON.parse(text).error;

test("the API gets the real key, the jail's side never sees it", async () => {
  harness = await createHarness();
  const answer = await harness.post(HELLO);
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text)).toMatchObject({ content: [{ text: "hello" }] });
  const arrived = harness.api.requests[0];
  expect(arrived?.headers["x-api-key"]).toBe(REAL);
  expect(arrived?.headers.authorization).toBeUndefined();
  expect(arrived?.body).toEqual(HELLO);
  expect(JSON.stringify([answer, harness.logged])).not.toContain(REAL);
});

test("with a subscription the real token goes out as the bearer, and no key beside it", async () => {
  harness = await createHarness({ kind: "subscription" });
  const answer = await harness.post(HELLO, { authorization: `Bearer ${harness.lease.token}` });
  expect(answer.status).toBe(200);
  expect(harness.api.requests[0]?.headers.authorization).toBe(`Bearer ${REAL}`);
  expect(harness.api.requests[0]?.headers["x-api-key"]).toBeUndefined();
});

test.each([
  ["GET", "/v1/messages"],
  ["POST", "/v1/messages/"],
  ["POST", "/v1/messages?beta=false"],
  ["POST", "/v1/messages?beta=true&x=1"],
  ["POST", "/v1/messages/batches"],
  ["POST", "/v1/../v1/messages"],
  ["POST", "//v1/messages"],
  ["POST", "http://elsewhere.test/v1/messages"],
  ["GET", "/v1/models"],
  ["HEAD", "/api/hello"],
  ["POST", "/api/oauth/token"],
  ["DELETE", "/v1/files/x"],
])("%s %s is 404 and does not reach the API", async (method, path) => {
  harness = await createHarness();
  const answer = await harness.ask(method, path, method === "POST" ? { body: HELLO } : {});
  expect(answer.status).toBe(404);
  if (method !== "HEAD") expect(errorOf(answer.text).type).toBe("not_found_error");
  expect(harness.api.requests).toHaveLength(0);
});

test("the two routes pass with and without ?beta=true, and HEAD / is answered here", async () => {
  harness = await createHarness();
  for (const path of [
    "/v1/messages?beta=true",
    "/v1/messages/count_tokens",
    "/v1/messages/count_tokens?beta=true",
  ]) {
    expect((await harness.ask("POST", path, { body: HELLO })).status).toBe(200);
  }
  expect((await harness.ask("HEAD", "/", { headers: {} })).status).toBe(200);
  expect(harness.api.requests.map(({ path }) => path)).toEqual([
    "/v1/messages?beta=true",
    "/v1/messages/count_tokens",
    "/v1/messages/count_tokens?beta=true",
  ]);
  expect(harness.usages.filter(({ isFinal }) => isFinal)).toHaveLength(1);
});

test.each<[string, (token: string) => Record<string, string>]>([
  ["nothing", () => ({})],
  ["an invented token", () => ({ "x-api-key": "sallyport-x" })],
  ["the real key itself", () => ({ "x-api-key": REAL })],
  ["a token with more behind it", (token: string) => ({ "x-api-key": `${token}x` })],
  ["a token in the wrong scheme", (token: string) => ({ authorization: `Basic ${token}` })],
  ["a bearer that is not ASCII (H14)", () => ({ authorization: "Bearer tök\u00ff" })],
])("%s is 401, not to be repeated, and does not reach the API", async (_name, headersOf) => {
  harness = await createHarness();
  const answer = await harness.post(HELLO, headersOf(harness.lease.token));
  expect(answer.status).toBe(401);
  expect(answer.headers["x-should-retry"]).toBe("false");
  expect(errorOf(answer.text).type).toBe("authentication_error");
  expect(harness.api.requests).toHaveLength(0);
});

test("each lease has a token of its own, and a released one is worth nothing", async () => {
  harness = await createHarness();
  const other = harness.leases.open();
  expect(other.token).not.toBe(harness.lease.token);
  other.setPayer(harness.payer);
  expect((await harness.post(HELLO, { "x-api-key": other.token })).status).toBe(200);
  other.release();
  other.setPayer(harness.payer);
  expect((await harness.post(HELLO, { "x-api-key": other.token })).status).toBe(401);
  expect((await harness.post(HELLO)).status).toBe(200);
});

test("without a running turn nobody pays: 402 billing_error, not to be repeated", async () => {
  harness = await createHarness();
  harness.lease.setPayer(null);
  for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
    const answer = await harness.ask("POST", path, { body: HELLO });
    expect(answer.status).toBe(402);
    expect(answer.headers["x-should-retry"]).toBe("false");
    expect(errorOf(answer.text)).toMatchObject({
      type: "billing_error",
      message: expect.stringContaining("no turn is running"),
    });
  }
  expect(harness.api.requests).toHaveLength(0);
});

test("H10: the payer is asked before every request, and its words go to the client", async () => {
  harness = await createHarness();
  let budget = 1;
  harness.lease.setPayer({
    mayStart: () =>
      budget-- > 0 ? { kind: "ok" } : { kind: "refuse", message: "Sallyport: $5.00 are spent." },
    onUsage: () => undefined,
  });
  expect((await harness.post(HELLO)).status).toBe(200);
  const refused = await harness.post(HELLO);
  expect(refused.status).toBe(402);
  expect(errorOf(refused.text)).toEqual({ type: "billing_error", message: "Sallyport: $5.00 are spent." });
  expect(harness.api.requests).toHaveLength(1);
});

test("H10: requests that run side by side wait while they may cost too much together, until that is known", async () => {
  let [running, most] = [0, 0];
  harness = await createHarness({
    script: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running -= 1;
      return reply("hello");
    },
  });
  const pending: number[] = [];
  harness.lease.setPayer({
    mayStart: (_, pendingMicroUsd) => {
      pending.push(pendingMicroUsd);
      return { kind: pendingMicroUsd < 10_000 ? "ok" : "wait" };
    },
    onUsage: () => undefined,
  });
  const long = { ...HELLO, messages: [{ role: "user", content: "x".repeat(400_000) }] };
  const wordy = { ...HELLO, max_tokens: 64_000 };
  for (const body of [long, wordy]) {
    [most, pending.length] = [0, 0];
    const answers = await Promise.all(Array.from({ length: 8 }, () => harness.post(body)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(most).toBe(1);
    expect(pending.filter((amount) => amount === 0)).toHaveLength(8); // each was alone when it was let go on
    expect((await harness.post(body)).status).toBe(200); // nothing is under way any more
    expect(pending.at(-1)).toBe(0);
  }
  most = 0;
  await Promise.all(Array.from({ length: 8 }, () => harness.post(HELLO))); // small ones run beside each other
  expect(most).toBeGreaterThan(1);
});

test("H10: what a payer has under way when it is taken away is cut, and told by then; what waits or comes in later is refused", async () => {
  const body = { ...HELLO, stream: true };
  harness = await createHarness({
    script: () => ({ kind: "hang", afterText: "abcd", usage: { inputTokens: 5 } }),
  });
  const paid = {
    ...harness.payer,
    mayStart: (_: unknown, pending: number) => ({ kind: pending === 0 ? "ok" : "wait" }) as const,
  };
  harness.lease.setPayer(paid);
  const under = harness.post(body);
  await harness.firstUsage();
  const waiting = harness.post(body);
  const slow = harness.send("POST", "/v1/messages");
  const late = answerOf(slow);
  slow.write(JSON.stringify(body).slice(0, 20));
  await new Promise((resolve) => setTimeout(resolve, 50));
  harness.lease.setPayer(null);
  expect(harness.usages.filter(({ isFinal }) => isFinal)).toMatchObject([{ isCut: true, inputTokens: 5 }]);
  slow.end(JSON.stringify(body).slice(20));
  expect((await under).broke).toBe(true);
  expect([(await waiting).status, (await late).status]).toEqual([402, 402]);
  expect(harness.api.requests).toHaveLength(1);
  expect(harness.usages.filter(({ isFinal }) => isFinal)).toHaveLength(1);
});

test("a payer that throws refuses everything after it, and the proxy lives on for others", async () => {
  harness = await createHarness();
  const broken: Payer = {
    mayStart: () => ({ kind: "ok" }),
    onUsage: () => {
      throw new Error("disk full");
    },
  };
  harness.lease.setPayer(broken);
  expect((await harness.post({ ...HELLO, stream: true })).status).toBe(200);
  expect((await harness.post(HELLO)).status).toBe(402);
  harness.lease.setPayer({
    mayStart: () => {
      throw new Error("database is locked");
    },
    onUsage: () => undefined,
  });
  expect((await harness.post(HELLO)).status).toBe(402);
  harness.lease.setPayer(harness.payer);
  expect((await harness.post(HELLO)).status).toBe(200);
  expect(harness.api.requests).toHaveLength(2);
  expect(harness.logged.join("")).toContain("disk full");
});

test("only known headers go to the API: no cookie, no workspace, no compression, its own host", async () => {
  harness = await createHarness();
  await harness.post(HELLO, {
    "x-api-key": harness.lease.token,
    authorization: "Bearer something-else",
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "a,b",
    "anthropic-workspace-id": "wrkspc_x",
    "x-stainless-lang": "js",
    "x-claude-code-session-id": "s",
    "user-agent": "claude-cli/2",
    "x-app": "cli",
    "accept-encoding": "gzip, br",
    cookie: "a=b",
    "x-forwarded-for": "1.2.3.4",
    "proxy-authorization": "Basic x",
    te: "trailers",
    connection: "keep-alive, x-app",
  });
  const { connection: _connection, ...headers } = harness.api.requests[0]?.headers ?? {};
  expect(headers).toEqual({
    host: new URL(harness.api.requests[0] ? `http://${harness.api.requests[0].headers.host}` : "").host,
    "x-api-key": REAL,
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "a,b",
    "x-stainless-lang": "js",
    "x-claude-code-session-id": "s",
    "user-agent": "claude-cli/2",
    "x-app": "cli",
    "accept-encoding": "identity",
    "content-length": String(JSON.stringify(HELLO).length),
  });
  expect(headers.host).toMatch(/^127\.0\.0\.1:\d+$/);
});

test("answers lose cookies and whatever else is not the API's, an echoed credential is scrubbed, and rate limits stay", async () => {
  const url = await serve((request, response) => {
    response.writeHead(401, {
      "set-cookie": "session=1",
      "x-echo": String(request.headers["x-api-key"]),
      "www-authenticate": `Bearer ${String(request.headers["x-api-key"])}`,
      "anthropic-ratelimit-requests-remaining": "7",
      "request-id": "req_1",
      "content-type": "application/json",
    });
    const message = `invalid key ${String(request.headers["x-api-key"])}`;
    response.end(JSON.stringify({ type: "error", error: { type: "authentication_error", message } }));
  });
  harness = await createHarness({ upstream: url });
  const answer = await harness.post(HELLO);
  expect(answer.status).toBe(401);
  expect(JSON.stringify([answer, harness.logged])).not.toContain(REAL);
  expect(errorOf(answer.text).message).toBe("invalid key [redacted]");
  expect(Object.keys(answer.headers).sort()).toEqual([
    "anthropic-ratelimit-requests-remaining",
    "connection",
    "content-length",
    "content-type",
    "date",
    "request-id",
  ]);
});

test.each([["api-key"], ["subscription"]] as const)(
  "H30: when the %s credential is refused, nothing else is tried",
  async (kind) => {
    harness = await createHarness({ kind, script: () => fail(401, "authentication_error", "invalid") });
    expect((await harness.post(HELLO)).status).toBe(401);
    expect(harness.api.requests).toHaveLength(1);
    const { authorization, "x-api-key": key } = harness.api.requests[0]?.headers ?? {};
    expect([authorization, key]).toEqual(
      kind === "api-key" ? [undefined, REAL] : [`Bearer ${REAL}`, undefined],
    );
  },
);

test("a redirect is neither followed nor passed on", async () => {
  const followed: string[] = [];
  const url = await serve((request, response) => {
    followed.push(request.url ?? "");
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  harness = await createHarness({ upstream: url });
  const answer = await harness.post(HELLO);
  expect([answer.status, answer.headers.location]).toEqual([502, undefined]);
  expect(errorOf(answer.text).type).toBe("api_error");
  expect(followed).toEqual(["/v1/messages"]);
});

test("a compressed answer cannot be metered: it is not passed on, and what it may have cost is charged", async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": "gzip" }).end("x");
  });
  harness = await createHarness({ upstream: url });
  const answer = await harness.post(HELLO);
  expect([answer.status, answer.headers["x-should-retry"]]).toEqual([502, "false"]);
  expect(await harness.finals(1)).toMatchObject([{ isCut: true, model: "claude-opus-5-5" }]);
});

test("the path of the upstream address is kept as a prefix", async () => {
  const paths: string[] = [];
  const url = await serve((request, response) => {
    paths.push(request.url ?? "");
    response.writeHead(404).end("{}");
  });
  harness = await createHarness({ upstream: `${url}/gateway/v2/` });
  await harness.ask("POST", "/v1/messages?beta=true", { body: HELLO });
  expect(paths).toEqual(["/gateway/v2/v1/messages?beta=true"]);
});

test("an upstream that is down, or breaks before it answers, is a 502 that may be repeated", async () => {
  const url = await serve((request) => request.socket.destroy());
  harness = await createHarness({ upstream: url });
  const broken = await harness.post(HELLO);
  expect([broken.status, broken.headers["x-should-retry"]]).toEqual([502, undefined]);
  await harness.dispose();

  harness = await createHarness({ upstream: "http://127.0.0.1:9" });
  const down = await harness.post(HELLO);
  expect([down.status, errorOf(down.text).type]).toEqual([502, "api_error"]);
  expect(harness.usages).toEqual([]);
});

test("32 MB pass, more is 413, whether announced or not", async () => {
  const sizes: number[] = [];
  let begun = 0;
  const url = await serve((request, response) => {
    let bytes = 0;
    begun += 1;
    request.on("data", (chunk: Buffer) => (bytes += chunk.length));
    request.on("end", () => {
      sizes.push(bytes);
      response.writeHead(400, { "content-type": "application/json" }).end("{}");
    });
  });
  harness = await createHarness({ upstream: url });
  const limit = 32 * 1024 * 1024;
  const body = (bytes: number) => {
    const text = (content: string) => JSON.stringify({ ...HELLO, messages: [{ role: "user", content }] });
    return text("x".repeat(bytes - text("").length));
  };
  const announced = (bytes: number) => ({
    "x-api-key": harness.lease.token,
    "content-length": String(bytes),
  });
  expect((await harness.post(body(limit), announced(limit))).status).toBe(400);
  expect((await harness.post(body(limit + 1), announced(limit + 1))).status).toBe(413);
  expect(begun).toBe(1);
  expect((await harness.post(body(limit + 1))).status).toBe(413);
  expect(sizes).toEqual([limit]);
});

test("deltas arrive one by one while the answer is still being written", async () => {
  const gates: (() => void)[] = [];
  const url = await serve((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const write = (n: number) => response.write(`event: ping\ndata: {"type":"ping","n":${n}}\n\n`);
    write(0);
    gates.push(
      () => write(1),
      () => write(2),
      () => void response.end(),
    );
  });
  harness = await createHarness({ upstream: url });
  const out = harness.send("POST", "/v1/messages", { body: { ...HELLO, stream: true } });
  out.end();
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    out.once("response", (answer) => {
      answer.on("data", (chunk: Buffer) => {
        seen.push(chunk.toString());
        gates.shift()?.();
      });
      answer.once("end", resolve);
    });
  });
  expect(seen).toHaveLength(3);
});

test("an answer that the client does not read is not piled up in the proxy", async () => {
  let sent = 0;
  const piece = Buffer.alloc(1024 * 1024, 32);
  const total = 64;
  let hasStalled: () => void;
  const stalled = new Promise<void>((resolve) => {
    hasStalled = resolve;
  });
  const url = await serve((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const pump = () => {
      while (sent < total) {
        sent += 1;
        if (!response.write(piece)) break;
      }
      if (sent === total) return void response.end();
      let isDrained = false;
      response.once("drain", () => {
        isDrained = true;
        pump();
      });
      setTimeout(() => isDrained || hasStalled(), 200);
    };
    pump();
  });
  harness = await createHarness({ upstream: url });
  const out = harness.send("POST", "/v1/messages", { body: { ...HELLO, stream: true } });
  out.end();
  const answer = await new Promise<NodeJS.ReadableStream>((resolve) => out.once("response", resolve));
  await stalled;
  expect(sent).toBeLessThan(32);
  let bytes = 0;
  for await (const chunk of answer) bytes += chunk.length;
  expect(bytes).toBe(total * piece.length);
});

test("bodies that wait to be read whole are bounded for all jails together", async () => {
  harness = await createHarness();
  const piece = Buffer.alloc(1024 * 1024, 32);
  const waiting = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const out = harness.send("POST", "/v1/messages");
      const answer = answerOf(out).catch(() => null); // those that are given up by this test
      for (let sent = 0; sent < 30; sent += 1) {
        if (!out.write(piece)) await Promise.race([once(out, "drain"), answer]);
      }
      return { out, answer };
    }),
  );
  const statuses: (number | undefined)[] = [];
  for (const { answer } of waiting) void answer.then((one) => statuses.push(one?.status));
  await until(() => statuses.length > 0, "a refusal");
  expect(statuses).toEqual([429]);
  for (const { out } of waiting) out.destroy();
  expect((await harness.post(HELLO)).status).toBe(200);
});

test("H10: a client that goes mid-answer stops the API's work, and the cut answer is charged", async () => {
  harness = await createHarness({
    script: () => ({ kind: "hang", afterText: "x".repeat(400), usage: { inputTokens: 1000 } }),
  });
  const out = harness.send("POST", "/v1/messages", { body: { ...HELLO, stream: true } });
  out.end();
  let text = "";
  await new Promise<void>((resolve) => {
    out.once("response", (answer) => {
      answer.on("error", () => undefined);
      answer.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.split("text_delta").length > 16) resolve();
      });
    });
  });
  out.destroy();
  expect(await harness.api.requests[0]?.finished).toBe("gone");
  const [final] = await harness.finals(1);
  expect(final).toMatchObject({
    inputTokens: 1000,
    isCut: true,
    outputTokens: 100,
    costMicroUsd: 4000 + 2000,
  });
  expect(harness.usages.map(({ requestId }) => requestId)).toEqual([final?.requestId, final?.requestId]);
});

test("a client that goes before any answer is charged for what it sent; one that never finished sending is not", async () => {
  let release: () => void = () => undefined;
  harness = await createHarness({
    script: () =>
      new Promise((resolve) => {
        release = () => resolve(reply("late"));
      }),
  });
  const arrived = new Promise<void>((resolve) => void harness.api.onRequest(() => resolve()));
  const out = harness.send("POST", "/v1/messages", { body: { ...HELLO, filler: "y".repeat(40_000) } });
  out.on("error", () => undefined);
  out.end();
  await arrived;
  out.destroy();
  const [final] = await harness.finals(1);
  expect(final).toMatchObject({ isCut: true, isFinal: true, model: "claude-opus-5-5", outputTokens: 10 });
  expect(final?.inputTokens).toBeGreaterThan(10_000);
  release();

  const unfinished = harness.send("POST", "/v1/messages", { body: '{"model":"claude-opus-5-5",' });
  unfinished.on("error", () => undefined);
  unfinished.flushHeaders();
  await new Promise((resolve) => unfinished.once("socket", (socket) => socket.once("connect", resolve)));
  unfinished.destroy();
  expect((await harness.post(HELLO, { "x-api-key": "wrong" })).status).toBe(401);
  expect(harness.usages).toHaveLength(1);
});

test("an answer that breaks upstream breaks for the client as well, after everything that came", async () => {
  harness = await createHarness({
    script: () => ({ kind: "cut", afterText: "half an answer", usage: { inputTokens: 10 } }),
  });
  const answer = await harness.post({ ...HELLO, stream: true });
  expect(answer.broke).toBe(true);
  expect(answer.text).toContain("half an answer");
  expect(await harness.finals(1)).toMatchObject([{ isCut: true, inputTokens: 10, outputTokens: 4 }]);
});

test("releasing a lease ends its requests on both sides and charges them to who paid at their start", async () => {
  harness = await createHarness({
    script: () => ({ kind: "hang", afterText: "abcd", usage: { inputTokens: 5 } }),
  });
  const answer = harness.post({ ...HELLO, stream: true });
  await harness.firstUsage();
  harness.lease.setPayer(null);
  harness.lease.release();
  expect((await answer).broke).toBe(true);
  expect(await harness.api.requests[0]?.finished).toBe("gone");
  expect(await harness.finals(1)).toMatchObject([{ isCut: true, inputTokens: 5 }]);
});

test("a whole stream is charged twice under one id: at its start and, finally, before its end is passed on", async () => {
  harness = await createHarness({
    script: () => ({
      ...reply("hello"),
      usage: {
        inputTokens: 100,
        cacheWrite5mTokens: 200,
        cacheWrite1hTokens: 300,
        cacheReadTokens: 400,
        outputTokens: 50,
      },
    }),
  });
  await harness.post({ ...HELLO, stream: true });
  const counts = { inputTokens: 100, cacheWrite5mTokens: 200, cacheWrite1hTokens: 300, cacheReadTokens: 400 };
  const input = 100 * 4 + 200 * 5 + 300 * 8 + 400 * 0.2;
  expect(harness.usages).toMatchObject([
    {
      ...counts,
      outputTokens: 1,
      isFinal: false,
      isCut: false,
      costMicroUsd: input + 20,
      model: "claude-opus-5-5",
    },
    { ...counts, outputTokens: 50, isFinal: true, isCut: false, costMicroUsd: input + 50 * 20 },
  ]);
  expect(harness.usages[0]?.requestId).toBe(harness.usages[1]?.requestId);
});

test("a JSON answer is charged once; error answers and token counts cost nothing", async () => {
  let isBroken = false;
  harness = await createHarness({
    script: () =>
      isBroken
        ? fail(529, "overloaded_error")
        : { ...reply("x"), usage: { inputTokens: 7, outputTokens: 3 } },
  });
  await harness.post(HELLO);
  expect(harness.usages).toMatchObject([
    { inputTokens: 7, outputTokens: 3, isFinal: true, isCut: false, costMicroUsd: 88 },
  ]);
  isBroken = true;
  expect((await harness.post(HELLO)).status).toBe(529);
  await harness.ask("POST", "/v1/messages/count_tokens", { body: HELLO });
  expect(harness.usages).toHaveLength(1);
});

test("the model that answered is the one that is named and priced, also when nobody chose it", async () => {
  harness = await createHarness({
    script: () => ({
      ...reply("x"),
      usage: { inputTokens: 1_000_000, outputTokens: 1 },
      model: "claude-fable-5-20260101",
    }),
  });
  await harness.post({ ...HELLO, stream: true });
  expect(await harness.finals(1)).toMatchObject([
    { model: "claude-fable-5-20260101", costMicroUsd: 10_000_050 },
  ]);
});

test("an unknown name in the answer is priced as the model that was asked for; both unknown, as the dearest, and said once", async () => {
  harness = await createHarness({
    script: () => ({
      ...reply("x"),
      usage: { inputTokens: 1_000_000, outputTokens: 0 },
      model: "my-gateway-model",
    }),
  });
  await harness.post({ ...HELLO, stream: true });
  await harness.post({ ...HELLO, model: "new-model", stream: true });
  const finals = await harness.finals(2);
  expect(finals.map(({ costMicroUsd }) => costMicroUsd)).toEqual([4_000_020, 15_000_075]);
  const warnings = harness.logged.filter((line) => line.includes("egress.unknown_model"));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain("my-gateway-model");
});

test("sixteen requests of a lease run at once, the next is told to wait, and places come back", async () => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  harness = await createHarness({
    script: async () => {
      await gate;
      return reply("x");
    },
  });
  let count = 0;
  const all = new Promise<void>((resolve) => {
    harness.api.onRequest(() => {
      count += 1;
      if (count === 16) resolve();
    });
  });
  const running = Array.from({ length: 16 }, () => harness.post(HELLO));
  await all;
  expect((await harness.post(HELLO)).status).toBe(429);
  const other = harness.leases.open();
  other.setPayer(harness.payer);
  const others = harness.post(HELLO, { "x-api-key": other.token });
  open();
  expect((await Promise.all([...running, others])).map(({ status }) => status)).toEqual(Array(17).fill(200));
  expect((await harness.post(HELLO)).status).toBe(200);
});

test("one connection serves request after request, also after a refusal with an unread body", async () => {
  harness = await createHarness();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const once = (token: string, bytes: number) => {
    const out = request({
      socketPath: harness.proxy.socketPath,
      method: "POST",
      path: "/v1/messages",
      headers: { "x-api-key": token },
      agent,
    });
    out.end(JSON.stringify({ ...HELLO, filler: "x".repeat(bytes) }));
    return answerOf(out);
  };
  expect((await once("wrong", 2_000_000)).status).toBe(401);
  expect((await once(harness.lease.token, 10)).status).toBe(200);
  expect((await once(harness.lease.token, 10)).status).toBe(200);
  agent.destroy();
});

test("an API that answers before it has read the request leaves the client's connection usable", async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end('{"model":"claude-opus-5-5","usage":{"input_tokens":1,"output_tokens":1}}');
  });
  harness = await createHarness({ upstream: url });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const options = { socketPath: harness.proxy.socketPath, method: "POST", path: "/v1/messages", agent };
  for (let round = 0; round < 2; round += 1) {
    const out = request({ ...options, headers: { "x-api-key": harness.lease.token } });
    const answer = answerOf(out);
    out.end(
      JSON.stringify({ ...HELLO, messages: [{ role: "user", content: "x".repeat(16 * 1024 * 1024) }] }),
    );
    expect((await answer).status).toBe(200);
  }
  agent.destroy();
});

test.each([
  ["garbage", "\u0000\u0001\r\n\r\n"],
  ["CONNECT", "CONNECT api.anthropic.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["an upgrade", "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"],
  [
    "two lengths",
    "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
])("%s on the socket reaches nobody and harms nobody", async (_name, bytes) => {
  harness = await createHarness();
  const socket = connect(harness.proxy.socketPath);
  socket.end(bytes);
  await new Promise((resolve) => {
    socket.on("error", () => undefined);
    socket.once("close", resolve);
    socket.resume();
  });
  expect((await harness.post(HELLO)).status).toBe(200);
  expect(harness.api.requests).toHaveLength(1);
});

test("refusals are logged without a flood: once in ten seconds, with what was left out", async () => {
  harness = await createHarness();
  for (let round = 0; round < 20; round += 1) await harness.post(HELLO, { "x-api-key": "wrong" });
  expect(harness.logged.filter((line) => line.includes("egress.refused"))).toHaveLength(1);
  expect(harness.logged.join("")).not.toContain("wrong");
});

test("closing ends what is under way and takes the socket away", async () => {
  harness = await createHarness({ script: () => ({ kind: "hang", afterText: "x" }) });
  const answer = harness.post({ ...HELLO, stream: true });
  await harness.firstUsage();
  await harness.proxy.close();
  expect(harness.usages.at(-1)).toMatchObject({ isFinal: true, isCut: true });
  expect((await answer).broke).toBe(true);
  await expect(harness.post(HELLO)).rejects.toThrow(/ENOENT/);
});

test("H52: no place stays taken, in whatever way requests end: after many of each kind the next one is answered", async () => {
  const answers: Readonly<Record<string, RequestListener>> = {
    dies: (incoming) => void incoming.socket.destroy(),
    cut: (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("event: ping\n\n", () => response.destroy());
    },
    redirect: (_, response) => void response.writeHead(302, { location: "http://elsewhere.test/" }).end(),
    packed: (_, response) => void response.writeHead(200, { "content-encoding": "gzip" }).end("x"),
    error: (_, response) => void response.writeHead(500).end("{}"),
    fine: (_, response) => void response.writeHead(200, { "content-type": "application/json" }).end("{}"),
    silent: () => undefined,
  };
  const upstream = await serve((incoming, response) => {
    answers[String(incoming.headers["user-agent"])]?.(incoming, response);
  });
  harness = await createHarness({ upstream });
  const headers = (agent: string) => ({ "x-api-key": harness.lease.token, "user-agent": agent });
  const left = async (agent: string, isWhole: boolean): Promise<void> => {
    const out = harness.send("POST", "/v1/messages", { body: HELLO, headers: headers(agent) });
    out.on("error", () => undefined);
    const closed = new Promise((resolve) => out.once("close", resolve));
    if (isWhole) out.end();
    await new Promise((resolve) => setTimeout(resolve, 5)); // it is under way
    out.destroy();
    await closed;
  };
  for (let round = 0; round < MANY; round += 1) {
    for (const agent of ["dies", "cut", "redirect", "packed", "error", "fine"])
      await harness.post(HELLO, headers(agent)).catch(() => null); // a broken answer is one of the ends
    await left("silent", true);
    await left("silent", false);
    harness.lease.setPayer({
      ...harness.payer,
      onUsage: () => {
        throw new Error("the database is closed");
      },
    });
    await harness.post(HELLO, headers("fine"));
    harness.lease.setPayer(harness.payer);
  }
  expect((await harness.post(HELLO, headers("fine"))).status).toBe(200);
});

test("H32: the barrier of a lease is waited for after the last byte of a request, and what was given up by then reaches nobody", async () => {
  harness = await createHarness();
  const barrier = Promise.withResolvers<void>();
  let waits = 0;
  harness.lease.setBarrier(() => {
    waits += 1;
    return barrier.promise;
  });
  const body = JSON.stringify(HELLO);
  const out = harness.send("POST", "/v1/messages");
  const answer = answerOf(out);
  out.write(body.slice(0, 20));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(waits).toBe(0);
  out.end(body.slice(20));
  await until(() => waits === 1, "the barrier");
  harness.lease.release();
  barrier.resolve();
  expect((await answer).status).toBe(401);
  expect(harness.api.requests).toHaveLength(0);
});
