import { once } from "node:events";
import { createServer, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createBodyReader } from "../../src/egress/read-body.ts";

const KIB = 1_024;

/** A server that reads bodies of at most 100 KiB together, and answers when it is told. */
async function createServing() {
  const { read } = createBodyReader({ maxBytes: 60 * KIB, maxTotalBytes: 100 * KIB });
  const outcomes: (number | string)[] = [];
  const open: ServerResponse[] = [];
  const server = createServer((request, response) => {
    void read(request, response).then((outcome) => {
      outcomes.push(typeof outcome === "string" ? outcome : outcome.length);
      if (typeof outcome === "string") response.end(outcome);
      else open.push(response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const send = (bytes: number) => {
    const sent = httpRequest({ port, host: "127.0.0.1", method: "POST", agent: false });
    sent.on("error", () => undefined).end(Buffer.alloc(bytes));
    return sent;
  };
  const count = async (wanted: number): Promise<void> => {
    while (outcomes.length < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { outcomes, open, send, count };
}

test("a body counts until its answer is over: what waits, or is under way, keeps others out", async () => {
  const { outcomes, open, send, count } = await createServing();
  send(50 * KIB);
  await count(1);
  send(40 * KIB);
  await count(2);
  send(20 * KIB);
  await count(3);
  expect(outcomes).toEqual([50 * KIB, 40 * KIB, "busy"]);

  const [first] = open;
  first?.end("done");
  await once(first as ServerResponse, "close");
  send(20 * KIB);
  await count(4);
  expect(outcomes[3]).toBe(20 * KIB);
});

test("one whose client went away counts no longer, and one that was too large never did for long", async () => {
  const { outcomes, open, send, count } = await createServing();
  const gone = send(50 * KIB);
  await count(1);
  send(61 * KIB);
  await count(2);
  const [held] = open;
  gone.destroy();
  await once(held as ServerResponse, "close");
  send(60 * KIB);
  await count(3);
  expect(outcomes).toEqual([50 * KIB, "too_large", 60 * KIB]);
});
