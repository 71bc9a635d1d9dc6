import { isNativeError, isProxy } from "node:util/types";
import { describeError } from "./describe-error.ts";

/** Longer texts are cut before a secret is looked for: what the line shows of them is far shorter still. */
const MAX_LOOKED_AT = 65_536;
const MAX_DEPTH = 8;
const MAX_ENTRIES = 200;

/**
 * A value as it may be logged: plain data of JSON, made so that writing it calls nothing of the value's own, ends, and tells
 * no bytes. Errors are described by an allow-list wherever they stand, Maps are objects and Sets lists, binary data is its
 * length; what refuses to be read, or comes once more inside itself, is said to do so.
 */
export function plainOf(value: unknown): unknown {
  return plain(value, []);
}

function plain(value: unknown, above: readonly object[]): unknown {
  if (typeof value === "string") return cut(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (above.includes(value)) return "[circular]";
  if (above.length >= MAX_DEPTH) return "[deeper]";
  try {
    return plainObject(value, [...above, value]);
  } catch {
    return "[unreadable]"; // a getter, a toJSON or a proxy of its own threw: no reason to lose the line
  }
}

function plainObject(value: object, path: readonly object[]): unknown {
  if (isProxy(value)) return "[proxy]";
  if (isNativeError(value) || value instanceof Error)
    return plainEntries(Object.entries(describeError(value)), path);
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (value instanceof ArrayBuffer) return `<${value.byteLength} bytes>`;
  if ("toJSON" in value && typeof value.toJSON === "function") return plain(value.toJSON(), path);
  if (Array.isArray(value) || value instanceof Set)
    return [...value].slice(0, MAX_ENTRIES).map((each: unknown) => plain(each, path));
  if (value instanceof Map)
    return plainEntries(
      [...value].map(([key, each]: [unknown, unknown]) => [nameOf(key), each]),
      path,
    );
  return plainEntries(
    Object.keys(value).map((key) => [key, read(value, key)]),
    path,
  );
}

function plainEntries(entries: readonly (readonly [string, unknown])[], path: readonly object[]): object {
  return Object.fromEntries(
    entries.slice(0, MAX_ENTRIES).map(([key, each]) => [cut(key), plain(each, path)]),
  );
}

/** One field that cannot be read does not hide the others. */
function read(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return "[unreadable]";
  }
}

function nameOf(key: unknown): string {
  return typeof key === "string" || typeof key === "number" ? String(key) : `[${typeof key}]`;
}

function cut(text: string): string {
  return text.length <= MAX_LOOKED_AT ? text : `${text.slice(0, MAX_LOOKED_AT)}…`;
}
