interface WatchdogDeps {
  readonly ms: number;
  readonly onSilence: () => void;
}

/** Notices silence. */
export interface Watchdog {
  /** A sign of life: the time begins anew. */
  readonly touch: () => void;
  /** Silence is allowed until `touch`. */
  readonly pause: () => void;
  /** Ends it for good. */
  readonly stop: () => void;
}

/** Calls `onSilence` once when `ms` pass without a sign of life. Runs from the first `touch` on. */
export function createWatchdog({ ms, onSilence }: WatchdogDeps): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  return {
    touch: () => {
      if (isStopped) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        isStopped = true;
        onSilence();
      }, ms);
    },
    pause: () => clearTimeout(timer),
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
