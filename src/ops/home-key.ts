import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { isErrno } from "../domain/errors.ts";

/** The key of a home folder, under which values are compared without being kept. */
export interface HomeKey {
  readonly text: string;
  /** True when there was none: what was kept under a lost one can no longer be compared with. */
  readonly isNew: boolean;
}

/** Reads the key, or makes one that its owner alone can read. */
export function readHomeKey(file: string): HomeKey {
  const there = existingHomeKey(file);
  if (there !== null) return { text: there, isNew: false };
  const text = randomBytes(32).toString("hex");
  writeFileSync(file, text, { mode: 0o600 });
  return { text, isNew: true };
}

/** The key, or null where there is none, or a broken one. */
export function existingHomeKey(file: string): string | null {
  try {
    const text = readFileSync(file, "utf8");
    return /^[0-9a-f]{64}$/.test(text) ? text : null;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}
