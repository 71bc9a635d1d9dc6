import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What the heap holds, in MiB, once all that nobody refers to is collected. */
export function heapMb(): number {
  collect();
  return process.memoryUsage().heapUsed / 1_048_576;
}
