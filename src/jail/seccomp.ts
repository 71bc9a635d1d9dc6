import { AppError } from "../domain/errors.ts";

/**
 * What no namespace keeps apart: kernel keyrings, which a child inherits from the daemon's session and may read and write, and
 * sockets of families that know no network namespace (AF_VSOCK leads to the hypervisor). io_uring makes sockets past the filter.
 * And new user namespaces, in which a process has capabilities to try on the kernel: bwrap forbids them by itself only where it
 * makes one, which it cannot for a root that becomes another user.
 */
interface Calls {
  /** AUDIT_ARCH_… of linux/audit.h. */
  readonly arch: number;
  readonly socket: number;
  readonly refused: readonly number[];
  /** Take flags of sched.h as their first argument, CLONE_NEWUSER among them: unshare, clone. */
  readonly making: readonly number[];
  /** Numbers from here on belong to another ABI of the same machine (x32); null where there is none. */
  readonly otherAbiFrom: number | null;
}

const IO_URING = [425, 426, 427];
/** Takes its flags by a pointer, which no filter can follow; C libraries use clone where it is missing. */
const CLONE3 = 435;

/** By Node's name of the machine: asm/unistd.h. `refused` begins with add_key, request_key, keyctl, setns. */
const MACHINES: Readonly<Record<string, Calls>> = {
  x64: {
    arch: 0xc000003e,
    socket: 41,
    refused: [248, 249, 250, 308, ...IO_URING, CLONE3],
    making: [272, 56],
    otherAbiFrom: 0x40000000,
  },
  arm64: {
    arch: 0xc00000b7,
    socket: 198,
    refused: [217, 218, 219, 268, ...IO_URING, CLONE3],
    making: [97, 220],
    otherAbiFrom: null,
  },
};

/** AF_UNIX, AF_INET, AF_INET6, and AF_NETLINK, by which programs list the interfaces of their own namespace. */
const FAMILIES = [1, 2, 10, 16];

const CLONE_NEWUSER = 0x10000000;

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;

const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const RETURN = 0x06;

/** Offsets in struct seccomp_data; of the first argument the lower half, on a little-endian machine. */
const NUMBER_AT = 0;
const ARCH_AT = 4;
const FIRST_ARGUMENT_AT = 16;

interface Instruction {
  readonly code: number;
  /** How many instructions are skipped when it holds, and when not. */
  readonly jumps?: readonly [number, number];
  readonly value: number;
}

/**
 * The jail's system call filter for a machine by Node's name of it, as bytes for bwrap's --seccomp (seccomp(2), struct
 * sock_filter). What it refuses fails as if the kernel did not have it; calls of another ABI of the machine fail all.
 * @throws AppError `sandbox_missing` for a machine whose numbers are not known.
 */
export function seccompFilter(machine: string): Buffer {
  const calls = MACHINES[machine];
  if (calls === undefined) {
    throw new AppError(
      "sandbox_missing",
      `The sandbox's filter is for x64 and arm64, and this machine is ${machine}`,
    );
  }
  const program = [
    load(ARCH_AT),
    { code: IF_EQUAL, jumps: [1, 0], value: calls.arch },
    refuse(ENOSYS),
    load(NUMBER_AT),
    ...(calls.otherAbiFrom === null ? [] : [when(IF_AT_LEAST, calls.otherAbiFrom), refuse(ENOSYS)]),
    ...calls.refused.flatMap((number) => [when(IF_EQUAL, number), refuse(ENOSYS)]),
    ...calls.making.flatMap((number) => [
      { code: IF_EQUAL, jumps: [0, 4] as const, value: number },
      load(FIRST_ARGUMENT_AT),
      when(IF_ANY_BIT, CLONE_NEWUSER),
      refuse(EPERM),
      allow,
    ]),
    { code: IF_EQUAL, jumps: [1, 0], value: calls.socket },
    allow,
    load(FIRST_ARGUMENT_AT),
    ...FAMILIES.flatMap((family) => [when(IF_EQUAL, family), allow]),
    refuse(EAFNOSUPPORT),
  ] satisfies readonly Instruction[];
  return Buffer.concat(program.map(bytesOf));
}

const allow: Instruction = { code: RETURN, value: ALLOW };

function refuse(errno: number): Instruction {
  return { code: RETURN, value: ERRNO | errno };
}

function load(offset: number): Instruction {
  return { code: LOAD, value: offset };
}

/** The next instruction is for what fits only. */
function when(code: number, value: number): Instruction {
  return { code, jumps: [0, 1], value };
}

function bytesOf({ code, jumps = [0, 0], value }: Instruction): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(jumps[0], 2);
  bytes.writeUInt8(jumps[1], 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}
