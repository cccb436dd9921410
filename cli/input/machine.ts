/**
 * The machine that a bare filter is for: byte order and architectures, as the
 * filter itself shows them, or as `--arch` says.
 *
 * @module
 */

import { comparedArches } from "../../bpf/follow.ts";
import type { Program } from "../../bpf/instruction.ts";
import { ARCH_OFFSET } from "../../bpf/seccomp_data.ts";
import type { ParsedFilters } from "../../bpf/text.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import { UsageError } from "../error.ts";
import { archesOf, nativeArch } from "./target.ts";

/** The machine that filters are for. */
export interface Machine {
  /** Byte order. */
  readonly littleEndian: boolean;
  /** The architecture of calls that name none. */
  readonly native: Arch;
  /** The architectures that the filters know, the native one first. */
  readonly arches: readonly Arch[];
  /** What was assumed about it; parts that the filters show are absent. */
  readonly assumed: MachineAssumptions;
}

/** What was assumed about a machine, in words. */
export interface MachineAssumptions {
  /** About the byte order; absent too if the filters read no half of an argument. */
  readonly order?: string;
  /** About the native architecture. */
  readonly native?: string;
}

/**
 * Finds the machine that filters are for.
 *
 * @param name Name of the source, for messages.
 * @param filters The filters, with what is known about their byte order.
 * @param arch What `--arch` names.
 * @throws {UsageError} when that has the other byte order than the filters.
 */
export function machineOf(
  name: string,
  filters: ParsedFilters,
  arch: readonly string[] | undefined,
): Machine {
  const named = arch === undefined ? undefined : archesOf(arch);
  const [first] = named ?? [];
  if (
    first !== undefined && filters.order === "given" &&
    first.littleEndian !== filters.littleEndian
  ) {
    throw new UsageError(
      `Cannot use --arch ${first.name} with ${name}: the filter is ${
        orderName(filters.littleEndian)
      }: leave --arch out, or name an architecture of that byte order`,
    );
  }
  const { littleEndian } = first ?? filters;
  if (named !== undefined && first !== undefined) {
    return { littleEndian, native: first, arches: named, assumed: {} };
  }
  const compared = new Set(filters.programs.flatMap(comparedArches));
  const known = [...compared].flatMap((value) =>
    ARCHES.filter((one) =>
      one.auditArch === value && one.littleEndian === littleEndian
    )
  );
  const host = nativeArch();
  const native = known.includes(host) ? host : known[0] ??
    (host.littleEndian === littleEndian ? host : firstOf(littleEndian));
  const isSure = native === host
    ? known.length > 0
    : known.length > 0 && known.every((a) => a.auditArch === native.auditArch);
  const reason = known.length === 0
    ? "compares arch with no architecture that has a table"
    : `compares arch with ${known.map(({ name }) => name).join(", ")}`;
  return {
    littleEndian,
    native,
    arches: [native, ...known.filter((one) => one !== native)],
    assumed: {
      ...(filters.order === "assumed" && filters.programs.some(readsHalves) && {
        order: `a ${
          orderName(littleEndian)
        } machine, as the filter does not show its byte order; --arch names another`,
      }),
      ...(!isSure && {
        native: `${native.name}, as the filter ${reason}; --arch names another`,
      }),
    },
  };
}

/** Whether it matters to a program which half of a 64-bit field comes first. */
function readsHalves(program: Program): boolean {
  return program.some(({ op, k }) => op === "ld.abs" && k > ARCH_OFFSET);
}

/** The first architecture of a byte order. */
function firstOf(littleEndian: boolean): Arch {
  const found = ARCHES.find((arch) => arch.littleEndian === littleEndian);
  if (found === undefined) throw new Error("Unreachable: no such byte order");
  return found;
}

/** A byte order in words. */
export function orderName(littleEndian: boolean): string {
  return littleEndian ? "little-endian" : "big-endian";
}
