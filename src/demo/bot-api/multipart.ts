import { badRequest } from "./failure.ts";
import { decodeUtf8, type Payload, type UploadedFile } from "./payload.ts";

const HEADER_END = "\r\n\r\n";

/**
 * Takes a multipart/form-data body apart (RFC 7578): parts with a file name are files, all others are text fields.
 * File names may stand without quotes, as grammY sends them. Throws 400 for a broken frame.
 */
export function parseMultipart(contentType: string, body: Buffer): Payload {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  if (boundary === null) throw badRequest("boundary not found");
  const fields: [string, string][] = [];
  const files = new Map<string, UploadedFile>();
  for (const part of splitParts(body, boundary[1] ?? boundary[2] ?? "")) {
    const { name, file, content, mimeType } = parsePart(part);
    if (file === null) fields.push([name, decodeUtf8(content)]);
    else files.set(name, { fileName: file, mimeType, content: Buffer.from(content) });
  }
  return { fields: Object.fromEntries(fields), files };
}

function splitParts(body: Buffer, boundary: string): readonly Buffer[] {
  const parts: Buffer[] = [];
  const delimiter = `\r\n--${boundary}`;
  let from = body.indexOf(`--${boundary}`) + delimiter.length - 2;
  if (from < delimiter.length - 2) throw badRequest("boundary not found");
  while (body.toString("latin1", from, from + 2) !== "--") {
    const end = body.indexOf(delimiter, from);
    if (end === -1) throw badRequest("unexpected end of request content");
    parts.push(body.subarray(from + 2, end));
    from = end + delimiter.length;
  }
  return parts;
}

interface Part {
  readonly name: string;
  readonly file: string | null;
  readonly mimeType: string;
  readonly content: Buffer;
}

function parsePart(part: Buffer): Part {
  const headerEnd = part.indexOf(HEADER_END);
  if (headerEnd === -1) throw badRequest("can't parse form data headers");
  const headers = decodeUtf8(part.subarray(0, headerEnd));
  const disposition = /^content-disposition:\s*form-data(.*)$/im.exec(headers)?.[1];
  if (disposition === undefined) throw badRequest("expected form-data content disposition");
  const name = parameterOf(disposition, "name");
  if (name === null) throw badRequest("field name in multipart/form-data not found");
  return {
    name,
    file: parameterOf(disposition, "filename"),
    mimeType: /^content-type:\s*(\S+)/im.exec(headers)?.[1] ?? "application/octet-stream",
    content: part.subarray(headerEnd + HEADER_END.length),
  };
}

function parameterOf(disposition: string, name: "name" | "filename"): string | null {
  const found = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;"\\r]*))`, "i").exec(disposition);
  return found === null ? null : (found[1]?.replaceAll(/\\(.)/g, "$1") ?? found[2] ?? "");
}
