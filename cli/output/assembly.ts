/**
 * Filters as assembly text with comments and names.
 *
 * @module
 */

import { annotate } from "../../bpf/annotate.ts";
import type { FilterStack } from "../../bpf/filter.ts";
import { comparedArches, follow } from "../../bpf/follow.ts";
import type { PaintedPart } from "../../bpf/assembly/paint.ts";
import { formatFilters, type StyleOptions } from "../../bpf/format.ts";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../../bpf/seccomp_data.ts";
import { ARCHES } from "../../tables/arch.ts";
import { archNames, archOfNumber, callName, syscallName } from "./names.ts";

/** Names of seccomp-tools for the architectures that it knows. */
const TOOL_NAMES: ReadonlyMap<string, string> = new Map([
  ["x86_64", "amd64"],
  ["x86", "i386"],
  ["aarch64", "aarch64"],
  ["riscv64", "riscv64"],
  ["s390x", "s390x"],
]);

/** SGR parameters: green, red, yellow, magenta, cyan. */
const COLORS: Readonly<Record<PaintedPart, number>> = {
  allow: 32,
  deny: 31,
  other: 33,
  name: 35,
  target: 36,
};

/** Writes text that reads back to the same filters. */
export function assembly(
  stack: FilterStack,
  options: StyleOptions = {},
): string {
  const { littleEndian } = stack;
  const names = { archName: archNames, syscallName: callName };
  const isStatement = options.style === "seccomp-tools";
  return formatFilters(stack, {
    ...options,
    comments: (program) => {
      const comment = annotate({ program, littleEndian }, names);
      const constant = nameConstants(program);
      return (instruction, pc) =>
        isStatement && !addsTo(instruction, constant(instruction, pc))
          ? undefined
          : comment(instruction, pc);
    },
    constants: nameConstants,
  });
}

/** Colors a part of a line for a terminal. */
export function paintPart(part: PaintedPart, text: string): string {
  return `\x1b[${COLORS[part]}m${text}\x1b[0m`;
}

/** Reports whether a comment adds information to the statement before it. */
function addsTo(
  { op, k }: Instruction,
  constant: string | undefined,
): boolean {
  if (op === "ret.k") return k >>> 16 === ERRNO;
  return op !== "ld.abs" && constant === undefined;
}

const ERRNO = 5;

/**
 * Returns the function that names the values that a program compares words
 * with, as seccomp-tools does. The first architecture of a program has no
 * prefix.
 */
function nameConstants(
  program: Program,
): (instruction: Instruction, pc: number) => string | undefined {
  const known = follow(program);
  const [main] = comparedArches(program);
  return ({ op, k }, pc) => {
    const { offset, arch } = known[pc] ?? {};
    if (op !== "jeq.k") return undefined;
    if (offset === ARCH_OFFSET) {
      const found = ARCHES.find(({ auditArch }) => auditArch === k)?.name;
      const name = found === "x86" ? "i386" : found;
      return found !== undefined && TOOL_NAMES.has(found)
        ? `ARCH_${name?.toUpperCase()}`
        : undefined;
    }
    const call = offset === NR_OFFSET && arch !== undefined
      ? syscallName(arch, k)
      : undefined;
    const owner = arch === undefined ? undefined : archOfNumber(arch, k);
    if (call === undefined || owner === undefined) return undefined;
    if (owner.syscallBit !== 0) return `x32_${call}`;
    const tool = TOOL_NAMES.get(owner.name);
    if (tool === undefined) return undefined;
    return arch === main ? call : `${tool}.${call}`;
  };
}
