import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Api } from "grammy";
import { expect, onTestFinished, test } from "vitest";
import { createSockets } from "../../src/telegram/sockets.ts";

/** A server that counts its connections; what it is asked by `getMe` it answers at once, everything else when told. */
async function bench() {
  const held: ServerResponse[] = [];
  let connections = 0;
  const answer = (out: ServerResponse) => void out.end('{"ok":true,"result":true}');
  const server = createServer((request, out) => {
    if (request.url?.endsWith("/getMe")) answer(out);
    else held.push(out);
  });
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const apiRoot = `http://127.0.0.1:${port}`;
  const sockets = createSockets(apiRoot);
  const api = new Api("1:token", { apiRoot, baseFetchConfig: { agent: sockets.agent } });
  return { api, sockets, held, answer, connections: () => connections };
}

test("calls share a connection, and the first one after the idle ones are dropped takes a new one", async () => {
  const { api, sockets, connections } = await bench();
  for (let count = 0; count < 3; count += 1) await api.getMe();
  expect(connections()).toBe(1);
  sockets.dropIdle();
  await api.getMe();
  await api.getMe();
  expect(connections()).toBe(2);
  sockets.dropIdle();
  sockets.dropIdle();
});

test("a call that is under way when idle connections are dropped gets its answer", async () => {
  const { api, sockets, held, answer, connections } = await bench();
  await Promise.all([api.getMe(), api.getMe()]);
  const call = api.deleteWebhook();
  while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(connections()).toBe(2);
  sockets.dropIdle();
  held.forEach(answer);
  expect(await call).toBe(true);
});

test("over https, which the real Telegram speaks, the connections are TLS", () => {
  expect(createSockets("https://api.telegram.org").agent).toHaveProperty("protocol", "https:");
  expect(createSockets("http://127.0.0.1:1").agent).toHaveProperty("protocol", "http:");
});
