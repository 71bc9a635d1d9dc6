import { onTestFinished } from "vitest";
import { z } from "zod";
import type { BotApi, BotApiOptions } from "../../src/demo/bot-api/api.ts";
import { createBotApi } from "../../src/demo/bot-api/bot-api.ts";
import type { PersonChat } from "../../src/demo/bot-api/person.ts";

export const TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

/** What came over the wire: the HTTP status and the parsed body. */
export interface Reply {
  readonly status: number;
  readonly ok: boolean;
  readonly result: unknown;
  readonly description: string;
  readonly headers: Headers;
}

export interface Served {
  readonly api: BotApi;
  readonly root: string;
  /** A person of id 7 in a private chat that the bot knows. */
  readonly alice: PersonChat;
  /** The server's clock, to be turned by hand. */
  readonly clock: { ms: number };
  readonly call: (method: string, payload?: object) => Promise<Reply>;
}

const replyShape = z.looseObject({
  ok: z.boolean(),
  result: z.unknown().optional(),
  description: z.string().default(""),
});

/** What lies in a value under these keys, one inside the other. */
export function dig(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((inner, key) => z.looseObject({}).parse(inner)[key], value);
}

/** The updates of a getUpdates reply. */
export function updatesOf({
  result,
}: Reply): readonly { readonly [field: string]: unknown; update_id: number }[] {
  return z.array(z.looseObject({ update_id: z.number() })).parse(result);
}

/** A server that listens for the length of one test, with a clock that stands still until it is turned. */
export async function serve(options: Partial<BotApiOptions> = {}): Promise<Served> {
  const clock = { ms: 1_800_000_000_000 };
  const api = createBotApi({ token: TOKEN, now: () => clock.ms, ...options });
  const root = await api.listen();
  onTestFinished(() => api.close());
  const alice = api.user({ id: 7, firstName: "Alice", username: "alice" }).chat();
  alice.open();
  const call = (method: string, payload: object = {}): Promise<Reply> =>
    post(`${root}/bot${TOKEN}/${method}`, JSON.stringify(payload));
  return { api, root, alice, clock, call };
}

export async function post(
  url: string,
  body: string | FormData | Buffer<ArrayBuffer>,
  contentType?: string,
): Promise<Reply> {
  const type = contentType ?? (typeof body === "string" ? "application/json" : null);
  const response = await fetch(url, {
    method: "POST",
    body,
    ...(type === null ? {} : { headers: { "content-type": type } }),
  });
  const reply = replyShape.parse(await response.json());
  return { ...reply, result: reply.result, status: response.status, headers: response.headers };
}
