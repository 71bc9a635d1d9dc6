import type { SiftRequest } from "./jail.ts";

/** Milliseconds from the start to the end; a second is much. */
export const SIFT_TIMEOUT_MS = 60_000;
/** What it may print. */
export const SIFT_MAX_BYTES = 1024 * 1024;

const CPU_SECONDS = 60;
/** The heap of Node, in MiB; and all memory, in KiB, most of which Node reserves and never touches. */
const HEAP_MIB = 192;
const MEMORY_KIB = 3_000_000;
/** In which ulimit of a POSIX shell counts the size of files. */
const BLOCK = 512;

/** Systems that know no limit on memory (macOS) say so on stderr; the heap's holds there too. */
const LIMITED = `ulimit -c 0; ulimit -t ${CPU_SECONDS}; ulimit -v ${MEMORY_KIB} 2>/dev/null; ulimit -f "$1"; shift; exec "$@"`;

/** Where a program of `sift/` finds what it is run with. */
interface SiftPlaces {
  readonly node: string;
  readonly script: string;
  readonly file: string;
  readonly target: string;
}

/** The argv of such a program, with the limits that the system keeps. */
export function siftArgv(
  { node, script, file, target }: SiftPlaces,
  { order, maxFileBytes }: Pick<SiftRequest, "order" | "maxFileBytes">,
): readonly string[] {
  const blocks = String(Math.ceil(maxFileBytes / BLOCK) + 1);
  const run = [node, `--max-old-space-size=${HEAP_MIB}`, "--max-semi-space-size=8", "--", script];
  return ["/bin/sh", "-c", LIMITED, "sh", blocks, ...run, file, target, JSON.stringify(order)];
}
