import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Payer, ProxyLease } from "../../src/domain/usage.ts";

/** The least of a credential proxy: knows its leases, asks who pays, passes the rest on. */
export interface TestProxy {
  readonly openLease: () => ProxyLease;
  readonly openLeases: () => number;
  /** How many of them somebody pays for. */
  readonly paidLeases: () => number;
  readonly close: () => Promise<void>;
}

/** Listens on a unix socket and forwards to `upstream`; refuses as the real one does, with 402. */
export async function createTestProxy(socketPath: string, upstream: string): Promise<TestProxy> {
  const payers = new Map<string, Payer | null>();
  const server = createServer((incoming, outgoing) => {
    const token = incoming.headers["x-api-key"] ?? incoming.headers.authorization?.replace("Bearer ", "");
    const payer = typeof token === "string" ? payers.get(token) : undefined;
    const verdict = payer?.mayStart() ?? { kind: "refuse", message: "Sallyport: nobody pays." };
    if (incoming.method !== "HEAD" && verdict.kind === "refuse") return refuse(outgoing, verdict.message);
    forward(incoming, outgoing, upstream);
  });
  await new Promise<void>((done) => server.listen(socketPath, done));
  return {
    openLease: () => {
      const token = `lease-${randomUUID()}`;
      payers.set(token, null);
      return {
        token,
        setPayer: (payer) => void (payers.has(token) && payers.set(token, payer)),
        setNet: () => undefined,
        setBarrier: () => undefined,
        release: () => void payers.delete(token),
      };
    },
    openLeases: () => payers.size,
    paidLeases: () => [...payers.values()].filter((payer) => payer !== null).length,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function refuse(outgoing: ServerResponse, message: string): void {
  outgoing.writeHead(402, { "content-type": "application/json", "x-should-retry": "false" });
  outgoing.end(JSON.stringify({ type: "error", error: { type: "billing_error", message } }));
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, upstream: string): void {
  const onward = request(
    new URL(incoming.url ?? "/", upstream),
    { method: incoming.method ?? "GET", headers: incoming.headers },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
      answer.on("error", () => outgoing.destroy());
    },
  );
  onward.on("error", () => outgoing.destroy());
  outgoing.on("close", () => onward.destroy());
  incoming.pipe(onward);
}
