/**
 * Writes programs as assembly text that `parseFilters` reads back to the same
 * programs. The language is that of the kernel's `bpf_asm`; see `text.ts`.
 *
 * @module
 */

import { type FilterStack, inferByteOrder } from "./filter.ts";
import { formatInstruction } from "./assembly/format_instruction.ts";
import type { Instruction, Program } from "./instruction.ts";
import { isConditionalJump } from "./opcode.ts";

/** Format of a program. */
export interface FormatOptions {
  /**
   * True (the default) for labels at the targets of jumps; false for distances
   * in instructions.
   */
  readonly labels?: boolean;
  /** Comment for an instruction, or `undefined` for none. */
  readonly comments?: (
    instruction: Instruction,
    pc: number,
  ) => string | undefined;
}

/** Width of the longest label, `l4095:`, and spaces. */
const LABEL_WIDTH = 8;

/** Column of comments, counted from the instruction. */
const COMMENT_COLUMN = 32;

/**
 * Writes a program as text that `parseText` reads back to the same program.
 *
 * @example With comments
 * ```ts
 * import { format } from "./format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const program = [{ op: "ret.k", jt: 0, jf: 0, k: 0 }] as const;
 * const text = format(program, { comments: () => "kill" });
 * assertEquals(text.trim().split(/ {2,}/), ["ret #0x00000000", "; kill"]);
 * ```
 *
 * @param program The instructions.
 * @param options Labels and comments.
 * @returns One line per instruction, each ending in a line feed.
 */
export function format(program: Program, options: FormatOptions = {}): string {
  const labelled = options.labels ?? true;
  const targets: ReadonlySet<number> = labelled
    ? findTargets(program)
    : new Set();
  let text = "";
  for (const [pc, instruction] of program.entries()) {
    const label = targets.has(pc) ? `l${pc}:` : "";
    let line = label.padEnd(LABEL_WIDTH) +
      formatInstruction(instruction, pc, targets);
    const comment = options.comments?.(instruction, pc);
    if (comment !== undefined) {
      line = `${line.padEnd(LABEL_WIDTH + COMMENT_COLUMN - 1)} ; ${
        comment.replaceAll(/[\r\n\u2028\u2029]+/g, " ")
      }`;
    }
    text += `${line}\n`;
  }
  return text;
}

/** Format of the filters of a thread. */
export interface FormatStackOptions {
  /**
   * True (the default) for labels at the targets of jumps; false for distances
   * in instructions.
   */
  readonly labels?: boolean;
  /** Makes the function that comments the instructions of one program. */
  readonly comments?: (
    program: Program,
  ) => (instruction: Instruction, pc: number) => string | undefined;
}

/**
 * Writes filters as text that `parseFilters` reads back to the same filters.
 * The byte order is omitted if a reader would infer the same one.
 *
 * @example A big-endian filter
 * ```ts
 * import { formatFilters } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const program = [{ op: "ret.k", jt: 0, jf: 0, k: 0 }] as const;
 * const text = formatFilters({ programs: [program], littleEndian: false });
 * assertEquals(text.trim().split(/\s{2,}/), [".big-endian", "ret #0x00000000"]);
 * ```
 *
 * @param stack The filters.
 * @param options Labels and comments.
 * @returns One line per instruction or directive, each ending in a line feed.
 */
export function formatFilters(
  { programs, littleEndian }: FilterStack,
  options: FormatStackOptions = {},
): string {
  const { comments, ...rest } = options;
  const lines: string[] = [];
  if (!littleEndian) lines.push(directive("big-endian"));
  else if (inferByteOrder(programs) === false) {
    lines.push(directive("little-endian"));
  }
  for (const [i, program] of programs.entries()) {
    if (programs.length > 1) {
      const first = i === 0 ? ", oldest first" : "";
      lines.push(
        `${
          directive("filter").trimEnd().padEnd(LABEL_WIDTH + COMMENT_COLUMN - 1)
        } ; ${i} of ${programs.length}${first}\n`,
      );
    }
    const made = comments?.(program);
    lines.push(
      format(program, { ...rest, ...(made && { comments: made }) }),
    );
  }
  return lines.join("");
}

function directive(name: string): string {
  return `${" ".repeat(LABEL_WIDTH)}.${name}\n`;
}

/** Instructions that are targets of jumps inside the program. */
export function findTargets(program: Program): Set<number> {
  const targets = new Set<number>();
  for (const [pc, { op, jt, jf, k }] of program.entries()) {
    const distances = op === "ja"
      ? [k]
      : !isConditionalJump(op)
      ? []
      : jf === 0
      ? [jt]
      : [jt, jf];
    for (const distance of distances) {
      const target = pc + 1 + distance;
      if (target < program.length) targets.add(target);
    }
  }
  return targets;
}
