/** Controls, lone surrogates, line separators, and signs that reorder or hide what stands beside them. */
const UNSAFE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFD\u{E0000}-\u{E007F}]/u;

/** What a name may hold; all else becomes `_`. No blank and no sign that a shell acts upon. */
const OTHER = /[^\p{L}\p{M}\p{N}._+,@=()-]+/gu;

/** Names that Windows keeps for devices, whatever their extension. */
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Bytes of UTF-8; disks take 255, and a number may follow. */
const MAX_BYTES = 120;

/** True for a text with something in it that no name of a file should have: it hides, moves or ends what is shown. */
export function isUnsafeName(text: string): boolean {
  return UNSAFE.test(text);
}

/**
 * A name for a file that somebody else named: composed Unicode, no separator, no blank, nothing invisible, no dot or dash at its
 * beginning, no device of Windows, at most 120 bytes with the extension kept. Never empty. Applied twice it is the same.
 */
export function safeFileName(raw: string): string {
  const plain = raw
    .normalize("NFC")
    .replace(new RegExp(UNSAFE.source, "gu"), "")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    .replace(OTHER, "_")
    .replace(/^[_-][._-]*(?=(?:\.tar)?\.[^._-]{1,16}$)/, "file") // nothing of a stem is left: the extension stays
    .replace(/^[._-]+(?=[^._-])/, "")
    .replace(/\.+$/, "");
  const named = /[\p{L}\p{N}]/u.test(plain) ? plain : "file";
  return RESERVED.test(named) ? shortened(`x_${named}`) : shortened(named);
}

/** The name with a number before its extension, for one that is taken: `report-2.pdf`. */
export function numberedName(name: string, number: number): string {
  const { stem, extension } = partsOf(name);
  return `${stem}-${number}${extension}`;
}

/** The extension in small letters without its dot; `tar.gz` counts as one; empty for none. */
export function extensionOf(name: string): string {
  return partsOf(name).extension.slice(1).toLowerCase();
}

/** The name without its extension; `tar.gz` counts as one. */
export function stemOf(name: string): string {
  return partsOf(name).stem;
}

function partsOf(name: string): { readonly stem: string; readonly extension: string } {
  const extension = /(?:\.tar)?\.[^./\s]{1,16}$/i.exec(name)?.[0] ?? "";
  const stem = name.slice(0, name.length - extension.length);
  return stem === "" ? { stem: name, extension: "" } : { stem, extension };
}

function shortened(name: string): string {
  if (byteLength(name) <= MAX_BYTES) return name;
  const { stem, extension } = partsOf(name);
  let short = "";
  for (const char of stem) {
    if (byteLength(short + char + extension) > MAX_BYTES) break;
    short += char;
  }
  return short + extension;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
