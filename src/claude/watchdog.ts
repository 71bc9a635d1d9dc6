/** How many ticks the allowed silence is counted in. */
const TICKS = 20;

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

/**
 * Calls `onSilence` once when `ms` pass without a sign of life, at most a tenth later. Runs from the first `touch` on. Only
 * time awake is counted: in ticks, of which a sleep of the machine, or of this process, swallows all but one, however long
 * it was; and what has come meanwhile is read before silence is declared.
 */
export function createWatchdog({ ms, onSilence }: WatchdogDeps): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  let silentTicks = 0;
  let isStopped = false;

  function stop(): void {
    isStopped = true;
    clearInterval(timer);
  }

  function tick(): void {
    silentTicks += 1;
    // After the timers come the streams, and then this.
    if (silentTicks > TICKS) setImmediate(judge);
  }

  function judge(): void {
    if (isStopped || silentTicks <= TICKS) return;
    stop();
    onSilence();
  }

  function pause(): void {
    clearInterval(timer);
    timer = undefined;
    silentTicks = 0;
  }

  return {
    touch: () => {
      if (isStopped) return;
      silentTicks = 0;
      timer ??= setInterval(tick, ms / TICKS);
    },
    pause,
    stop,
  };
}
