import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecret } from "../../src/config/secret.ts";
import { reply } from "../../src/demo/messages-api/scripts.ts";
import { createMessagesApi } from "../../src/demo/messages-api/server.ts";
import type { ModelScript } from "../../src/demo/messages-api/types.ts";
import type { ApiUsage, Payer } from "../../src/domain/usage.ts";
import { createLeases } from "../../src/egress/leases.ts";
import { createPriceTable } from "../../src/egress/prices.ts";
import { createCredentialProxy } from "../../src/egress/proxy.ts";
import { createLogger } from "../../src/log/logger.ts";

export const REAL = "sk-real-credential-0123456789";
export const HELLO = {
  model: "claude-opus-5-5",
  max_tokens: 10,
  messages: [{ role: "user", content: "hi" }],
};

/** What came back through the socket. `broke` when the connection ended before the answer did. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly broke: boolean;
}

interface Options {
  readonly script?: ModelScript;
  readonly kind?: "api-key" | "subscription";
  /** In place of the scripted API. */
  readonly upstream?: string;
}

/** A proxy on a real socket before a scripted API, with one open lease whose payer agrees and remembers. */
export async function createHarness({
  script = () => reply("hello"),
  kind = "api-key",
  upstream,
}: Options = {}) {
  const folder = await mkdtemp(join(tmpdir(), "egress-"));
  const api = createMessagesApi({ script });
  const url = await api.listen();
  const logged: string[] = [];
  // No secret values are handed in: what the proxy lets slip would be seen.
  const log = createLogger({
    level: "debug",
    format: "json",
    secretValues: [],
    destination: { write: (line) => logged.push(line) },
  });
  const leases = createLeases();
  const proxy = await createCredentialProxy({
    leases,
    socketPath: join(folder, "api.sock"),
    upstream: upstream ?? url,
    credential: { kind, value: createSecret(REAL) },
    prices: createPriceTable(),
    log,
    now: () => 0,
  });
  const usages: ApiUsage[] = [];
  const waiting = new Set<() => void>();
  const payer: Payer = {
    mayStart: () => ({ kind: "ok" }),
    onUsage: (usage) => {
      usages.push(usage);
      for (const look of waiting) look();
    },
  };
  const lease = leases.open();
  lease.setPayer(payer);

  const send = (
    method: string,
    path: string,
    given: { body?: unknown; headers?: Record<string, string> } = {},
  ) => {
    const headers = given.headers ?? { "x-api-key": lease.token };
    const out = request({ socketPath: proxy.socketPath, method, path, headers, agent: false });
    if (given.body !== undefined)
      out.write(typeof given.body === "string" ? given.body : JSON.stringify(given.body));
    return out;
  };
  return {
    folder,
    api,
    proxy,
    leases,
    lease,
    payer,
    usages,
    logged,
    /** Opens a request; the caller ends it. */
    send,
    /** Sends a request and reads the whole answer. */
    ask: (method: string, path: string, given: { body?: unknown; headers?: Record<string, string> } = {}) => {
      const out = send(method, path, given);
      out.end();
      return answerOf(out);
    },
    /** POST /v1/messages with the lease's token. */
    post: (body: unknown, headers?: Record<string, string>) => {
      const out = send("POST", "/v1/messages", headers === undefined ? { body } : { body, headers });
      out.end();
      return answerOf(out);
    },
    /** Resolves when the final usage number `count` has been reported. */
    finals: (count: number) =>
      new Promise<readonly ApiUsage[]>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`usages: ${JSON.stringify(usages)}`)), 5000);
        const look = () => {
          const finals = usages.filter(({ isFinal }) => isFinal);
          if (finals.length < count) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(finals);
        };
        waiting.add(look);
        look();
      }),
    /** Resolves at the first report of a usage. */
    firstUsage: () =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (usages.length === 0) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    dispose: async () => {
      await proxy.close();
      await api.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The port of a server that listens on TCP. */
export function portOf(server: { readonly address: () => ReturnType<Server["address"]> }): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on TCP");
  return address.port;
}

/** Reads what a request is answered. Rejects when the connection ends before any answer. */
export function answerOf(out: ReturnType<typeof request>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    out.once("error", reject);
    out.once("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("error", () => undefined); // `close` follows
      answer.once("close", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, broke: !answer.complete }),
      );
    });
  });
}
