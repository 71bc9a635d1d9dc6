import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { isErrno } from "../../src/domain/errors.ts";
import { tempDir } from "./temp.ts";

/** A disk of its own, which can be filled to its last byte and made room on again. */
export interface SmallDisk {
  readonly fill: () => void;
  readonly makeRoom: () => void;
}

/** True where this test may mount file systems. */
export function canMount(): boolean {
  const folder = tempDir();
  const isMounted = mount(folder, 1);
  if (isMounted) unmount(folder);
  return isMounted;
}

/** Mounts a file system of that many megabytes on a folder, until the test has finished. */
export function smallDisk(folder: string, megabytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true });
  if (!mount(folder, megabytes)) throw new Error(`nothing can be mounted on ${folder}`);
  onTestFinished(() => unmount(folder));
  const ballast = join(folder, "ballast");
  return {
    fill: () => {
      const file = openSync(ballast, "w");
      try {
        for (const size of [1_048_576, 4_096, 1]) writeUntilFull(file, Buffer.alloc(size));
      } finally {
        closeSync(file);
      }
    },
    makeRoom: () => rmSync(ballast),
  };
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if (!isErrno(error, "ENOSPC")) throw error;
  }
}

function mount(folder: string, megabytes: number): boolean {
  const options = `size=${megabytes}m,mode=0700`;
  return spawnSync("/bin/mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0;
}

function unmount(folder: string): void {
  spawnSync("/bin/umount", ["-l", folder]);
}
