import { escapeInvisible } from "../../security/visible.ts";
import type { ScanResult } from "./leak.ts";

const BYTES_PER_MB = 1_048_576;
/** What is said of no leak, by how far the scan came. */
const NOTHING_FOUND = {
  whole: "No credential was found where it should not stand.",
  partial: "No credential was found in what was looked through; what was not is told below.",
  no_database: "No credential was found in what was looked through, which the database is not wholly among.",
} as const;

/** A name of a file may hold a value too. */
export function withoutValues(found: ScanResult, hide: (text: string) => string): ScanResult {
  const leaks = found.leaks.map((leak) => ({
    ...leak,
    place: hide(leak.place),
    ...(leak.path === undefined ? {} : { path: hide(leak.path) }),
  }));
  return { ...found, leaks, notes: found.notes.map(hide) };
}

/** What a scan found, a line each, and what it did not look at. */
export function scanText({ leaks, files, bytes, notes, reach }: ScanResult): string {
  const lines = leaks.map(({ credential, place, line, commit, path }) => {
    const where =
      commit === undefined ? "" : `: commit ${commit.slice(0, 12)}${path === undefined ? "" : ` ${path}`}`;
    return `LEAK  ${credential}  ${escapeInvisible(`${place}${line === undefined ? "" : `:${line}`}${where}`)}`;
  });
  const verdict = leaks.length > 0 ? "Revoke what leaked, then renew it." : NOTHING_FOUND[reach];
  const megabytes = (bytes / BYTES_PER_MB).toFixed(1);
  const looked = `Looked through ${files} files and git objects${reach === "no_database" ? "" : " and the database"}, ${megabytes} MB.`;
  return `${[...lines, verdict, looked, ...notes.map((note) => `(${escapeInvisible(note)})`)].join("\n")}\n`;
}
