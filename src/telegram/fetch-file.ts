import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request as requestTls } from "node:https";
import type { FetchEnd, FetchFile } from "../domain/attachment.ts";
import { DiskError } from "../domain/disk-error.ts";
import { http } from "../domain/http.ts";
import { backoffMs, pause } from "./backoff.ts";
import { type CallEnd, endOf, networkEnd } from "./call.ts";
import { createSockets } from "./sockets.ts";

interface FetchFileDeps {
  /** `getFile` of the Bot API. */
  readonly getFile: (
    fileId: string,
  ) => Promise<{ readonly file_path?: string | undefined; readonly file_size?: number | undefined }>;
  readonly apiRoot: string;
  readonly token: string;
  /** Of one attempt; four minutes unless given. */
  readonly timeoutMs?: number;
}

const ATTEMPTS = 3;
/** 20 MB take this at 85 kB/s. */
const TIMEOUT_MS = 240_000;
/** Silence that ends an attempt. */
const IDLE_MS = 30_000;
/** The paths that the Bot API gives; a server in local mode gives places on its own disk, which are none of ours. */
const FILE_PATH = /^\w[\w-]*(?:\.[\w-]+)*(?:\/\w[\w-]*(?:\.[\w-]+)*)*$/;

/** How one attempt ended. `again` may succeed at once. */
type Attempt = FetchEnd | { readonly kind: "again"; readonly cause: string };

/**
 * Makes what fetches files from the Bot API (`getFile`, then `/file/bot<token>/<path>`). Bytes are counted as they come: more than
 * were allowed ends it, whatever was declared, and another number than Telegram said is a failure. Tried three times. What was
 * written of a file that was not fetched is removed. Rejects with a `DiskError` when the disk does not take it.
 */
export function createFetchFile(deps: FetchFileDeps): FetchFile {
  const { apiRoot, token, timeoutMs = TIMEOUT_MS } = deps;
  const { agent } = createSockets(apiRoot);

  async function attempt(fileId: string, into: Parameters<FetchFile>[1]): Promise<Attempt> {
    const { maxBytes } = into;
    const told = await ended(endOf(deps.getFile(fileId)), into.signal);
    if (told === null) return { kind: "failed", cause: "stopped" };
    if (told.kind === "refused") return refusalOf(told);
    if (told.kind !== "ok") return { kind: "again", cause: told.cause };
    const { file_path: path = "", file_size: size } = told.value;
    if (!FILE_PATH.test(path)) return { kind: "failed", cause: "the Bot API named no path of its own" };
    if (size !== undefined && size > maxBytes) return { kind: "too_large" };
    const signal = AbortSignal.any([into.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const response = await get(new URL(`${apiRoot}/file/bot${token}/${path}`), signal);
      const end = await save(response, { ...into, signal });
      if (end.kind !== "fetched" || size === undefined || end.bytes === size) return end;
      return { kind: "again", cause: `${end.bytes} of ${size} bytes came` };
    } catch (error) {
      if (error instanceof DiskError) throw error;
      const end = networkEnd(error);
      return { kind: "again", cause: "cause" in end ? end.cause : "the connection failed" };
    }
  }

  function get(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const start = url.protocol === "http:" ? http.request : requestTls;
      const call = start(url, { agent, signal, timeout: IDLE_MS }, resolve);
      call.on("timeout", () => call.destroy(new Error("the connection fell silent")));
      call.on("error", reject);
      call.end();
    });
  }

  return async (fileId, into) => {
    for (let failures = 1; ; failures += 1) {
      const end = await attempt(fileId, into).catch(async (error: unknown) => {
        await rm(into.place, { force: true });
        throw error;
      });
      if (end.kind === "fetched") return end;
      await rm(into.place, { force: true });
      if (end.kind !== "again") return end;
      if (into.signal.aborted || failures === ATTEMPTS) return { kind: "failed", cause: end.cause };
      await pause(backoffMs(failures), into.signal);
    }
  };
}

function refusalOf({ code, description }: Extract<CallEnd<never>, { kind: "refused" }>): Attempt {
  if (/file is too big/i.test(description)) return { kind: "too_large" };
  return { kind: code === 429 ? "again" : "failed", cause: description };
}

async function save(
  response: IncomingMessage,
  { place, maxBytes }: Parameters<FetchFile>[1],
): Promise<Attempt> {
  const { statusCode: status = 0 } = response;
  const declared = Number(response.headers["content-length"] ?? 0);
  if (status !== 200 || declared > maxBytes) {
    response.destroy();
    if (status === 200) return { kind: "too_large" };
    return { kind: status >= 500 ? "again" : "failed", cause: `HTTP ${status}` };
  }
  await using file = await onDisk(open(place, "wx", 0o600));
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of response) {
    const chunk = Buffer.from(piece);
    bytes += chunk.length;
    if (bytes > maxBytes) {
      response.destroy();
      return { kind: "too_large" };
    }
    hash.update(chunk);
    await onDisk(file.writeFile(chunk));
  }
  return { kind: "fetched", bytes, sha256: hash.digest("hex") };
}

/** Tells the disk's faults from the network's: their codes alone do not. */
async function onDisk<T>(act: Promise<T>): Promise<T> {
  return act.catch((cause: unknown) => {
    const code =
      cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : null;
    throw new DiskError(code, { cause });
  });
}

/** The end of a call, or null when `signal` is aborted first. */
async function ended<T>(call: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const { promise: stopped, resolve } = Promise.withResolvers<null>();
  const stop = (): void => resolve(null);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  call.catch(() => undefined); // it may lose the race
  try {
    return await Promise.race([call, stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
