import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { NetVerdict } from "../../src/domain/net.ts";
import { createLeases } from "../../src/egress/leases.ts";
import { createNetGate } from "../../src/egress/net-gate.ts";
import { createLogger } from "../../src/log/logger.ts";
import { NO_NET } from "../support/far-side.ts";
import { until } from "../support/until.ts";

async function open() {
  const machine = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  machine.listen(0, "127.0.0.1");
  await once(machine, "listening");
  const at = machine.address();
  const port = typeof at === "object" ? (at?.port ?? 0) : 0;
  const dialled: string[] = [];
  const leases = createLeases();
  const gate = await createNetGate({
    socketPath: join(mkdtempSync(join(tmpdir(), "net-")), "net.sock"),
    leases,
    internet: {
      lookup: async () => ["93.184.216.34"],
      connect: ({ address }) => {
        dialled.push(address);
        return connect({ host: "127.0.0.1", port, allowHalfOpen: true });
      },
    },
    log: createLogger({ level: "error", format: "json", secretValues: [] }),
    now: Date.now,
  });
  const lease = leases.open();
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    lease.release();
    await gate.close();
    machine.close();
  });
  const dialIn = (host: string): Socket => {
    const socket = connect(gate.socketPath);
    sockets.push(socket);
    socket.on("error", () => undefined);
    const credentials = Buffer.from(`jail:${lease.token}`).toString("base64");
    socket.write(
      `CONNECT ${host}:443 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`,
    );
    return socket;
  };
  return { lease, dialled, dialIn };
}

test.each(["destroy", "end"] as const)(
  "a client that goes away while it is held (%s) gives its connection up",
  async (how) => {
    const { lease, dialIn } = await open();
    const signals: AbortSignal[] = [];
    const verdict = Promise.withResolvers<NetVerdict>();
    lease.setNet({
      ...NO_NET,
      mayConnect: (_target, signal) => {
        signals.push(signal);
        return verdict.promise;
      },
    });
    const socket = dialIn("a.example.com");
    await until(() => signals.length === 1, "the question");
    socket[how]();
    await until(() => signals[0]?.aborted === true, "the question withdrawn");
  },
);

test("a tunnel ends with the policy that let it through", async () => {
  const { lease, dialIn } = await open();
  lease.setNet({ ...NO_NET, mayConnect: async () => ({ kind: "allow" }), onTunnel: () => undefined });
  const socket = dialIn("a.example.com");
  await once(socket, "data");
  const closed = once(socket, "close");
  socket.resume();
  lease.setNet(null);
  await closed;
});

test("an answer that comes after the turn has ended opens nothing", async () => {
  const { lease, dialled, dialIn } = await open();
  const verdict = Promise.withResolvers<NetVerdict>();
  let asked = 0;
  lease.setNet({
    ...NO_NET,
    mayConnect: () => {
      asked += 1;
      return verdict.promise;
    },
    onTunnel: () => undefined,
  });
  const socket = dialIn("a.example.com");
  await until(() => asked === 1, "the question");
  lease.setNet(null);
  verdict.resolve({ kind: "allow" });
  socket.resume();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(dialled).toEqual([]);
});

test("many tunnels of one lease make no warning", async () => {
  const { lease, dialIn } = await open();
  const warnings: string[] = [];
  const listen = (warning: Error) => void warnings.push(warning.name);
  process.on("warning", listen);
  onTestFinished(() => void process.off("warning", listen));
  lease.setNet({ ...NO_NET, mayConnect: async () => ({ kind: "allow" }), onTunnel: () => undefined });
  await Promise.all(Array.from({ length: 40 }, () => once(dialIn("a.example.com"), "data")));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(warnings).toEqual([]);
});
