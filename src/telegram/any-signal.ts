/** A signal that is aborted with the first of several, or by `abort`. */
export interface AnySignal extends Disposable {
  readonly signal: AbortSignal;
  readonly abort: () => void;
}

/** Unlike `AbortSignal.any`, it lets go of `signals` when it is disposed of: they live for months, and it for a call. */
export function anySignal(signals: readonly AbortSignal[]): AnySignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  for (const signal of signals) {
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
  }
  return {
    signal: controller.signal,
    abort,
    [Symbol.dispose]: () => {
      for (const signal of signals) signal.removeEventListener("abort", abort);
    },
  };
}
