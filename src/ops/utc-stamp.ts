/** A moment for a file's name: `20261126T012205Z`. Names made so sort by time. */
export function utcStamp(atMs: number): string {
  return new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}
