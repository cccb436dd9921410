/**
 * Writes programs as assembly text that `parseFilters` reads back to the same
 * programs. The language is that of the kernel's `bpf_asm`; see `text.ts`.
 *
 * @module
 */

import { formatInstruction } from "./assembly/format_instruction.ts";
import { formatStatement } from "./assembly/format_statement.ts";
import { paintLine } from "./assembly/paint.ts";
import { ProgramError } from "./error.ts";
import { type FilterStack, inferByteOrder } from "./filter.ts";
import type { Instruction, Program } from "./instruction.ts";
import { isConditionalJump, toCode } from "./opcode.ts";

/**
 * Format of the filters of a thread.
 *
 * @category Filters
 */
export interface FormatStackOptions {
  /** The language: that of `bpf_asm` by default. */
  readonly style?: "bpf_asm" | "seccomp-tools";
  /** True for the index before each instruction. */
  readonly numbers?: boolean;
  /** True for code, jt, jf and k before each instruction. */
  readonly fields?: boolean;
  /** Colors a part of a line: an answer by its action, a name, or a target. */
  readonly paint?: (
    part: "allow" | "deny" | "other" | "name" | "target",
    text: string,
  ) => string;
  /**
   * True (the default) for labels at the targets of jumps; false for distances
   * in instructions.
   */
  readonly labels?: boolean;
  /** Returns the function that comments the instructions of one program. */
  readonly comments?: (
    program: Program,
  ) => (instruction: Instruction, pc: number) => string | undefined;
  /** Returns the function that names the constants of one program. */
  readonly constants?: (
    program: Program,
  ) => (instruction: Instruction, pc: number) => string | undefined;
}

/** Style of a text. */
export type StyleOptions = Omit<
  FormatStackOptions,
  "labels" | "comments" | "constants"
>;

/** Format of a program. */
export interface FormatOptions
  extends Omit<FormatStackOptions, "comments" | "constants"> {
  /** Comment for an instruction, or `undefined` for none. */
  readonly comments?: (
    instruction: Instruction,
    pc: number,
  ) => string | undefined;
  /** Name for the constant of a comparison, in the style of seccomp-tools. */
  readonly constants?: (
    instruction: Instruction,
    pc: number,
  ) => string | undefined;
  /** Byte order, for the style of seccomp-tools; little-endian if absent. */
  readonly littleEndian?: boolean;
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
 * @throws {ProgramError} `no-words` if the style cannot express an instruction;
 * with fields, every style can.
 *
 * @param program The instructions.
 * @param options Labels, comments and style.
 * @returns One line per instruction, each ending in a line feed.
 */
export function format(program: Program, options: FormatOptions = {}): string {
  const { style, numbers = false, fields = false } = options;
  const isStatement = style === "seccomp-tools";
  const targets: ReadonlySet<number> = options.labels ?? true
    ? findTargets(program, isStatement)
    : new Set();
  const width = isStatement && numbers ? 0 : LABEL_WIDTH;
  const title = isStatement && numbers && fields ? TITLE : "";
  let text = title;
  for (const [pc, instruction] of program.entries()) {
    const prefix = prefixOf(instruction, pc, numbers, fields);
    const label = targets.has(pc) && width > 0 ? `l${pc}:` : "";
    const words = isStatement
      ? statementOf(program, pc, options)
      : formatInstruction(instruction, pc, targets);
    const comment = options.comments?.(instruction, pc)
      ?.replaceAll(/[\r\n\u2028\u2029]+/g, " ");
    const gap = comment === undefined
      ? ""
      : " ".repeat(Math.max(COMMENT_COLUMN - 1 - words.length, 0));
    const [painted, remark] = paintLine(
      instruction,
      words,
      comment,
      options.paint,
    );
    const mark = isStatement ? "#" : ";";
    text += `${prefix}${label.padEnd(width)}${painted}${gap}${
      remark === undefined ? "" : ` ${mark} ${remark}`
    }\n`;
  }
  return text;
}

/** The title of a listing with index and fields. */
const TITLE = ` line  CODE  JT   JF      K
=================================
`;

function prefixOf(
  { op, jt, jf, k }: Instruction,
  pc: number,
  numbers: boolean,
  fields: boolean,
): string {
  const hex = (value: number, digits: number): string =>
    `0x${value.toString(16).padStart(digits, "0")}`;
  const index = numbers ? ` ${String(pc).padStart(4, "0")}: ` : "";
  if (!fields) return index;
  const row = [hex(toCode(op), 2), hex(jt, 2), hex(jf, 2), hex(k, 8)];
  return `${index}${row.join(" ")}  `;
}

function statementOf(
  program: Program,
  pc: number,
  { numbers, fields, constants, littleEndian = true }: FormatOptions,
): string {
  const instruction = program[pc];
  if (instruction === undefined) throw new Error("Unreachable: no instruction");
  const constant = constants?.(instruction, pc);
  const statement = formatStatement(instruction, {
    littleEndian,
    constant,
    label(distance): string | undefined {
      const target = pc + 1 + distance;
      if (target >= program.length) return undefined;
      return numbers === true ? String(target).padStart(4, "0") : `l${target}`;
    },
  });
  if (statement !== undefined) return statement;
  const words = formatInstruction(instruction, pc, new Set());
  if (fields === true) return `/* ${words} */`;
  throw new ProgramError(
    "no-words",
    `Cannot write instruction ${pc} in the language of seccomp-tools: it cannot express "${words}"; pass --bytes, or use the style bpf_asm`,
    pc,
  );
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
 * @category Filters
 */
export function formatFilters(
  { programs, littleEndian }: FilterStack,
  options: FormatStackOptions = {},
): string {
  const { comments, constants, ...rest } = options;
  const mark = options.style === "seccomp-tools" ? "#" : ";";
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
        } ${mark} ${i} of ${programs.length}${first}\n`,
      );
    }
    const made = comments?.(program);
    const names = constants?.(program);
    lines.push(
      format(program, {
        ...rest,
        littleEndian,
        ...(made && { comments: made }),
        ...(names && { constants: names }),
      }),
    );
  }
  return lines.join("");
}

function directive(name: string): string {
  return `${" ".repeat(LABEL_WIDTH)}.${name}\n`;
}

/**
 * Instructions that are targets of jumps inside the program.
 *
 * @param falls True if the text omits the target of a test that falls through.
 */
function findTargets(program: Program, falls: boolean): Set<number> {
  const targets = new Set<number>();
  for (const [pc, { op, jt, jf, k }] of program.entries()) {
    const distances = op === "ja"
      ? [k]
      : !isConditionalJump(op)
      ? []
      : falls
      ? [jt, jf].filter((distance) => distance > 0)
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
