/**
 * Makes a failing profile small: removes entries, names, comparisons,
 * architectures and digits as long as the failure remains.
 *
 * @module
 */

import type {
  LinuxSeccomp,
  LinuxSeccompArg,
  LinuxSyscall,
} from "../../profile/formats/oci.ts";

/**
 * Shrinks a profile.
 *
 * @param seccomp A profile that fails.
 * @param fails Reports whether a profile still fails.
 * @returns The smallest failing profile that was found.
 */
export async function shrink(
  seccomp: LinuxSeccomp,
  fails: (smaller: LinuxSeccomp) => boolean | Promise<boolean>,
): Promise<LinuxSeccomp> {
  let smallest = seccomp;
  for (let budget = 400; budget > 0;) {
    let isSmaller = false;
    for (const candidate of candidates(smallest)) {
      if (budget-- <= 0) break;
      if (!await fails(candidate)) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
    if (!isSmaller) break;
  }
  return smallest;
}

/**
 * Prints a profile.
 *
 * @param seccomp The profile.
 * @returns JSON, u64 values in hex.
 */
export function print(seccomp: LinuxSeccomp): string {
  return JSON.stringify(
    {
      ...seccomp,
      syscalls: seccomp.syscalls.map(({ path: _, ...rest }) => rest),
    },
    (_key, value: unknown) =>
      typeof value === "bigint" ? `0x${value.toString(16)}` : value,
  );
}

function* candidates(seccomp: LinuxSeccomp): Generator<LinuxSeccomp> {
  for (const architectures of without(seccomp.architectures)) {
    yield { ...seccomp, architectures };
  }
  for (const syscalls of without(seccomp.syscalls)) {
    yield { ...seccomp, syscalls };
  }
  for (const [i, entry] of seccomp.syscalls.entries()) {
    for (const smaller of smallerEntries(entry)) {
      yield { ...seccomp, syscalls: seccomp.syscalls.with(i, smaller) };
    }
  }
}

function* smallerEntries(entry: LinuxSyscall): Generator<LinuxSyscall> {
  if (entry.names.length > 1) {
    for (const names of without(entry.names)) yield { ...entry, names };
  }
  for (const args of without(entry.args)) yield { ...entry, args };
  for (const [i, arg] of entry.args.entries()) {
    for (const smaller of smallerArgs(arg)) {
      yield { ...entry, args: entry.args.with(i, smaller) };
    }
  }
}

function* smallerArgs(arg: LinuxSeccompArg): Generator<LinuxSeccompArg> {
  for (const value of smallerValues(arg.value)) yield { ...arg, value };
  for (const valueTwo of smallerValues(arg.valueTwo)) {
    yield { ...arg, valueTwo };
  }
}

function* smallerValues(value: bigint): Generator<bigint> {
  const options = [0n, 1n, value & 0xffff_ffffn, value >> 32n << 32n];
  for (const option of options) if (option < value) yield option;
}

function* without<T>(items: readonly T[]): Generator<T[]> {
  for (let i = 0; i < items.length; i++) yield items.toSpliced(i, 1);
}
