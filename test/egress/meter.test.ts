import { array, assert, integer, property, string } from "fast-check";
import { expect, test } from "vitest";
import type { ApiUsage, WireRequest } from "../../src/domain/usage.ts";
import { createEventLines } from "../../src/egress/event-lines.ts";
import { createMessageMeter, createStreamMeter } from "../../src/egress/meter.ts";
import { createPriceTable } from "../../src/egress/prices.ts";

const MODEL = "claude-opus-5-5";

function metered(
  kind: "stream" | "message",
  asked: Pick<WireRequest, "model" | "textBytes"> & Partial<WireRequest> = { model: MODEL, textBytes: 400 },
) {
  const reports: ApiUsage[] = [];
  const unknown: string[] = [];
  const deps = {
    requestId: "r",
    prices: createPriceTable(),
    asked: { hasTools: false, maxOutputTokens: 4_000, isStreamed: true, ...asked },
    report: (usage: ApiUsage) => reports.push(usage),
    onUnknownModel: (model: string) => unknown.push(model),
  };
  const meter = kind === "stream" ? createStreamMeter(deps) : createMessageMeter(deps);
  return { meter, reports, unknown };
}

const sse = (data: { readonly type: string; readonly [name: string]: unknown }) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const start = (usage: unknown, model = MODEL) =>
  sse({ type: "message_start", message: { id: "m", model, usage } });
const delta = (text: string) =>
  sse({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });
const messageDelta = (usage: unknown) => sse({ type: "message_delta", delta: {}, usage });
const STOP = sse({ type: "message_stop" });

test("any cutting of the bytes gives the same payloads, characters of several bytes included", () => {
  assert(
    property(
      array(string({ unit: "grapheme", maxLength: 40 }), { minLength: 1, maxLength: 8 }),
      array(integer({ min: 0, max: 500 }), { maxLength: 30 }),
      (texts, cuts) => {
        const payloads = texts.map((text) => JSON.stringify({ text }));
        const bytes = Buffer.from(payloads.map((payload) => `event: x\r\ndata: ${payload}\r\n\r\n`).join(""));
        const seen: unknown[] = [];
        const push = createEventLines((payload) => seen.push(JSON.parse(payload.toString("utf8"))));
        const edges = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
        for (let index = 1; index < edges.length; index += 1)
          push(bytes.subarray(edges[index - 1], edges[index]));
        expect(seen).toEqual(payloads.map((payload) => JSON.parse(payload)));
      },
    ),
  );
});

test("a line longer than 4 MiB is passed over, and the next one is read", () => {
  const seen: string[] = [];
  const push = createEventLines((payload) => seen.push(payload.toString()));
  const piece = Buffer.alloc(1024 * 1024, "x");
  push(Buffer.from("data: "));
  for (let round = 0; round < 6; round += 1) push(piece);
  push(Buffer.from("\ndata: next\n"));
  expect(seen).toEqual([" next"]);
});

test("any cutting of a stream gives the same two reports", () => {
  const text = 'Ünïcödé "message_start" and \\ 👋🏽\n';
  const bytes = Buffer.from(
    start({ input_tokens: 9, output_tokens: 1 }) + delta(text) + messageDelta({ output_tokens: 30 }) + STOP,
  );
  assert(
    property(array(integer({ min: 0, max: bytes.length }), { maxLength: 40 }), (cuts) => {
      const { meter, reports } = metered("stream");
      const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      for (let index = 1; index < edges.length; index += 1)
        meter.observe(bytes.subarray(edges[index - 1], edges[index]));
      meter.end("whole");
      expect(reports.map(({ isFinal, isCut, outputTokens }) => [isFinal, isCut, outputTokens])).toEqual([
        [false, false, 1],
        [true, false, 30],
      ]);
    }),
  );
});

