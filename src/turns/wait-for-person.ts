/** A deadline that is noticed this late was slept through. */
const SLEPT_MS = 1_000;
/** How long an answer that was given during a sleep may take to come. */
const AFTER_SLEEP_MS = 15_000;

/** What ends the wait when no person does: each makes `answer` resolve. */
interface Deadline {
  readonly timeoutMs: number;
  readonly expire: () => void;
  readonly withdraw: () => void;
}

/** Waits for an answer, at most until the deadline or the signal. A deadline that was slept through is put off a moment. */
export async function waitForPerson<T>(
  answer: Promise<T>,
  { timeoutMs, expire, withdraw }: Deadline,
  signal: AbortSignal,
): Promise<T> {
  const dueAt = performance.now() + timeoutMs;
  let timer = setTimeout(() => {
    // Slept through: what was pressed meanwhile is still on its way.
    if (performance.now() > dueAt + SLEPT_MS) timer = setTimeout(expire, AFTER_SLEEP_MS);
    else expire();
  }, timeoutMs);
  signal.addEventListener("abort", withdraw, { once: true });
  try {
    if (signal.aborted) withdraw();
    return await answer;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", withdraw);
  }
}
