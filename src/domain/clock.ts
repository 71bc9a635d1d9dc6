/** Gives milliseconds since the Unix epoch (UTC). Handed in wherever time is read, so that tests can turn the clock. */
export type Now = () => number;

/** The machine's clock. May jump when the machine sleeps or its time is set; measure spans with `performance.now()`. */
export const systemNow: Now = () => Date.now();
