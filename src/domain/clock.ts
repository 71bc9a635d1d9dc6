/** Gives milliseconds since the Unix epoch (UTC). Handed in wherever time is read, so that tests can turn the clock. */
export type Now = () => number;

/** The machine's clock. May jump when the machine sleeps or its time is set; measure spans with `performance.now()`. */
export const systemNow: Now = () => Date.now();

/**
 * A clock that begins at `now` and from there on goes as time goes by: setting the machine's clock does not move it. For measuring
 * spans within one life of the process.
 */
export function createSteadyNow(now: Now): Now {
  const [beganAt, mark] = [now(), performance.now()];
  return () => Math.floor(beganAt + performance.now() - mark);
}
