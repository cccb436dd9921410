/**
 * Resolves the names of system calls in a text.
 *
 * The number of a name depends on the architecture. If all paths to an
 * instruction have compared `arch` with one value, that value determines it;
 * otherwise the caller does.
 *
 * @module
 */

import { didYouMean } from "../../tables/suggest.ts";
import { type Arch, archByName, ARCHES } from "../../tables/arch.ts";
import { archByAnyName } from "../../tables/arch_names.ts";
import type { NamedCall } from "./draft.ts";

/** The number of a name, or the reason why it has none. */
export type CallNumberFound =
  | { readonly kind: "number"; readonly nr: number; readonly arch: Arch }
  | { readonly kind: "undecided" }
  | { readonly kind: "unknown"; readonly message: string };

/** The context of a name. */
export interface CallContext {
  /** Value of `arch` at the instruction, if known. */
  readonly auditArch: number | undefined;
  /** Architectures that the user named, the native one first. */
  readonly given: readonly Arch[];
}

/**
 * Finds the number of a named call.
 *
 * @param call The name.
 * @param context Facts about the architecture.
 * @returns The number, or the reason why there is no single one.
 */
export function numberOfCall(
  call: NamedCall,
  { auditArch, given }: CallContext,
): CallNumberFound {
  const { arch, name } = call;
  if (arch !== undefined) {
    const [found] = numbers(
      name,
      [archByAnyName(arch)].flatMap((a) => a ?? []),
    );
    return found ?? unknown(call, arch);
  }
  const decided = auditArch === undefined
    ? []
    : ARCHES.filter((one) => one.auditArch === auditArch);
  const [byFlow] = numbers(name, decided);
  const [byUser] = numbers(name, given);
  if (
    byFlow !== undefined && byUser !== undefined && byFlow.nr !== byUser.nr &&
    given.every((one) => one.auditArch !== auditArch)
  ) {
    return {
      kind: "unknown",
      message:
        `Cannot read "${name}": ${byFlow.nr} on ${byFlow.arch.name}, with which arch was compared, but ${byUser.nr} on ${byUser.arch.name}, as given; write ${byFlow.arch.name}.${name} or ${byUser.arch.name}.${name}`,
    };
  }
  if (auditArch !== undefined && decided.length > 0) {
    return byFlow ?? unknown(call, decided[0]?.name ?? "");
  }
  const [first] = given;
  if (first === undefined) {
    return isName(name) ? { kind: "undecided" } : unknown(call, undefined);
  }
  return byUser ?? unknown(call, first.name);
}

/** Reports whether any architecture has a call of this name and number. */
export function isCallSomewhere(
  { arch, name }: NamedCall,
  nr: number,
): boolean {
  const arches = arch === undefined
    ? ARCHES
    : ARCHES.filter((one) => one.name === arch);
  return numbers(name, arches).some((found) => found.nr === nr);
}

/** Reports whether any architecture has a call of this name. */
export function isName(name: string): boolean {
  return numbers(name, ARCHES).length > 0;
}

/** The numbers of a name; `x32_read` is `read` of x32. */
function numbers(
  name: string,
  arches: readonly Arch[],
): readonly (CallNumberFound & { readonly kind: "number" })[] {
  return arches.flatMap((arch) => {
    const nr = arch.syscalls.get(name);
    if (nr !== undefined) return [{ kind: "number" as const, nr, arch }];
    if (!name.startsWith("x32_") || arch.auditArch !== X86_64?.auditArch) {
      return [];
    }
    const x32 = X32?.syscalls.get(name.slice(4));
    return x32 === undefined || X32 === undefined
      ? []
      : [{ kind: "number" as const, nr: x32, arch: X32 }];
  });
}

const X86_64 = archByName("x86_64");
const X32 = archByName("x32");

function unknown(
  { name }: NamedCall,
  archName: string | undefined,
): CallNumberFound {
  const arch = archName === undefined ? undefined : archByAnyName(archName);
  const elsewhere = numbers(name, ARCHES).map((found) => found.arch.name);
  const near = didYouMean(
    name,
    [arch?.syscalls ?? X86_64?.syscalls].flatMap((calls) => [
      ...calls?.keys() ?? [],
    ]),
  );
  const fix = elsewhere.length > 0
    ? `it exists on ${[...new Set(elsewhere)].join(", ")}`
    : near === undefined
    ? "give its number"
    : `did you mean ${near}`;
  return {
    kind: "unknown",
    message: `Cannot read "${name}": not a system call${
      archName === undefined ? "" : ` of ${archName}`
    }; ${fix}`,
  };
}
