import type { IncomingMessage, ServerResponse } from "node:http";
import type { Now } from "../../domain/clock.ts";
import { messageOf } from "../../domain/errors.ts";
import { type Answer, answer, jsonAnswer } from "./answering.ts";
import { readPayload } from "./body.ts";
import { ApiFailure, responseOf } from "./failure.ts";
import type { Files } from "./files.ts";
import type { Journal } from "./journal.ts";
import type { MethodTable } from "./methods.ts";
import type { Payload } from "./payload.ts";
import type { CallRecord, Intercept } from "./types.ts";

/** What a request's URL names. */
export interface Target {
  readonly kind: "method" | "file";
  readonly token: string;
  /** The method, or the path of the file. */
  readonly name: string;
  readonly query: URLSearchParams;
}

export interface CallsDeps {
  readonly now: Now;
  readonly methods: MethodTable;
  readonly files: Files;
  readonly journal: Journal;
  readonly intercept: Intercept;
  readonly onArrival: () => void;
  readonly onEnd: (record: CallRecord) => void;
}

/** One request and where its answer goes. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly out: ServerResponse;
  readonly target: Target;
  readonly signal: AbortSignal;
}

/**
 * Carries calls out: reads the payload, notes the call, asks for a fault, runs the method, answers.
 * A download of a file is a call of the method `file` with its `path`.
 */
export function createCalls(deps: CallsDeps): (arrival: Arrival) => Promise<void> {
  const { journal, methods } = deps;
  const byName = new Map(Object.entries(methods));
  const properNames = new Map([...byName.keys()].map((name) => [name.toLowerCase(), name]));

  const runMethod = async (name: string, payload: Payload): Promise<Answer> => {
    const found = byName.get(name);
    if (found === undefined) throw new ApiFailure(404, "Not Found: method not found");
    const { result, json, updateIds } = await found(payload);
    return { ...jsonAnswer({ ok: true, result }, `{"ok":true,"result":${json}}`), updateIds };
  };

  const readFile = (path: string): Answer => {
    const file = deps.files.byPath(path);
    if (file === undefined) throw new ApiFailure(404, "Not Found");
    return {
      response: { ok: true, result: path },
      body: file.content,
      contentType: "application/octet-stream",
      updateIds: [],
    };
  };

  return async ({ request, out, target, signal }) => {
    const payload = await orFailure(readPayload(request, target.query));
    const isFile = target.kind === "file";
    const method = isFile ? "file" : (properNames.get(target.name.toLowerCase()) ?? target.name);
    const fields = payload instanceof ApiFailure ? {} : payload.fields;
    const call = { method, payload: isFile ? { path: target.name } : fields, at: deps.now() };
    const end = journal.begin(call);
    deps.onArrival();
    const fault = deps.intercept(call) ?? null;
    const process = (): Promise<Answer> =>
      refusalsAsAnswers(() => {
        if (payload instanceof ApiFailure) throw payload;
        return isFile ? readFile(target.name) : runMethod(method, payload);
      });
    const { made, isAnswered } = await answer(fault, { out, process, signal, now: deps.now });
    const answeredAt = isAnswered ? deps.now() : null;
    const outcome = { response: made?.response ?? null, fault, answeredAt, updateIds: made?.updateIds ?? [] };
    deps.onEnd(end(outcome));
  };
}

/** A fault of this server's own shows as a 500, so that whoever calls it sees it. */
export function asFailure(error: unknown): ApiFailure {
  return error instanceof ApiFailure
    ? error
    : new ApiFailure(500, `Internal Server Error: ${messageOf(error)}`);
}

async function refusalsAsAnswers(run: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await run();
  } catch (error) {
    return jsonAnswer(responseOf(asFailure(error)));
  }
}

/** A payload that can not be read is refused when the call is processed; a client that went away ends the call. */
async function orFailure(reading: Promise<Payload>): Promise<Payload | ApiFailure> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ApiFailure) return error;
    throw error;
  }
}