test("text that looks like events inside a delta is text", () => {
  const { meter, reports } = metered("stream");
  const forged = start({ input_tokens: 0, output_tokens: 0 }, "claude-haiku-5-5") + STOP;
  meter.observe(
    Buffer.from(start({ input_tokens: 50, output_tokens: 1 }) + delta(forged) + delta(`x${forged}`)),
  );
  expect(reports).toHaveLength(1);
  meter.observe(Buffer.from(messageDelta({ output_tokens: 70 }) + STOP));
  expect(reports[1]).toMatchObject({ model: MODEL, inputTokens: 50, outputTokens: 70, isCut: false });
});

test("counts of the last message_delta win where they are larger, web searches and late input included", () => {
  const { meter, reports } = metered("stream");
  meter.observe(
    Buffer.from(
      start({
        input_tokens: 100,
        cache_creation_input_tokens: 30,
        cache_creation: { ephemeral_1h_input_tokens: 20, ephemeral_5m_input_tokens: 10 },
        cache_read_input_tokens: 5,
        output_tokens: 1,
      }) +
        messageDelta({ output_tokens: 10 }) +
        messageDelta({
          input_tokens: 150,
          cache_read_input_tokens: null,
          cache_creation_input_tokens: 36,
          output_tokens: 40,
          server_tool_use: { web_search_requests: 2 },
        }) +
        STOP,
    ),
  );
  expect(reports[1]).toMatchObject({
    inputTokens: 150,
    cacheWrite5mTokens: 16,
    cacheWrite1hTokens: 20,
    cacheReadTokens: 5,
    outputTokens: 40,
    costMicroUsd: 150 * 4 + 16 * 5 + 20 * 8 + 5 * 0.2 + 40 * 20 + 20_000,
  });
});

test("the fast and the US-only price are taken where the usage names them", () => {
  const { meter, reports } = metered("stream");
  const usage = { input_tokens: 1000, output_tokens: 1 };
  meter.observe(Buffer.from(start({ ...usage, speed: "fast", inference_geo: "us" })));
  meter.observe(Buffer.from(messageDelta({ output_tokens: 100 }) + STOP));
  expect(reports[1]?.costMicroUsd).toBe(((1000 * 8 + 100 * 40) * 11) / 10);
});

test("only the first message_start of an answer counts", () => {
  const { meter, reports } = metered("stream");
  const second = start({ input_tokens: 1, output_tokens: 1 }, "claude-haiku-5-5");
  meter.observe(Buffer.from(start({ input_tokens: 500, output_tokens: 1 }) + second + STOP));
  expect(reports.map(({ model, inputTokens }) => [model, inputTokens])).toEqual([
    [MODEL, 500],
    [MODEL, 500],
  ]);
});

test("H10: a cut answer counts the larger of the last cumulative count and a quarter of its bytes", () => {
  const cut = metered("stream");
  cut.meter.observe(Buffer.from(start({ input_tokens: 9, output_tokens: 1 }) + delta("ä".repeat(200))));
  cut.meter.end("cut");
  cut.meter.end("cut");
  expect(cut.reports).toHaveLength(2);
  expect(cut.reports[1]).toMatchObject({ outputTokens: 100, isFinal: true, isCut: true });

  const counted = metered("stream");
  counted.meter.observe(
    Buffer.from(
      start({ input_tokens: 9, output_tokens: 1 }) + delta("abcd") + messageDelta({ output_tokens: 300 }),
    ),
  );
  counted.meter.end("cut");
  expect(counted.reports[1]).toMatchObject({ outputTokens: 300, isCut: true });
});

test("a cut while thinking unseen counts the API's running estimates, summed over blocks", () => {
  const { meter, reports } = metered("stream");
  const thinking = (estimated_tokens: number) =>
    sse({
      type: "content_block_delta",
      index: 0,
      delta: { type: "thinking_delta", thinking: "", estimated_tokens },
    });
  meter.observe(
    Buffer.from(
      start({ input_tokens: 9, output_tokens: 1 }) +
        thinking(50) +
        thinking(120) +
        sse({ type: "content_block_stop", index: 0 }) +
        thinking(30) +
        sse({
          type: "content_block_delta",
          delta: { type: "signature_delta", signature: "s".repeat(4000) },
        }),
    ),
  );
  meter.end("cut");
  expect(reports[1]).toMatchObject({ outputTokens: 150, isCut: true });
});

