import { isUnsafeName } from "../../domain/file-name.ts";
import type { UnpackFault, UnpackLimits } from "../../domain/unpack.ts";

/** The path of an archive's entry below the target, in composed Unicode; empty for the target itself. */
export type EntryName =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "fault"; readonly fault: UnpackFault };

/** What joins letters, parts words or tells their direction: honest names have it (emoji, Persian), and without it they read the same. */
const MARKS = /[\u061C\u200B-\u200F\u2060\uFEFF]/gu;
const DRIVE = /^[A-Za-z]:(?:[\\/]|$)/;

/**
 * Checks a name as it stands in an archive. Marks that nobody sees are left out first, so that nothing hides behind them. What could
 * lead elsewhere is refused, never mended; a backslash is too, since it is part of a name to some makers and parts names to others.
 */
export function readEntryName(
  named: string,
  limits: Pick<UnpackLimits, "maxDepth" | "maxNameBytes" | "maxPathBytes">,
): EntryName {
  const name = named.replace(MARKS, "");
  if (isUnsafeName(name)) return fault("bad_name");
  if (name.startsWith("/") || DRIVE.test(name)) return fault("absolute");
  if (name.includes("\\")) return fault("backslash");
  const parts = name
    .normalize("NFC")
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) return fault("dot_dot");
  const path = parts.join("/");
  if (Buffer.byteLength(path) > limits.maxPathBytes) return fault("long_name");
  if (parts.some((part) => Buffer.byteLength(part) > limits.maxNameBytes)) return fault("long_name");
  if (parts.length > limits.maxDepth) return fault("deep");
  return { kind: "path", path };
}

function fault(what: UnpackFault): EntryName {
  return { kind: "fault", fault: what };
}
