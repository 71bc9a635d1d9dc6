const NAMES = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Does a piece of work that has things to put away. The first SIGINT, SIGTERM or SIGHUP aborts its signal, and ends this process as it
 * would have once the work is over; a second one ends it at once. The work should throw when it was aborted.
 */
export async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  let name: NodeJS.Signals | null = null;
  const end = (received: NodeJS.Signals): void => {
    forget();
    name = received;
    ending.abort();
  };
  const forget = (): void => {
    for (const each of NAMES) process.removeListener(each, end);
  };
  for (const each of NAMES) process.once(each, end);
  try {
    return await work(ending.signal);
  } finally {
    forget();
    if (name !== null) process.kill(process.pid, name);
  }
}
