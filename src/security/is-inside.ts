import { isAbsolute, normalize, sep } from "node:path";

/** True when `path` is `folder` or lies below it, by whole segments. Both absolute; looks at the text only. */
export function isInside(folder: string, path: string): boolean {
  if (!isAbsolute(folder) || !isAbsolute(path)) return false;
  const above = segmentsOf(folder);
  const whole = segmentsOf(path);
  return above.every((segment, at) => segment === whole[at]);
}

/** The names on the way, `.` and `..` worked in. */
export function segmentsOf(path: string): readonly string[] {
  return normalize(path)
    .split(sep)
    .filter((segment) => segment !== "");
}
