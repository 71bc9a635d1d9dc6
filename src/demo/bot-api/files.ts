import { badRequest } from "./failure.ts";
import type { Payload, UploadedFile } from "./payload.ts";

/** A file as the Bot API names it. */
export interface ApiFile {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_size: number;
  readonly file_path: string;
}

/** A file that the server holds. */
interface HeldFile extends UploadedFile {
  readonly api: ApiFile;
}

/** All files that went through the server. Memory only. */
export interface Files {
  readonly add: (file: UploadedFile) => HeldFile;
  /** Throws 400 for an id that this server never gave out. */
  readonly byId: (fileId: string) => HeldFile;
  readonly byPath: (path: string) => HeldFile | undefined;
  /**
   * The file that a call sends in `field`: an upload, `attach://<part>`, or the id of a file that is already here.
   * Throws 400 for anything else: this server fetches nothing from the web.
   */
  readonly ofCall: (payload: Payload, field: "document" | "photo") => HeldFile;
}

/** Starts empty. Ids are of the length and letters of real ones, so that nobody comes to rely on short ones. */
export function createFiles(): Files {
  const byId = new Map<string, HeldFile>();
  const byPath = new Map<string, HeldFile>();

  const add = (file: UploadedFile): HeldFile => {
    const number = byId.size;
    const api = {
      file_id: `BQACAgIAAxkBAAI${String(number).padStart(40, "A")}`,
      file_unique_id: `AgAD${String(number).padStart(11, "A")}`,
      file_size: file.content.length,
      file_path: `documents/file_${number}${/\.\w{1,8}$/.exec(file.fileName)?.[0] ?? ""}`,
    };
    const held = { ...file, api };
    byId.set(api.file_id, held);
    byPath.set(api.file_path, held);
    return held;
  };

  const find = (fileId: string): HeldFile => {
    const file = byId.get(fileId);
    if (file === undefined) throw badRequest("wrong file_id or the file is temporarily unavailable");
    return file;
  };

  return {
    add,
    byId: find,
    byPath: (path) => byPath.get(path),
    ofCall: ({ fields, files }, field) => {
      const given = fields[field];
      const upload = files.get(typeof given === "string" ? given.replace(/^attach:\/\//, "") : field);
      if (upload !== undefined) {
        if (upload.content.length === 0) throw badRequest("file must be non-empty");
        return add(upload);
      }
      if (typeof given !== "string" || given === "") throw badRequest(`there is no ${field} in the request`);
      if (given.startsWith("attach://")) throw badRequest(`there is no ${field} in the request`);
      const held = byId.get(given);
      if (held === undefined) throw badRequest("wrong file identifier/HTTP URL specified");
      return held;
    },
  };
}
