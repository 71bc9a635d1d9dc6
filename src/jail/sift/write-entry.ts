import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";

const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes a folder of the target. Never one of its links: none is ever made there. */
export async function writeFolder(target: string, path: string): Promise<void> {
  await mkdir(join(target, path), { recursive: true, mode: 0o700 });
}

/** Writes a new file of the target, whatever rights it had where it came from. `take` is told of each piece before it is written. */
export async function writeFile(
  target: string,
  path: string,
  {
    pieces,
    take,
  }: { readonly pieces: AsyncIterable<Uint8Array>; readonly take: (piece: Uint8Array) => void },
): Promise<void> {
  const place = join(target, path);
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  await using file = await open(place, NEW, 0o600);
  for await (const piece of pieces) {
    take(piece);
    await file.writeFile(piece);
  }
}
