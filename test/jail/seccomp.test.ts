import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Jail } from "../../src/jail/jail.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { seccompFilter } from "../../src/jail/seccomp.ts";
import { createWorld, type JailWorld, memoryLog, runShell } from "../support/git-project.ts";

const ALLOWED = 0x7fff0000;
const ENOSYS = 0x00050000 | 38;
const EAFNOSUPPORT = 0x00050000 | 97;
const EPERM = 0x00050000 | 1;
const CLONE_NEWUSER = 0x10000000;
const X64 = 0xc000003e;
const ARM64 = 0xc00000b7;
const I386 = 0x40000003;

/** Runs a filter as the kernel does: classic BPF, the instructions that filters of seccomp use. */
function verdictOf(filter: Buffer, call: { arch: number; number: number; first?: number }): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number, 0);
  data.writeUInt32LE(call.arch, 4);
  data.writeUInt32LE(call.first ?? 0, 16);
  let loaded = 0;
  for (let at = 0; at < filter.length; at += 8) {
    const [code, value] = [filter.readUInt16LE(at), filter.readUInt32LE(at + 4)];
    if (code === 0x06) return value;
    if (code === 0x20) loaded = data.readUInt32LE(value);
    if (code === 0x15) at += 8 * filter.readUInt8(at + (loaded === value ? 2 : 3));
    if (code === 0x45) at += 8 * filter.readUInt8(at + ((loaded & value) !== 0 ? 2 : 3));
    if (code === 0x35) at += 8 * filter.readUInt8(at + (loaded >= value ? 2 : 3));
  }
  throw new Error("The filter has no end");
}

test.each([
  ["x64", X64, 41, [248, 249, 250, 308], [272, 56]],
  ["arm64", ARM64, 198, [217, 218, 219, 268], [97, 220]],
] as const)(
  "the filter of %s refuses keyrings, io_uring, user namespaces and other families, and nothing else",
  (machine, arch, socket, always, making) => {
    const filter = seccompFilter(machine);
    const refused: readonly number[] = [...always, 425, 426, 427, 435];
    for (let number = 0; number < 600; number += 1) {
      if (number === socket) continue;
      expect([number, verdictOf(filter, { arch, number })]).toEqual([
        number,
        refused.includes(number) ? ENOSYS : ALLOWED,
      ]);
    }
    for (const number of making) {
      for (let bit = 0; bit < 32; bit += 1) {
        const first = (1 << bit) >>> 0;
        const expected = first === CLONE_NEWUSER ? EPERM : ALLOWED;
        expect([bit, verdictOf(filter, { arch, number, first })]).toEqual([bit, expected]);
      }
      expect(verdictOf(filter, { arch, number, first: 0x7fff_ffff })).toBe(EPERM);
    }
    for (let first = 0; first < 60; first += 1) {
      const expected = [1, 2, 10, 16].includes(first) ? ALLOWED : EAFNOSUPPORT;
      expect([first, verdictOf(filter, { arch, number: socket, first })]).toEqual([first, expected]);
    }
  },
);

test("calls of another ABI are refused, whatever their number: there they would mean something else", () => {
  const filter = seccompFilter("x64");
  for (const number of [0, 1, 41, 102, 250, 288]) {
    expect(verdictOf(filter, { arch: I386, number })).toBe(ENOSYS);
    expect(verdictOf(filter, { arch: X64, number: 0x40000000 + number })).toBe(ENOSYS);
  }
});

test("a machine whose numbers are not known has no jail", () => {
  expect(() => seccompFilter("riscv64")).toThrow(/for x64 and arm64, and this machine is riscv64/);
});

describe.runIf(process.platform === "linux")("the Linux jail", () => {
  let world: JailWorld;
  let jail: Jail;
  let noJail: Jail;
  beforeAll(async () => {
    world = await createWorld();
    const deps = { platform: process.platform, log: memoryLog() };
    jail = await openJail({ ...deps, sandbox: "require", scratchDir: world.scratchDir });
    noJail = await openJail({ ...deps, sandbox: "off", scratchDir: join(world.root, "scratch-off") });
  });
  afterAll(async () => {
    await Promise.all([jail.close(), noJail.close()]);
    await world[Symbol.asyncDispose]();
  });

  const [addKey, keyctl] = process.arch === "arm64" ? [217, 219] : [248, 250];

  test("a key in the daemon's session keyring can neither be read nor left there from inside", async () => {
    const perl = `my ($type, $name, $text) = ("user", "canary", "sung"); my $out = "\\0" x 9;
      my $key = syscall(${addKey}, $type, $name, $text, length $text, -3); print $key < 0 ? "refused $!" : "kept";
      $key = 1 if $key < 0; print syscall(${keyctl}, 11, $key, $out, 9) < 0 ? " refused $!" : " $out"`;
    const script = `perl -e '${perl}'`;
    expect((await runShell(jail, world, script)).stdout).toBe(
      "refused Function not implemented refused Function not implemented",
    );
    expect((await runShell(noJail, world, script)).stdout.replaceAll("\0", "")).toBe("kept sung");
  });

  test("sockets of families that lead past the network namespace cannot be made, io_uring neither", async () => {
    const families = `perl -e 'for (0..45) { print "$_ " if socket(S, $_, 1, 0) or socket(S, $_, 2, 0) or socket(S, $_, 3, 0) or socket(S, $_, 5, 0) }'`;
    expect((await runShell(jail, world, families)).stdout).toBe("1 2 10 16 ");
    expect((await runShell(noJail, world, families)).stdout.trim().split(" ").length).toBeGreaterThan(4);
    const ring = `perl -e 'syscall(425, 0, 0); print $!'`;
    expect((await runShell(jail, world, ring)).stdout).toBe("Function not implemented");
    expect((await runShell(noJail, world, ring)).stdout).not.toBe("Function not implemented");
  });
});
