const NEWLINE = 10;
const DATA = Buffer.from("data:");
/** Longer than any event that counts; what is longer is passed over. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/**
 * Cuts a stream of server-sent events into the payloads of its `data:` lines, whatever pieces the bytes come in: cutting
 * happens on bytes, so a character split between two pieces stays whole. A payload of more than 4 MiB is left out, and one
 * that ends in CRLF keeps its CR, which JSON ignores. The Messages API writes each payload on one line.
 */
export function createEventLines(onData: (payload: Buffer) => void): (chunk: Buffer) => void {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let isOverlong = false;

  const endLine = (tail: Buffer) => {
    const line = pending.length === 0 ? tail : Buffer.concat([...pending, tail]);
    const isWanted = !isOverlong && line.subarray(0, DATA.length).equals(DATA);
    pending = [];
    pendingBytes = 0;
    isOverlong = false;
    if (isWanted) onData(line.subarray(DATA.length));
  };

  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      endLine(chunk.subarray(start, end));
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    pendingBytes += rest.length;
    if (pendingBytes > MAX_LINE_BYTES) {
      isOverlong = true;
      pending = [];
    } else if (rest.length > 0) {
      pending.push(rest);
    }
  };
}
