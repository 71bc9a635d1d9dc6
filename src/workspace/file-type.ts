import type { FileReason } from "../domain/attachment.ts";
import { extensionOf, stemOf } from "../domain/file-name.ts";
import type { SniffReport } from "../domain/unpack.ts";
import type { UploadKind } from "../domain/upload-types.ts";

/** What is to be made of a file: it is taken under that name, or not at all. */
export type TypeVerdict =
  | { readonly kind: "taken"; readonly name: string }
  | { readonly kind: "refused"; readonly reason: FileReason };

const IMAGES: ReadonlySet<string> = new Set(["png", "jpg", "gif", "webp"]);
const CONTAINERS: Readonly<Record<string, SniffReport["container"]>> = {
  zip: "zip",
  tar: "tar",
  tgz: "gzip",
  "tar.gz": "gzip",
};

/** Documents that are zips inside: which one it is, its first bytes tell for some makers only. */
const ZIP_DOCUMENTS: ReadonlySet<string> = new Set(
  (
    "docx docm dotx dotm xlsx xlsm xltx xltm pptx pptm potx potm ppsx ppsm vsdx 3mf " +
    "odt ott ods ots odp otp odg otg epub pages numbers"
  ).split(" "),
);

/**
 * Holds a file's name against its bytes: both must say the same, nothing may be a program, and nothing but an archive may be read
 * as one. An image that is another kind of image than its name says gets the name that is right.
 */
export function judgeType(name: string, kind: UploadKind, seen: SniffReport): TypeVerdict {
  if (seen.isProgram) return refused("program");
  const extension = extensionOf(name);
  const isPdf = seen.pdfAt >= 0;
  switch (kind) {
    case "text":
      return seen.isText && seen.pdfAt !== 0 ? taken(name) : refused("mismatch");
    case "image": {
      if (seen.extension === null || !IMAGES.has(seen.extension)) return refused("mismatch");
      if (seen.endsAsZip || isPdf) return refused("polyglot");
      const isRight = seen.extension === extension || (seen.extension === "jpg" && extension === "jpeg");
      return taken(isRight ? name : `${stemOf(name)}.${seen.extension}`);
    }
    case "pdf":
      if (seen.pdfAt !== 0) return refused("mismatch");
      return seen.endsAsZip ? refused("polyglot") : taken(name);
    case "archive":
      if (CONTAINERS[extension] !== seen.container) return refused("mismatch");
      return taken(name); // a PDF that it seems to be too is packed in it: nothing but what comes out of it is kept
    case "other": {
      const isZipDocument = seen.extension === "zip" && ZIP_DOCUMENTS.has(extension);
      const isRight = seen.extension === null || seen.extension === extension || isZipDocument;
      return isRight ? taken(name) : refused("mismatch");
    }
  }
}

function taken(name: string): TypeVerdict {
  return { kind: "taken", name };
}

function refused(reason: FileReason): TypeVerdict {
  return { kind: "refused", reason };
}
