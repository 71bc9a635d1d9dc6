/** The name most like `wanted`, or null when none is near: at most a third of its letters may differ. Case is ignored. */
export function nearestName(wanted: string, names: readonly string[]): string | null {
  const target = wanted.toUpperCase();
  const ranked = names
    .map((name) => ({ name, distance: editDistance(target, name.toUpperCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(wanted.length / 3)) ? best.name : null;
}

/**
 * The name that `wanted` is a slip of the pen away from: one sign in eight, three at most, but always `least`, or its case alone.
 * Null when there is none.
 */
export function nearMissOf(wanted: string, names: readonly string[], least = 0): string | null {
  const near = nearestName(wanted, names);
  if (near === null) return null;
  const slips = Math.max(least, Math.min(3, Math.floor(near.length / 8)));
  return editDistance(wanted.toUpperCase(), near.toUpperCase()) <= slips ? near : null;
}

/** Levenshtein's distance: insertions, removals and replacements of one sign. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      line.push(Math.min(replaced, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1));
    }
    above = line;
  }
  return above[b.length] ?? 0;
}
