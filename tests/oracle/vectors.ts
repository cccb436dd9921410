/**
 * The verdicts of libseccomp's own regression tests, if the data is available,
 * and architectures that only they name.
 *
 * @module
 */

import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { ARCHES } from "../../tables/arch.ts";
import { sharedFile } from "../machine.ts";
import type { OracleArch, OracleHost } from "./host.ts";
import { hostOf } from "./meaning.ts";
import { parseExact, toSection } from "./read_section.ts";

/** One verdict. */
export interface Vector {
  /** Architecture in the words of libseccomp. */
  readonly arch: string;
  /** Number, as in `seccomp_data.nr`. */
  readonly nr: number;
  /** Six arguments, u64. */
  readonly args: readonly bigint[];
  /** Return value of the filter, a u32. */
  readonly expect: number;
}

/** One filter with its verdicts. */
export interface VectorTest {
  /** Name of libseccomp's test and the machine. */
  readonly name: string;
  /** The machine, in the words of libseccomp. */
  readonly native: string;
  /** The filter. */
  readonly seccomp: LinuxSeccomp;
  /** The verdicts. */
  readonly vectors: readonly Vector[];
}

interface RawTest {
  readonly name: string;
  readonly native: string;
  readonly oci: unknown;
  readonly vectors: readonly {
    readonly arch: string;
    readonly nr: number;
    readonly args: readonly string[];
    readonly expect: string;
  }[];
}

const ACTIONS: Readonly<Record<string, number>> = {
  KILL: 0,
  KILL_PROCESS: 0x8000_0000,
  TRAP: 0x0003_0000,
  ERRNO: 0x0005_0000,
  TRACE: 0x7ff0_0000,
  LOG: 0x7ffc_0000,
  ALLOW: 0x7fff_0000,
};

/**
 * Reads the vectors.
 *
 * @returns The tests.
 */
export function readVectors(): readonly VectorTest[] {
  const text = Deno.readTextFileSync(sharedFile("libseccomp-vectors.json"));
  // The file describes its own contents.
  const { tests } = parseExact(text) as { readonly tests: readonly RawTest[] };
  return tests.map(({ name, native, oci, vectors }) => ({
    name,
    native,
    seccomp: toSection(oci),
    vectors: vectors.map(({ arch, nr, args, expect }) => ({
      arch,
      nr: nr >>> 0,
      args: args.map(BigInt),
      expect: toValue(expect),
    })),
  }));
}

/** Reads `ALLOW` or `ERRNO(1)`. */
function toValue(text: string): number {
  const [, action = "", data = "0"] = text.match(/^(\w+?)(?:\((\d+)\))?$/) ??
    [];
  const value = ACTIONS[action];
  if (value === undefined) throw new Error(`Unknown verdict ${text}`);
  return value + Number(data);
}

/**
 * Makes the machine of a test.
 *
 * @param native In the words of libseccomp.
 * @returns The machine; it runs crun.
 */
export function vectorHost(native: string): OracleHost {
  return {
    ...hostOf({ native: "x86_64", semantics: "crun" }),
    native: vectorArch(native),
    find: (scmp) =>
      ARCHES.find((arch) => arch.scmp === scmp) ??
        OTHERS.find((arch) => arch.scmp === scmp),
  };
}

/**
 * Finds an architecture.
 *
 * @param name In the words of libseccomp.
 * @returns The architecture.
 */
export function vectorArch(name: string): OracleArch {
  const scmp = `SCMP_ARCH_${name.toUpperCase()}`;
  const arch = ARCHES.find((arch) => arch.scmp === scmp) ??
    OTHERS.find((arch) => arch.scmp === scmp);
  if (arch === undefined) throw new Error(`Unknown architecture ${name}`);
  return arch;
}

function named(
  scmp: string,
  token: number,
  bits: 32 | 64,
  syscalls: Readonly<Record<string, number>>,
): OracleArch {
  return {
    scmp,
    scmpToken: token,
    auditArch: token,
    bits,
    littleEndian: false,
    syscallBit: 0,
    syscalls: new Map(Object.entries(syscalls)),
    multiplexed: [],
  };
}

const PARISC = { read: 3, write: 4, close: 6, "rt_sigreturn": 173 };

/** Architectures of the tests that the project has no table for. */
const OTHERS: readonly OracleArch[] = [
  named("SCMP_ARCH_PARISC", 0x0000_000f, 32, PARISC),
  named("SCMP_ARCH_PARISC64", 0x8000_000f, 64, PARISC),
];
