/** `at 14:05` today's way: date and time with the zone, since the reader may be elsewhere. */
export function whenText(atMs: number): string {
  return `on ${momentText(atMs)} (${zone()})`;
}

/** The same without the zone, for two of them in one line. */
export function momentText(atMs: number): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" }).format(atMs);
}

/** The machine's zone, as IANA names it. */
export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** `4 s`, `2 min 5 s`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `20 s ago`, `5 min ago`, `2 h ago`, `3 days ago`: rounded down. */
export function agoText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s ago`;
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}
