/** Unpacks one archive of somebody else's into an empty folder. Run in a jail of its own; prints an `UnpackReport` or `UnpackFailure`. */
import { open } from "node:fs/promises";
import { diskFaultOf } from "../../domain/disk-error.ts";
import { createIsSecret } from "../../domain/secret-files.ts";
import type { UnpackFailure, UnpackLimits, UnpackReport } from "../../domain/unpack.ts";
import { ArchiveFault } from "./fault.ts";
import { createInventory } from "./inventory.ts";
import { untar } from "./untar.ts";
import { unzip } from "./unzip.ts";

/** What it is told beside the two places. */
export interface UnpackOrder {
  readonly container: "zip" | "gzip" | "tar";
  readonly limits: UnpackLimits;
  /** The owner's additions to the list of secrets. */
  readonly secretFiles: readonly string[];
}

async function unpack(
  file: string,
  target: string,
  order: UnpackOrder,
): Promise<UnpackReport | UnpackFailure> {
  const { container, limits, secretFiles } = order;
  const inventory = createInventory(limits, createIsSecret(secretFiles));
  try {
    if (container === "zip") await unzip(file, target, inventory);
    else await untar(file, { isPacked: container === "gzip", target, inventory });
    return inventory.report();
  } catch (error) {
    if (error instanceof ArchiveFault) return { kind: "refused", fault: error.fault, path: error.path };
    const code = diskFaultOf(error);
    if (code !== null) return { kind: "failed", code };
    const isShort = /unexpected end|end of central directory|truncated/i.test(String(error));
    return { kind: "refused", fault: isShort ? "truncated" : "broken", path: null };
  }
}

const [file = "", target = "", order = "{}"] = process.argv.slice(2);
await (await open(file)).close(); // a fault of ours, not of the archive
process.stdout.write(JSON.stringify(await unpack(file, target, JSON.parse(order))));
