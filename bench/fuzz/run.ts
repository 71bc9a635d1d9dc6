/** What a fuzzer is run with: it ends after `cases`, or when `until` (milliseconds of performance.now) has come. */
export interface FuzzOptions {
  readonly seed: number;
  readonly cases: number;
  readonly until: number;
}

/** How many cases ran, what they were in kinds, and what was wrong, the first few of it in full. */
export interface FuzzResult {
  readonly cases: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly faults: number;
  readonly examples: readonly string[];
}

const BATCH = 500;
const MAX_EXAMPLES = 5;

/**
 * Runs `check` on case after case, which `draw` gives for a seed in batches; each gives its kind, and null or what is wrong with
 * it. The same seed gives the same cases. A rejection is a fault too.
 */
export async function fuzz<Case>(
  { seed, cases, until }: FuzzOptions,
  draw: (seed: number, count: number) => readonly Case[],
  check: (one: Case) => Promise<readonly [kind: string, fault: string | null]>,
): Promise<FuzzResult> {
  const kinds: Record<string, number> = {};
  const examples: string[] = [];
  let [done, faults] = [0, 0];
  while (done < cases && performance.now() < until) {
    for (const one of draw(seed + done, Math.min(BATCH, cases - done))) {
      const [kind, fault] = await check(one).catch((error: unknown) => ["crash", String(error)] as const);
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      done += 1;
      if (fault === null) continue;
      faults += 1;
      if (examples.length < MAX_EXAMPLES) examples.push(`${fault}: ${JSON.stringify(one)?.slice(0, 2_000)}`);
    }
  }
  return { cases: done, kinds, faults, examples };
}
