import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test } from "vitest";
import type { Internet, NetRefused, NetTarget, NetVerdict, Tunnel } from "../../src/domain/net.ts";
import { createLeases } from "../../src/egress/leases.ts";
import { createNetGate, type NetGate } from "../../src/egress/net-gate.ts";
import { createLogger } from "../../src/log/logger.ts";
import { NO_NET } from "../support/far-side.ts";
import { until } from "../support/until.ts";

const PUBLIC = "93.184.216.34";
let gate: NetGate;
afterEach(() => gate.close());

/** A gate before a machine that echoes, which every name leads to unless `addresses` says otherwise. */
async function open(addresses: readonly string[] = [PUBLIC], hasPort = false) {
  const machine = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  machine.listen(0, "127.0.0.1");
  await once(machine, "listening");
  onTestFinished(() => void machine.close());
  const at = machine.address();
  const port = typeof at === "object" ? (at?.port ?? 0) : 0;
  const dialled: string[] = [];
  const internet: Internet = {
    lookup: async () => addresses,
    connect: ({ address }) => {
      dialled.push(address);
      return connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    },
  };
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const leases = createLeases();
  gate = await createNetGate({
    socketPath: join(mkdtempSync(join(tmpdir(), "net-")), "net.sock"),
    hasPort,
    leases,
    internet,
    log: createLogger({ level: "debug", format: "json", secretValues: [], destination }),
    now: Date.now,
  });
  const lease = leases.open();
  const asked: NetTarget[] = [];
  const tunnels: Tunnel[] = [];
  const refused: NetRefused[] = [];
  const allow = (verdict: NetVerdict | Promise<NetVerdict> = { kind: "allow" }) =>
    lease.setNet({
      ...NO_NET,
      mayConnect: async (target) => {
        asked.push(target);
        return verdict;
      },
      onTunnel: (tunnel) => void tunnels.push(tunnel),
      onRefused: (one) => void refused.push(one),
    });
  return { leases, lease, dialled, asked, tunnels, refused, allow, lines };
}

