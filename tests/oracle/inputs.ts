/**
 * Calls worth trying on a profile: every number that it names, on every
 * architecture, with arguments around every constant; neighboring numbers; and
 * the edges of the number space.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import type {
  LinuxSeccomp,
  LinuxSeccompArg,
} from "../../profile/formats/oci.ts";
import { ARCHES } from "../../tables/arch.ts";
import type { OracleArch } from "./host.ts";
import { archOf, type Target } from "./meaning.ts";
import { createRandom, type Random } from "./random.ts";

/** Maximum number of calls. */
export interface InputsOptions {
  /** Seed of the choice if there are too many, a u32; 1 by default. */
  readonly seed?: number;
  /**
   * Maximum number of combinations of arguments for one number, 48 by default.
   */
  readonly combinations?: number;
}

/** Numbers that are special to a filter or to the kernel. */
export const EDGES: readonly number[] = [
  0,
  1,
  2000,
  0x3fff_ffff,
  0x4000_0000,
  0x4000_0001,
  0x4000_0400,
  0x7fff_ffff,
  0x8000_0000,
  0xbfff_ffff,
  0xc000_0000,
  0xffff_fffe,
  0xffff_ffff,
];

const U64 = 0xffff_ffff_ffff_ffffn;
const U32 = 0xffff_ffffn;

/**
 * Makes the calls.
 *
 * @param seccomp The profile.
 * @param target The machine.
 * @param options Limits.
 * @returns Calls; equal ones may occur.
 */
export function inputs(
  seccomp: LinuxSeccomp,
  target: Target,
  options: InputsOptions = {},
): SeccompData[] {
  const random = createRandom(options.seed ?? 1);
  const calls: SeccompData[] = [];
  const put = (arch: number, nr: number, args: readonly bigint[]): void => {
    calls.push({ nr, arch, instructionPointer: 0n, args });
  };
  const anyArgs = (): bigint[] =>
    [0, 1, 2, 3, 4, 5].map(() =>
      random.pick([0n, 1n, U32, U64, BigInt(random.u32())])
    );
  const native = archOf(target.native);
  const listed = ARCHES.filter(({ scmp }) =>
    seccomp.architectures.includes(scmp) || scmp === native.scmp
  );
  const auditArches = new Set(listed.map(({ auditArch }) => auditArch));
  for (const arch of listed) {
    for (const [nr, args] of conditionsByNumber(seccomp, arch)) {
      const lattice = argumentLattice(args, random);
      for (
        const combination of combine(
          lattice,
          options.combinations ?? 48,
          random,
        )
      ) put(arch.auditArch, nr, combination);
      put(arch.auditArch, nr, anyArgs());
      for (const near of [nr - 1, nr + 1, (nr ^ 0x4000_0000) >>> 0]) {
        put(arch.auditArch, near >>> 0, anyArgs());
      }
      const [first] = auditArches;
      if (first !== undefined) put(first, nr, anyArgs());
    }
  }
  const strangers = [0, 0xffff_ffff, random.pick(ARCHES).auditArch];
  for (const arch of [...auditArches, ...strangers]) {
    for (const nr of EDGES) put(arch, nr, anyArgs());
    put(arch, random.int(512), anyArgs());
    put(arch, 0x4000_0000 + random.int(600), anyArgs());
  }
  return calls;
}

/** The comparisons that apply to a number on an architecture. */
function conditionsByNumber(
  seccomp: LinuxSeccomp,
  arch: OracleArch,
): Map<number, LinuxSeccompArg[]> {
  const found = new Map<number, LinuxSeccompArg[]>();
  const note = (nr: number, args: readonly LinuxSeccompArg[]): void => {
    found.set(nr, [...(found.get(nr) ?? []), ...args]);
  };
  for (const { names, args } of seccomp.syscalls) {
    for (const name of names) {
      const nr = arch.syscalls.get(name);
      if (nr !== undefined) note(nr, args);
      const behind = arch.multiplexed.find((call) => call.name === name);
      if (behind === undefined) continue;
      note(behind.nr, [...args, {
        index: 0,
        op: "SCMP_CMP_EQ",
        value: BigInt(behind.call),
        valueTwo: 0n,
      }]);
    }
  }
  return found;
}

/** Values worth trying for each argument. */
function argumentLattice(
  conditions: readonly LinuxSeccompArg[],
  random: Random,
): bigint[][] {
  const values = [0, 1, 2, 3, 4, 5].map(() => new Set<bigint>());
  for (const { index, op, value, valueTwo } of conditions) {
    const put = (v: bigint): void => {
      values[index]?.add(v & U64);
    };
    const isMasked = op === "SCMP_CMP_MASKED_EQ";
    const constant = isMasked ? value & valueTwo : value;
    for (const near of [-1n, 0n, 1n]) {
      put(constant + near);
      put((constant + near) & U32);
      put((constant & U32) + near | random.pick([1n, U32, 2n]) << 32n);
      put(constant + (near << 32n));
    }
    if (isMasked) {
      put(constant | ~value);
      put(valueTwo);
      for (let bit = 0n; bit < 64n; bit++) {
        if ((value >> bit & 1n) === 1n && random.chance(0.2)) {
          put(constant ^ (1n << bit));
        }
      }
      put(constant ^ (1n << BigInt(random.int(64))));
    }
  }
  return values.map((set) => set.size === 0 ? [0n] : [...set]);
}

/** All combinations if they are few, a choice of them elsewhere. */
function combine(
  lattice: readonly (readonly bigint[])[],
  most: number,
  random: Random,
): bigint[][] {
  const count = lattice.reduce((product, { length }) => product * length, 1);
  if (count > most) {
    return Array.from(
      { length: most },
      () => lattice.map((values) => random.pick(values)),
    );
  }
  let combinations: bigint[][] = [[]];
  for (const values of lattice) {
    combinations = combinations.flatMap((args) =>
      values.map((value) => [...args, value])
    );
  }
  return combinations;
}
