import { isUnsafeName } from "../../domain/file-name.ts";
import type { UnpackFault, UnpackLimits } from "../../domain/unpack.ts";

/** The path of an archive's entry below the target, in composed Unicode; empty for the target itself. */
export type EntryName =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "fault"; readonly fault: UnpackFault };

/** Checks a name as it stands in an archive. What could lead elsewhere is refused, never mended. */
export function readEntryName(
  name: string,
  limits: Pick<UnpackLimits, "maxDepth" | "maxNameBytes" | "maxPathBytes">,
): EntryName {
  if (isUnsafeName(name) || name.includes("\\")) return fault("bad_name");
  if (name.startsWith("/") || /^[A-Za-z]:/.test(name)) return fault("absolute");
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
