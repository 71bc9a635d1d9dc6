/**
 * Tells listeners of one kind of event, in the order in which they came. What a listener throws does not disturb whoever
 * emits: it is thrown again on its own, as an uncaught exception.
 */
export interface Emitter<T> {
  /** Gives the function that ends it. */
  readonly on: (listener: (event: T) => void) => () => void;
  readonly emit: (event: T) => void;
}

/** Starts without listeners. A listener may end itself or others while it is called. */
export function createEmitter<T>(): Emitter<T> {
  const listeners = new Set<(event: T) => void>();
  return {
    on: (listener) => {
      const own = (event: T): void => listener(event);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    emit: (event) => {
      for (const listener of Array.from(listeners)) if (listeners.has(listener)) tell(listener, event);
    },
  };
}

function tell<T>(listener: (event: T) => void, event: T): void {
  try {
    listener(event);
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}
