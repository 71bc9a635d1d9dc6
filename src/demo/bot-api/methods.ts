import type { z } from "zod";
import type { Now } from "../../domain/clock.ts";
import type { Callbacks } from "./callbacks.ts";
import type { Chats } from "./chats.ts";
import type { Files } from "./files.ts";
import type { Flood } from "./flood.ts";
import { parseParams } from "./params.ts";
import type { Payload } from "./payload.ts";
import type { Change } from "./types.ts";
import type { Updates } from "./updates.ts";

/** What a method gives: its result, the same as JSON, and the updates in it (for getUpdates the result is their ids). */
interface MethodResult {
  readonly result: unknown;
  readonly json: string;
  readonly updateIds: readonly number[];
}

/** A method of the Bot API. Throws or rejects with an `ApiFailure`. */
export type Method = (payload: Payload) => MethodResult | Promise<MethodResult>;

/** Methods by name, in Telegram's spelling. */
export type MethodTable = Readonly<Record<string, Method>>;

/** What methods work on. */
export interface MethodDeps {
  readonly now: Now;
  readonly chats: Chats;
  readonly updates: Updates;
  readonly files: Files;
  readonly callbacks: Callbacks;
  readonly flood: Flood;
  readonly emit: (change: Change) => void;
}

/** A method from the shape of its parameters and what it does with them. */
export function method<S extends z.ZodType>(
  schema: S,
  run: (params: z.output<S>, payload: Payload) => unknown,
): Method {
  return (payload) => {
    const result = run(parseParams(schema, payload), payload);
    return { result, json: JSON.stringify(result), updateIds: [] };
  };
}
