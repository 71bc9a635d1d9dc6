import type { IncomingMessage } from "node:http";
import { ApiFailure, badRequest } from "./failure.ts";
import { parseMultipart } from "./multipart.ts";
import { decodeUtf8, type Payload, type UploadedFile } from "./payload.ts";

const MAX_BODY_BYTES = 52_428_800;
const NO_FILES: ReadonlyMap<string, UploadedFile> = new Map();

/**
 * Reads a call's parameters from its query string and its body: JSON, a form, or multipart/form-data.
 * Nulls count as absent. Throws 400 for what can not be parsed or is not UTF-8 and 413 above 50 MB.
 * Rejects with Node's own error when the client goes away half-way.
 */
export async function readPayload(request: IncomingMessage, query: URLSearchParams): Promise<Payload> {
  const body = await readBody(request);
  const { fields, files } = parseBody(request.headers["content-type"] ?? "", body);
  return { fields: withoutNulls({ ...Object.fromEntries(query), ...fields }), files };
}

function parseBody(contentType: string, body: Buffer): Payload {
  if (body.length === 0) return { fields: {}, files: NO_FILES };
  if (/^multipart\/form-data/i.test(contentType)) return parseMultipart(contentType, body);
  if (/^application\/json/i.test(contentType))
    return { fields: parseJson(decodeUtf8(body)), files: NO_FILES };
  return { fields: Object.fromEntries(new URLSearchParams(decodeUtf8(body))), files: NO_FILES };
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  const value = parseJsonValue(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest("JSON object expected");
  }
  return Object.fromEntries(Object.entries(value));
}

function parseJsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw badRequest("can't parse JSON object");
    throw cause;
  }
}

function withoutNulls(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

/** Reads to the end even what is too long: leaving off would cut the connection before the refusal could be read. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length <= MAX_BODY_BYTES) chunks.push(bytes);
  }
  if (length > MAX_BODY_BYTES) throw new ApiFailure(413, "Request Entity Too Large");
  return Buffer.concat(chunks);
}
