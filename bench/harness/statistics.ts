/** The value that `percent` of the values do not exceed, by nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** The middle value, or the mean of the two middle ones; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** One run: what was measured of ours, and of the bare baseline right beside it (null where there is none). */
export interface Pair {
  readonly ours: number;
  readonly bare: number | null;
}

/** Medians over paired runs. Difference and ratio are taken within each run first, so that a slow run does not skew them. */
export interface Paired {
  readonly ours: number;
  readonly bare: number | null;
  readonly difference: number | null;
  readonly ratio: number | null;
}

export function medianOfPairs(runs: readonly Pair[]): Paired {
  const both = runs.flatMap(({ ours, bare }) => (bare === null ? [] : [{ ours, bare }]));
  const ofBoth = (of: (run: { ours: number; bare: number }) => number): number | null =>
    both.length === 0 ? null : median(both.map(of));
  return {
    ours: median(runs.map(({ ours }) => ours)),
    bare: ofBoth(({ bare }) => bare),
    difference: ofBoth(({ ours, bare }) => ours - bare),
    ratio: ofBoth(({ ours, bare }) => ours / bare),
  };
}
