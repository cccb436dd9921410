/**
 * The machine of a bare filter: byte order and architectures, as inferred from
 * the filter itself or given by `--arch`.
 *
 * @module
 */

import { comparedArches } from "../../bpf/follow.ts";
import type { Program } from "../../bpf/instruction.ts";
import { ARCH_OFFSET } from "../../bpf/seccomp_data.ts";
import type { ParsedFilters } from "../../bpf/assembly/link_filters.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import { UsageError } from "../error.ts";
import { archesOf, nativeArch } from "./target.ts";

/** The machine of filters. */
export interface FilterMachine {
  /** Byte order. */
  readonly littleEndian: boolean;
  /** The architecture of calls that name none. */
  readonly native: Arch;
  /** The architectures that the filters test, the native one first. */
  readonly arches: readonly Arch[];
  /** True if the byte order is assumed and matters to the filters. */
  readonly orderIsAssumed: boolean;
  /**
   * The reason why the native architecture is assumed; absent if the filters
   * show it.
   */
  readonly nativeIsAssumed?: string;
  /** The architecture that is assumed for the call names of a text. */
  readonly namesAreAssumed?: string;
}

/**
 * Finds the machine of filters.
 *
 * @param name Name of the source, for messages.
 * @param filters The filters, with what is known about their byte order.
 * @param arch The architecture of `--arch`.
 * @throws {UsageError} if it differs in byte order from the filters.
 */
export function machineOf(
  name: string,
  filters: ParsedFilters & { readonly native?: Arch },
  arch: readonly string[] | undefined,
): FilterMachine {
  const named = arch === undefined ? undefined : archesOf(arch);
  const [first] = named ?? [];
  if (
    first !== undefined && filters.order === "given" &&
    first.littleEndian !== filters.littleEndian
  ) {
    throw new UsageError(
      `Cannot use --arch ${first.name} with ${name}: the filter is ${
        orderName(filters.littleEndian)
      }; leave --arch out, or name an architecture of that byte order`,
    );
  }
  const { littleEndian } = first ?? filters;
  if (named !== undefined && first !== undefined) {
    return {
      littleEndian,
      native: first,
      arches: named,
      orderIsAssumed: false,
    };
  }
  const host = nativeArch();
  const known = knownArches(filters, littleEndian);
  const arches = known.includes(host)
    ? [host, ...known.filter((one) => one !== host)]
    : known;
  const [likely = firstOf(littleEndian, host)] = arches;
  const native = filters.native ?? likely;
  const isSure = filters.native !== undefined ||
    known.length > 0 &&
      (native === host || known.every((a) => a.auditArch === native.auditArch));
  return {
    littleEndian,
    native,
    arches: known.length === 0 ? [native] : arches,
    orderIsAssumed: filters.order === "assumed" &&
      filters.programs.some(readsHalves),
    ...(filters.assumedArch !== undefined && {
      namesAreAssumed: filters.assumedArch,
    }),
    ...(!isSure && {
      nativeIsAssumed: `the filter compares arch with ${
        known.length === 0
          ? "no known architecture"
          : known.map(({ name }) => name).join(", ")
      }`,
    }),
  };
}

/**
 * Describes the assumptions about a machine.
 *
 * @param machine The machine.
 * @param options The relevance of the native architecture, and the option that
 * sets it.
 * @returns Words that follow "for"; empty without assumptions.
 */
export function assumptionWords(
  machine: FilterMachine,
  options: { readonly native: boolean; readonly flag?: string },
): string {
  const { namesAreAssumed: names } = machine;
  const parts = [
    machineWords(machine, options),
    names === undefined
      ? ""
      : `call names as on ${names}, because the text does not compare arch; pass --arch for another`,
  ];
  return parts.filter((part) => part !== "").join("; for ");
}

function machineWords(
  { littleEndian, native, orderIsAssumed, nativeIsAssumed }: FilterMachine,
  options: { readonly native: boolean; readonly flag?: string },
): string {
  const { flag = "--arch" } = options;
  const order = orderName(littleEndian);
  if (options.native && nativeIsAssumed !== undefined) {
    const machine = orderIsAssumed ? `${native.name}, ${order}` : native.name;
    return `${machine}, because ${nativeIsAssumed}; pass ${flag} for another`;
  }
  return orderIsAssumed
    ? `a ${order} machine, because the filter does not show its byte order; pass ${flag} for another`
    : "";
}

/** The architectures that filters compare `arch` with, in the order of the tests. */
function knownArches(
  { programs }: ParsedFilters,
  littleEndian: boolean,
): readonly Arch[] {
  const compared = new Set(programs.flatMap(comparedArches));
  return [...compared].flatMap((value) =>
    ARCHES.filter((one) =>
      one.auditArch === value && one.littleEndian === littleEndian
    )
  );
}

/**
 * Reports whether the order of the halves of a 64-bit field matters to a
 * program.
 */
function readsHalves(program: Program): boolean {
  return program.some(({ op, k }) => op === "ld.abs" && k > ARCH_OFFSET);
}

/** This machine's architecture, or the first one of another byte order. */
function firstOf(littleEndian: boolean, host: Arch): Arch {
  if (host.littleEndian === littleEndian) return host;
  const found = ARCHES.find((arch) => arch.littleEndian === littleEndian);
  if (found === undefined) throw new Error("Unreachable: no such byte order");
  return found;
}

/** Name of a byte order. */
export function orderName(littleEndian: boolean): string {
  return littleEndian ? "little-endian" : "big-endian";
}
