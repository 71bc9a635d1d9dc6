import type { Emitter } from "./emitter.ts";

/** What is waited for, in words, and how long. */
export interface WaitOptions {
  readonly what: string;
  /** Default 20 s. */
  readonly timeoutMs?: number;
}

/** What is left of a type when `false`, `null`, `undefined`, 0 and "" are taken away. */
export type Truthy<T> = Exclude<T, false | null | undefined | 0 | "" | 0n>;

export interface WaitDeps<T> {
  /** Tells that something has happened. */
  readonly pulse: Emitter<void>;
  readonly look: () => T;
  /** The state of things, for the message of a wait that failed. */
  readonly describe: () => string;
}

const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * Resolves with what `look` gives as soon as that is truthy: asked at once, and again whenever something happens.
 * Rejects after `timeoutMs` with what was waited for and how things stand, and with whatever `look` throws.
 */
export function waitUntil<T>(deps: WaitDeps<T>, options: WaitOptions): Promise<Truthy<T>> {
  const { pulse, look, describe } = deps;
  const { what, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    let end = (): void => undefined;
    const check = (): void => {
      try {
        const found = look();
        if (!isTruthy(found)) return;
        end();
        resolve(found);
      } catch (error) {
        end();
        reject(error);
      }
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`Waited ${timeoutMs} ms for ${what}, in vain.\n${describe()}`));
    }, timeoutMs);
    const off = pulse.on(check);
    end = () => {
      clearTimeout(timer);
      off();
    };
    check();
  });
}

function isTruthy<T>(value: T): value is Truthy<T> {
  return Boolean(value);
}
