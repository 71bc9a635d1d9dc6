const NEWLINE = 0x0a;

interface LineReaderDeps {
  /** A longer line is not read; counted without its newline. */
  readonly maxBytes: number;
  readonly onLine: (line: string) => void;
  /** Called once; nothing is read after it. */
  readonly onOverflow: () => void;
}

/**
 * Cuts a byte stream at newlines and gives each line decoded as UTF-8, empty lines left out. Characters that chunks cut
 * in two come out whole, because only whole lines are decoded. Bytes after the last newline are never given.
 */
export function createLineReader({ maxBytes, onLine, onOverflow }: LineReaderDeps): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let size = 0;
  let isBroken = false;

  function add(part: Buffer): void {
    size += part.length;
    if (size > maxBytes) {
      isBroken = true;
      parts = [];
      onOverflow();
      return;
    }
    parts.push(part);
  }

  function endLine(): void {
    const [only] = parts;
    const bytes = parts.length === 1 && only ? only : Buffer.concat(parts);
    parts = [];
    size = 0;
    if (bytes.length > 0) onLine(bytes.toString("utf8"));
  }

  return (chunk) => {
    let start = 0;
    while (!isBroken) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      add(chunk.subarray(start, end));
      if (!isBroken) endLine();
      start = end + 1;
    }
    if (!isBroken && start < chunk.length) add(chunk.subarray(start));
  };
}
