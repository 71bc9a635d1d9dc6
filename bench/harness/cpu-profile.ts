import { basename, dirname } from "node:path";

/** What V8 writes; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

/** Where time was spent, functions by self time. */
export interface Hotspot {
  readonly place: string;
  readonly selfMs: number;
  /** Of the time in which anything ran. */
  readonly share: number;
}

/** The `count` dearest functions by self time, each as `function folder/file:line`; idle time left out. */
export function dearest(
  { nodes, samples = [], timeDeltas = [] }: CpuProfile,
  count: number,
): readonly Hotspot[] {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const selfUs = new Map<string, number>();
  samples.forEach((id, index) => {
    const place = places.get(id) ?? "(unknown)";
    if (place !== "(idle)") selfUs.set(place, (selfUs.get(place) ?? 0) + (timeDeltas[index] ?? 0));
  });
  const total = [...selfUs.values()].reduce((sum, us) => sum + us, 0);
  return [...selfUs]
    .map(([place, us]) => ({ place, selfMs: us / 1000, share: us / total }))
    .sort((a, b) => b.selfMs - a.selfMs)
    .slice(0, count);
}

function placeOf({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = functionName || "(anonymous)";
  if (url === "") return name;
  return `${name} ${basename(dirname(url))}/${basename(url)}:${lineNumber + 1}`;
}
