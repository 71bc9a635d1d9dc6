/** Whole millionths of a US dollar. All sums are kept in these, so that adding never drifts. */
export type MicroUsd = number;

/** Rounds up: a cost is never recorded as less than it was. */
export function microUsdFromUsd(usd: number): MicroUsd {
  return Math.ceil(usd * 1_000_000 - 1e-6);
}

/** `$0.0421` below a cent's hundredfold, `$12.34` above: as many digits as say something. */
function formatUsd(microUsd: MicroUsd): string {
  const usd = microUsd / 1_000_000;
  return `$${usd.toFixed(Math.abs(usd) < 1 && usd !== 0 ? 4 : 2)}`;
}

/** The same, and whether it is what the API would have charged where a subscription pays. */
export function amountText(microUsd: MicroUsd, isEquivalent: boolean): string {
  return isEquivalent ? `${formatUsd(microUsd)} API-equivalent` : formatUsd(microUsd);
}
