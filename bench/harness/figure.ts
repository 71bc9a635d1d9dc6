import { type Pair, type Paired, percentile } from "./statistics.ts";

/** What a figure should come to: printed beside it, never asserted. */
export interface Aim {
  readonly of: "ours" | "difference" | "ratio";
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** One line of the table, with every run behind it. */
export interface Figure {
  readonly bench: string;
  /** What was measured. */
  readonly name: string;
  readonly unit: "ms" | "/s" | "MB" | "%" | "us" | "calls" | "count";
  /** What it is compared with; null where nothing bare does the like. */
  readonly bare: string | null;
  readonly runs: readonly Pair[];
  readonly aim?: Aim;
}

/** What a bench is run with. */
export interface BenchOptions {
  readonly runs: number;
  readonly isLong: boolean;
  /** Tells whoever waits how far it is. */
  readonly say: (line: string) => void;
}

/** One bench: a few figures that are measured together. */
export interface Bench {
  readonly name: string;
  readonly measure: (options: BenchOptions) => Promise<readonly Figure[]>;
}

/** Runs `once` as often as asked for, one after the other, and gives what each gave. */
export async function repeat<T>(
  { runs, say }: BenchOptions,
  what: string,
  once: (run: number) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = [];
  for (let run = 1; run <= runs; run += 1) {
    say(`${what}: run ${run} of ${runs}`);
    results.push(await once(run));
  }
  return results;
}

/** What a latency figure is made of; `aims` are those of p50 and p99. */
export interface LatencyFigure extends Pick<Figure, "bench" | "name" | "bare"> {
  readonly runs: readonly { readonly ours: readonly number[]; readonly bare: readonly number[] | null }[];
  readonly aims?: readonly [p50: Aim, p99: Aim];
}

/** A p50 and a p99 figure, in milliseconds, of samples taken in paired runs. */
export function latencyFigures({ runs, aims, ...head }: LatencyFigure): readonly Figure[] {
  return [50, 99].map((percent, index) => {
    const aim = aims?.[index];
    return {
      ...head,
      name: `${head.name}, p${percent}`,
      unit: "ms",
      runs: runs.map(({ ours, bare }) => ({
        ours: percentile(ours, percent),
        bare: bare && percentile(bare, percent),
      })),
      ...(aim && { aim }),
    };
  });
}

/** Whether the medians meet the aim; null when there is none, or nothing to compare with. */
export function meets(aim: Aim | undefined, medians: Paired): boolean | null {
  const value = aim && medians[aim.of];
  if (aim === undefined || value === undefined || value === null) return null;
  return (
    value <= (aim.atMost ?? Number.POSITIVE_INFINITY) && value >= (aim.atLeast ?? Number.NEGATIVE_INFINITY)
  );
}
