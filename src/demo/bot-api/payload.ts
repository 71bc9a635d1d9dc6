import { badRequest } from "./failure.ts";

/** A file that came with a call. */
export interface UploadedFile {
  readonly fileName: string;
  readonly mimeType: string;
  readonly content: Buffer;
}

/** The parameters of a call. Nested ones are JSON text when the call came as a form, values when it came as JSON. */
export interface Payload {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, UploadedFile>;
}

/** Text from bytes. Throws 400 where they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof TypeError) throw badRequest("strings must be encoded in UTF-8");
    throw cause;
  }
}
