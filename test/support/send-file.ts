import type { Stage } from "./daemon.ts";

/** What a person sends: its bytes, and what his message says of them. */
export interface SendFile {
  readonly name: string;
  readonly content: Buffer | string;
  readonly caption?: string;
  /** In place of the truth. */
  readonly declaredBytes?: number;
  readonly isPhoto?: boolean;
}

/** Sends a document or a photo as a person does. */
export function sendFile({ api, chat }: Pick<Stage, "api" | "chat">, file: SendFile) {
  const { name, content, caption, isPhoto = false } = file;
  const { file_path: _, ...named } = api.addFile({ fileName: name, content: Buffer.from(content) });
  const size = { file_size: file.declaredBytes ?? named.file_size };
  const body = isPhoto
    ? {
        photo: [
          { ...named, file_size: 10, width: 1, height: 1 },
          { ...named, ...size, width: 2, height: 2 },
        ],
      }
    : { document: { ...named, ...size, file_name: name } };
  return chat.sendRaw({ ...body, ...(caption === undefined ? {} : { caption }) });
}
