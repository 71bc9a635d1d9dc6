import type { Request } from "../../src/domain/request.ts";

let made = 0;

/** A prompt of person 7 in his private chat, each with its own dedupe key, changed as wanted. */
export function request(change: Partial<Request> = {}): Request {
  made += 1;
  return {
    origin: "telegram",
    dedupeKey: `telegram:${made}`,
    kind: "work",
    principal: { userId: 7, displayName: "Ann" },
    conversation: { chatId: 7, threadId: null },
    chatType: "private",
    messageId: 1,
    sentAt: null,
    isStale: false,
    body: { kind: "prompt", text: "hello" },
    cleaned: [],
    ...change,
  };
}

/** A request of that person. */
export function requestOf(userId: number, change: Partial<Request> = {}): Request {
  return request({ principal: { userId, displayName: "Ann" }, ...change });
}

/** A clock that stands until it is turned. */
export function handClock(startMs = 1_800_000_000_000) {
  const clock = { ms: startMs, now: () => clock.ms };
  return clock;
}