test("a stream that ends as HTTP should, but without message_stop, is cut", () => {
  const { meter, reports } = metered("stream");
  const error = sse({ type: "error", error: { type: "overloaded_error", message: "x" } });
  meter.observe(Buffer.from(start({ input_tokens: 9, output_tokens: 1 }) + error));
  meter.end("whole");
  expect(reports[1]).toMatchObject({ isFinal: true, isCut: true, outputTokens: 1 });
});

test("an answer without readable usage is charged by the sizes of what was sent and received", () => {
  for (const usage of [{ input_tokens: -5 }, { input_tokens: "9" }, { input_tokens: 1.5 }, "none"]) {
    const { meter, reports } = metered("stream", { model: MODEL, textBytes: 4000 });
    meter.observe(Buffer.from(start(usage) + delta("abcdefgh") + STOP));
    meter.end("whole");
    expect(reports).toMatchObject([
      { model: MODEL, inputTokens: 1000, outputTokens: 2, isFinal: true, isCut: true },
    ]);
  }
  const { meter, reports } = metered("message", { model: MODEL, textBytes: 4000 });
  meter.observe(Buffer.from('{"model":"claude-opus-5-5","content":[]}'));
  meter.end("whole");
  expect(reports).toMatchObject([{ inputTokens: 1000, outputTokens: 10, isCut: true }]);
});

test("the guess for a prompt nobody counted is bounded, and an unknown model costs the dearest", () => {
  const { meter, reports, unknown } = metered("message", { model: "unknown", textBytes: 30_000_000 });
  meter.end("cut");
  expect(reports).toMatchObject([
    { model: "unknown", inputTokens: 1_000_000, outputTokens: 1, costMicroUsd: 15_000_075 },
  ]);
  expect(unknown).toEqual(["unknown"]);
});

test("a JSON message is metered whole, in whatever pieces it came", () => {
  const { meter, reports } = metered("message");
  const json = JSON.stringify({
    model: MODEL,
    content: [{ text: "ä" }],
    usage: { input_tokens: 3, output_tokens: 4 },
  });
  for (const byte of Buffer.from(json)) meter.observe(Buffer.from([byte]));
  expect(reports).toEqual([]);
  meter.end("whole");
  meter.end("cut");
  expect(reports).toMatchObject([
    { inputTokens: 3, outputTokens: 4, isFinal: true, isCut: false, costMicroUsd: 92 },
  ]);
});

test("no stream of bytes makes a meter throw, and every one ends with exactly one final report", () => {
  const event = string({ unit: "binary-ascii", maxLength: 30 }).map(
    (text) => `data: {"type":"message_start","message_delta":"${text}\n`,
  );
  assert(
    property(array(event), (events) => {
      const { meter, reports } = metered("stream");
      for (const piece of events) meter.observe(Buffer.from(piece));
      meter.end("cut");
      expect(reports.filter(({ isFinal }) => isFinal)).toHaveLength(1);
    }),
  );
});

test("H10: an answer that was to come whole and was cut is charged as if all had been written that was asked for", () => {
  const asked = { model: MODEL, textBytes: 400, isStreamed: false, maxOutputTokens: 4_000 };
  for (const body of ["", '{"id":"m"']) {
    const { meter, reports } = metered("message", asked);
    if (body !== "") meter.observe(Buffer.from(body));
    meter.end("cut");
    expect(reports).toMatchObject([{ isFinal: true, isCut: true, inputTokens: 100, outputTokens: 4_000 }]);
  }
  const { meter, reports } = metered("message", { ...asked, maxOutputTokens: null });
  meter.end("cut");
  expect(reports[0]?.outputTokens).toBe(128_000);
  const streamed = metered("message", { ...asked, isStreamed: true });
  streamed.meter.end("cut");
  expect(streamed.reports[0]?.outputTokens).toBe(1);
});
