/** The first and the last version that this program's tests ran against. Raise the last with the devDependency. */
export const TESTED = { from: "2.1.330", to: "2.1.330" } as const;

/** `refused` carries the line for the person; `untested` is newer than what was tried. */
export type VersionVerdict =
  | { readonly kind: "tested" }
  | { readonly kind: "untested" }
  | { readonly kind: "refused"; readonly detail: string };

/**
 * Judges the CLI's version. Refused: an older one and another major, because undocumented switches that the safety of a turn
 * rests on (the socket, file mentions, reported rules) are known from `TESTED.from` on and may be gone in a new major. A newer
 * one of the same major is let through: what it reports about itself is checked at every start anyway.
 */
export function judgeVersion(version: string): VersionVerdict {
  const parts = partsOf(version);
  const from = partsOf(TESTED.from) ?? [0, 0, 0];
  const to = partsOf(TESTED.to) ?? from;
  if (parts === null || parts[0] !== from[0] || isBelow(parts, from)) {
    const detail = `Expected Claude CLI ${TESTED.from} or a later ${from[0]}.x, got ${version}: install it with npm install -g @anthropic-ai/claude-code@${TESTED.to}`;
    return { kind: "refused", detail };
  }
  return isBelow(to, parts) ? { kind: "untested" } : { kind: "tested" };
}

type Parts = readonly [number, number, number];

function partsOf(version: string): Parts | null {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:$|[-+ ])/.exec(version);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : null;
}

function isBelow(left: Parts, right: Parts): boolean {
  if (left[0] !== right[0]) return left[0] < right[0];
  if (left[1] !== right[1]) return left[1] < right[1];
  return left[2] < right[2];
}
