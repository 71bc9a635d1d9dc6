import type { RefUpdate } from "../domain/net.ts";

/** More than any person could look through. */
const MAX_UPDATES = 100;
const MAX_HEAD_BYTES = 256 * 1024;
const UPDATE = /^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs\/[^\0\n ~^:?*[\\]+)$/;
const SHALLOW = /^shallow [0-9a-f]{40,64}$/;

/** The head of a push: which refs are to change, and how the client wants to be answered. */
export interface PushHead {
  readonly updates: readonly RefUpdate[];
  readonly hasReport: boolean;
  readonly hasSideBand: boolean;
}

/** `more`: the head is not complete yet. `bytes` is the head's length, its flush included. */
export type ParsedHead =
  | { readonly kind: "head"; readonly head: PushHead; readonly bytes: number }
  | { readonly kind: "more" }
  | { readonly kind: "invalid"; readonly reason: string };

/**
 * Reads the commands at the beginning of a git-receive-pack request (gitprotocol-pack(5), "Reference Update Request"), up to
 * the flush. What is not understood, a signed push among it, is invalid: nobody could say what it changes.
 */
export function parsePushHead(bytes: Buffer): ParsedHead {
  const updates: RefUpdate[] = [];
  let capabilities: readonly string[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const digits = bytes.toString("latin1", at, at + 4);
    if (!/^[0-9a-f]{4}$/.test(digits)) return invalid("it is not in git's form");
    const length = Number.parseInt(digits, 16);
    if (length === 0) return { kind: "head", head: headOf(updates, capabilities), bytes: at + 4 };
    if (length < 5) return invalid("it is not in git's form");
    if (at + length > bytes.length) break;
    const [line = "", words] = bytes
      .toString("utf8", at + 4, at + length)
      .replace(/\n$/, "")
      .split("\0", 2);
    at += length;
    if (words !== undefined && updates.length === 0) capabilities = words.trim().split(" ");
    if (SHALLOW.test(line)) continue;
    const [, oldId = "", newId = "", ref = ""] = UPDATE.exec(line) ?? [];
    if (ref === "") return invalid("it asks for something that this gate does not know");
    updates.push({ ref, oldId, newId });
    if (updates.length > MAX_UPDATES) return invalid(`it changes more than ${MAX_UPDATES} refs`);
  }
  return bytes.length > MAX_HEAD_BYTES ? invalid("its head is too long") : { kind: "more" };
}

/** The body that tells git that its push was refused, ref by ref (gitprotocol-pack(5), "Report Status"). */
export function refusalReport({ updates, hasSideBand }: PushHead, reason: string): Buffer {
  const words = reason.replaceAll(/[^ -~]/g, "?").slice(0, 500);
  const lines = ["unpack ok\n", ...updates.map(({ ref }) => `ng ${ref} ${words}\n`)];
  const report = Buffer.concat([...lines.map((line) => pktLine(Buffer.from(line))), FLUSH]);
  if (!hasSideBand) return report;
  const pieces = [];
  for (let at = 0; at < report.length; at += MAX_BAND_BYTES) {
    pieces.push(pktLine(Buffer.concat([BAND_DATA, report.subarray(at, at + MAX_BAND_BYTES)])));
  }
  return Buffer.concat([...pieces, FLUSH]);
}

const FLUSH = Buffer.from("0000");
const BAND_DATA = Buffer.from([1]);
const MAX_BAND_BYTES = 65_000;

function pktLine(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from((content.length + 4).toString(16).padStart(4, "0")), content]);
}

function headOf(updates: readonly RefUpdate[], capabilities: readonly string[]): PushHead {
  return {
    updates,
    hasReport: capabilities.some((word) => word.startsWith("report-status")),
    hasSideBand: capabilities.includes("side-band-64k"),
  };
}

function invalid(reason: string): ParsedHead {
  return { kind: "invalid", reason };
}
