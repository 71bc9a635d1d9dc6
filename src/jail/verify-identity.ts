import { readFile } from "node:fs/promises";
import { AppError } from "../domain/errors.ts";
import type { Identity } from "./identity.ts";
import { readProcesses } from "./process-table.ts";

/**
 * Looks from outside at the program of a jail that is set up and has not begun: it must be that user, with no group beside his own,
 * and without any capability or a way to get one. `initPid` is the jail's first process, whose only child it is.
 * @throws AppError `sandbox_missing` when it is not so.
 */
export async function verifyIdentity(initPid: number, identity: Identity): Promise<void> {
  const children = (await readProcesses()).filter(({ parent }) => parent === initPid);
  const [child] = children;
  const status =
    child === undefined || children.length > 1 ? "" : await readFile(`/proc/${child.pid}/status`, "utf8");
  if (hasBecome(status, identity)) return;
  throw new AppError(
    "sandbox_missing",
    `The programs of this sandbox should run as the user ${identity.uid} without privileges, and do not`,
  );
}

/** Reads /proc/<pid>/status (proc(5)). */
export function hasBecome(status: string, { uid, gid }: Identity): boolean {
  const valuesOf = (name: string): string =>
    (new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1] ?? "none").trim().replaceAll("\t", " ");
  return (
    valuesOf("Uid") === `${uid} ${uid} ${uid} ${uid}` &&
    valuesOf("Gid") === `${gid} ${gid} ${gid} ${gid}` &&
    ["", String(gid)].includes(valuesOf("Groups")) &&
    ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].every((name) => /^0+$/.test(valuesOf(name))) &&
    valuesOf("NoNewPrivs") === "1"
  );
}
