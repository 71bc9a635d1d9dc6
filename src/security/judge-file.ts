import type { SentFile, SentFileReason } from "../domain/attachment.ts";
import { extensionOf, safeFileName } from "../domain/file-name.ts";
import type { IsSecret } from "../domain/secret-files.ts";
import { OTHER_ARCHIVES, type UploadTypes, uploadKindOf } from "../domain/upload-types.ts";
import type { Verdict } from "../domain/verdict.ts";

/** What files are held against. */
export interface JudgeFileDeps {
  readonly types: UploadTypes;
  readonly maxFileBytes: number;
  readonly isSecret: IsSecret;
}

const MIB = 1024 * 1024;

/**
 * Judges a file by its name and declared size alone; null lets it pass. One with the name of a secret is refused and not renamed:
 * the deny rules and masks go by names, and would hide it again from whoever it was meant for.
 */
export function createJudgeFile({ types, maxFileBytes, isSecret }: JudgeFileDeps) {
  return ({ name: raw, bytes }: SentFile): Verdict | null => {
    const name = safeFileName(raw);
    const last = raw.slice(Math.max(raw.lastIndexOf("/"), raw.lastIndexOf("\\")) + 1);
    if (isSecret(last) || isSecret(name)) return deny("secret", name);
    if (uploadKindOf(name, types) === null)
      return deny(OTHER_ARCHIVES.includes(extensionOf(name)) ? "other_archive" : "type", name);
    if (bytes !== null && bytes > maxFileBytes)
      return deny("too_large", `${name}, ${(bytes / MIB).toFixed(1)} of at most ${maxFileBytes / MIB} MB`);
    return null;
  };
}

function deny(reason: SentFileReason, detail: string): Verdict {
  return { kind: "deny", reason: `file_${reason}`, detail };
}