/** Opens a tunnel and gives the answer's first line, and the socket. */
async function ask(
  target: string,
  token: string,
  at: { readonly path: string } | { readonly port: number } = { path: gate.socketPath },
): Promise<{ status: string; socket: Socket }> {
  const socket = connect(at);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  const credentials = Buffer.from(`jail:${token}`).toString("base64");
  socket.write(
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`,
  );
  const [head]: unknown[] = await once(socket, "data");
  return { status: String(head).split("\r\n")[0] ?? "", socket };
}

test("the filter answers on a port of the loopback too, where that was asked for, and to its tokens alone", async () => {
  const { lease, allow } = await open([PUBLIC], true);
  allow();
  const at = { port: gate.port ?? 0 };
  expect((await ask("api.example.com:443", lease.token, at)).status).toBe(
    "HTTP/1.1 200 Connection established",
  );
  expect((await ask("api.example.com:443", "guessed", at)).status).toContain("407");
  await gate.close();
  await expect(once(connect(at), "connect")).rejects.toThrow("ECONNREFUSED");
});

test("what the policy allows is carried both ways, half-closed too, and counted", async () => {
  const { lease, asked, tunnels, allow, dialled } = await open();
  allow();
  const { status, socket } = await ask("API.Example.com.:443", lease.token);
  expect(status).toBe("HTTP/1.1 200 Connection established");
  socket.end("x".repeat(100_000));
  let bytes = 0;
  for await (const chunk of socket) bytes += Buffer.byteLength(chunk);
  expect(bytes).toBe(100_000);
  await until(() => tunnels.length === 1, "the record of it");
  expect(tunnels[0]).toMatchObject({
    host: "api.example.com",
    port: 443,
    bytesIn: 100_000,
    bytesOut: 100_000,
  });
  expect(asked).toEqual([{ host: "api.example.com", port: 443 }]);
  expect(dialled).toEqual([PUBLIC]);
});

test.each([
  "127.0.0.1:443",
  "[::1]:443",
  "localhost:80",
  "2130706433:443",
  "example.com:0",
  "example.com",
  "a.local:443",
])("%s is refused without anybody being asked", async (target) => {
  const { lease, asked, allow, dialled } = await open();
  allow();
  expect((await ask(target, lease.token)).status).toMatch(/^HTTP\/1.1 4/);
  expect([asked, dialled]).toEqual([[], []]);
});

test.each([
  ["a private address", ["10.0.0.1"]],
  ["the clouds' metadata", ["169.254.169.254"]],
  ["a private address among public ones", [PUBLIC, "127.0.0.1"]],
  ["a mapped address", ["::ffff:127.0.0.1"]],
  ["no address", []],
])("a name that leads to %s is not dialled, though it was allowed", async (_what, addresses) => {
  const { lease, allow, dialled } = await open(addresses);
  allow();
  expect((await ask("rebind.example.com:443", lease.token)).status).toMatch(
    /^HTTP\/1.1 502 Sallyport: rebind/,
  );
  expect(dialled).toEqual([]);
});

test("a denial's words are the answer's, on one line", async () => {
  const { lease, allow } = await open();
  allow({ kind: "deny", cause: "denied", reason: "nobody\r\nX-Injected: 1 allows ünicode" });
  expect((await ask("a.example.com:443", lease.token)).status).toBe(
    "HTTP/1.1 403 Sallyport: nobody??X-Injected: 1 allows ?nicode",
  );
});

test("without a token of a lease, with one that was given back, and between turns nothing is reached", async () => {
  const { lease, leases, allow, dialled } = await open();
  expect((await ask("a.example.com:443", lease.token)).status).toContain("403 Sallyport: No turn is running");
  allow();
  expect((await ask("a.example.com:443", "wrong")).status).toContain(" 407 ");
  const other = leases.open();
  expect((await ask("a.example.com:443", other.token)).status).toContain("403 Sallyport: No turn is running");
  lease.release();
  expect((await ask("a.example.com:443", lease.token)).status).toContain(" 407 ");
  expect(dialled).toEqual([]);
});

test("a lease that is given back cuts what goes through at once, and what waits for an answer", async () => {
  const { lease, allow } = await open();
  allow();
  const { socket } = await ask("a.example.com:443", lease.token);
  const verdict = Promise.withResolvers<NetVerdict>();
  allow(verdict.promise);
  const waiting = connect(gate.socketPath);
  waiting.on("error", () => undefined);
  const credentials = Buffer.from(`jail:${lease.token}`).toString("base64");
  waiting.write(
    `CONNECT b.example.com:443 HTTP/1.1\r\nHost: b\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`,
  );
  const ends = [socket, waiting].map((one) => once(one, "close"));
  socket.resume();
  waiting.resume();
  await new Promise((resolve) => setTimeout(resolve, 100));
  lease.release();
  verdict.resolve({ kind: "allow" });
  await Promise.all(ends);
});

test("nothing is passed on before the barrier of the lease has been waited for", async () => {
  const { lease, allow, asked } = await open();
  allow();
  const barrier = Promise.withResolvers<void>();
  lease.setBarrier(() => barrier.promise);
  const asking = ask("a.example.com:443", lease.token);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(asked).toEqual([]);
  lease.release();
  barrier.resolve();
  expect((await asking).status).toContain("403");
  expect(asked).toEqual([]);
});

test("plain requests are refused, and the token gets into no line of the log", async () => {
  const { lease, allow, lines } = await open();
  allow();
  const socket = connect(gate.socketPath);
  const credentials = Buffer.from(`jail:${lease.token}`).toString("base64");
  socket.write(
    `GET http://example.com/ HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`,
  );
  const [head]: unknown[] = await once(socket, "data");
  socket.destroy();
  expect(String(head)).toMatch(/^HTTP\/1.1 403 Only https is reachable from here/);
  expect(lines.join("")).not.toContain(lease.token);
  expect(lines.join("")).not.toContain(credentials);
});

test("what the gate itself refuses is told with its place and reason, without anything else that was sent", async () => {
  const { lease, allow, refused } = await open(["10.0.0.1"]);
  allow();
  for (const target of ["127.0.0.1:80", "[::1]:443", "secret@evil.example.com:443", "x".repeat(4_000)])
    await ask(target, lease.token);
  await ask("rebind.example.com:443", lease.token);
  const socket = connect(gate.socketPath);
  const credentials = Buffer.from(`jail:${lease.token}`).toString("base64");
  socket.write(
    `GET http://user:secret@example.com:8080/secret?secret=1 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`,
  );
  await once(socket, "data");
  socket.destroy();
  expect(refused).toEqual([
    { host: "127.0.0.1", port: 80, reason: "no_public_name" },
    { host: "[::1]", port: 443, reason: "no_public_name" },
    { host: "unreadable", port: null, reason: "no_public_name" },
    { host: "unreadable", port: null, reason: "no_public_name" },
    { host: "rebind.example.com", port: 443, reason: "private_address" },
    { host: "example.com", port: 8080, reason: "not_https" },
  ]);
});
