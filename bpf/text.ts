/**
 * Converts programs to assembly text and back, in the words of the kernel's
 * `bpf_asm` (Documentation/networking/filter.rst).
 *
 * ```text
 *         ld [4]
 *         jeq #0xc000003e, l3
 *         ret #0x80000000
 * l3:     ret #0x7fff0000       ; a comment
 * ```
 *
 * If `bpf_asm` has no words for something, it is written in a form that can be
 * read back: a target outside the program as its distance in instructions (`jeq
 * #0x1, 9, 0`), and an instruction whose unused fields are not 0, or whose code
 * has no name, as `.raw code, jt, jf, k`.
 *
 * Two more things are directives, on lines of their own. `.big-endian` or
 * `.little-endian` comes first and names the byte order of the machine; without
 * it, the order is inferred from the architectures that the text names.
 * `.filter` begins a filter if a thread has several; each filter has its own
 * labels.
 *
 * ```text
 *         .big-endian
 *         .filter               ; 0 of 2, oldest first
 *         ret #0x7fff0000
 *         .filter               ; 1 of 2
 *         ret #0x00050001
 * ```
 *
 * The reader accepts everything that `bpf_asm` accepts except the names for
 * ancillary data of packets (`ld proto`), which no seccomp filter can use.
 * There is one instruction per line. Labels come before it or on lines of their
 * own. Comments are `; …`, those of C, and lines that begin with `#`. Mnemonics
 * and registers may be in either case; labels are case-sensitive.
 *
 * @module
 */

import { MAX_ENCODED_LENGTH } from "./encode.ts";
import { AssemblyError } from "./error.ts";
import { type FilterStack, inferByteOrder } from "./filter.ts";
import { formatInstruction } from "./format_instruction.ts";
import type { Instruction, Program } from "./instruction.ts";
import { isConditionalJump } from "./opcode.ts";
import {
  type Draft,
  type JumpTarget,
  readInstruction,
} from "./parse_instruction.ts";
import {
  blankComments,
  createCursor,
  type Cursor,
  type Token,
} from "./tokens.ts";

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

/** Longest conditional jump, in instructions: `jt` and `jf` are u8. */
const MAX_CONDITIONAL_DISTANCE = 255;

/** Width of the longest label, `l4095:`, and spaces. */
const LABEL_WIDTH = 8;

/** Column of comments, counted from the instruction. */
const COMMENT_COLUMN = 32;

/**
 * Writes a program as text that `parseText` reads back to the same program.
 *
 * @example With comments
 * ```ts
 * import { format } from "./text.ts";
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

/**
 * Reads a program from assembly text.
 *
 * @throws {AssemblyError} with line and column, at the first error: an unknown
 * word, a number that does not fit, a label that is missing, duplicate, before
 * the jump or too far away, or no instruction at all. Several filters or a byte
 * order are errors as well, because a program cannot express them; see
 * `parseFilters`.
 *
 * @example Labels and pseudo-instructions
 * ```ts
 * import { parseText } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const program = parseText(`
 *         ld [0]
 *         jne #39, deny
 *         ret #0x7fff0000
 *   deny: ret #0x50001
 * `);
 * assertEquals(program[1], { op: "jeq.k", jt: 0, jf: 1, k: 39 });
 * ```
 *
 * @param text Assembly text.
 * @returns The instructions. Use `check` to find out whether the kernel accepts
 * them.
 */
export function parseText(text: string): Program {
  const { sections, order } = parseSections(text);
  const [first, second] = sections;
  const place = order?.place ?? second?.place;
  if (place !== undefined) {
    throw new AssemblyError(
      "unexpected-token",
      `Cannot read a single program: ${
        order === undefined ? "another one follows" : "a byte order is given"
      }: use parseFilters`,
      place,
    );
  }
  return first === undefined ? [] : linked(first);
}

/** The filters of a text. */
export interface ParsedFilters extends FilterStack {
  /**
   * Origin of the byte order: `given` by a directive, `inferred` from the
   * architectures that the programs name, or `assumed` to be little-endian.
   */
  readonly order: "given" | "inferred" | "assumed";
}

/**
 * Reads filters from assembly text.
 *
 * @throws {AssemblyError} with line and column, under the conditions of
 * `parseText`, and at a misplaced directive.
 *
 * @example Two filters of a big-endian machine
 * ```ts
 * import { parseFilters } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const { programs, littleEndian } = parseFilters(`
 *   .big-endian
 *   .filter
 *   ret #0x7fff0000
 *   .filter
 *   ret #0x50001
 * `);
 * assertEquals([programs.length, littleEndian], [2, false]);
 * ```
 *
 * @param text Assembly text.
 * @returns The filters, oldest first, and their byte order.
 */
export function parseFilters(text: string): ParsedFilters {
  const { sections, order } = parseSections(text);
  const programs = sections.map(linked);
  if (order !== undefined) {
    return { programs, littleEndian: order.littleEndian, order: "given" };
  }
  const inferred = inferByteOrder(programs);
  return {
    programs,
    littleEndian: inferred ?? true,
    order: inferred === undefined ? "assumed" : "inferred",
  };
}

/** Position in the text, from 1. */
interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** One filter of a text, with unresolved labels. */
interface Section {
  /** Line of its directive, or its first line. */
  readonly place: TextPlace;
  readonly drafts: Draft[];
  readonly labels: Map<string, number>;
  /** A label that is not yet followed by an instruction. */
  pending?: Token | undefined;
}

/** A byte order that a text names. */
interface NamedOrder {
  readonly littleEndian: boolean;
  readonly place: TextPlace;
}

/** A line that is a directive. */
const DIRECTIVE = /^\s*\.(big-endian|little-endian|filter)\s*$/i;

function parseSections(
  text: string,
): { readonly sections: readonly Section[]; readonly order?: NamedOrder } {
  let place: TextPlace = { line: 1, column: 1 };
  let order: NamedOrder | undefined;
  const sections: Section[] = [];
  const begin = (): Section => {
    const section: Section = { place, drafts: [], labels: new Map() };
    sections.push(section);
    return section;
  };
  for (const [index, line] of blankComments(text).split("\n").entries()) {
    const [, name] = DIRECTIVE.exec(line) ?? [];
    const last = sections.at(-1);
    if (name !== undefined) {
      place = { line: index + 1, column: line.indexOf(".") + 1 };
      if (name.toLowerCase() === "filter") {
        if (last !== undefined) finish(last, place);
        begin();
      } else {
        if (order !== undefined || last !== undefined) {
          throw misplaced(name, place);
        }
        order = { littleEndian: /^l/i.test(name), place };
      }
      continue;
    }
    const cursor = createCursor(line, index + 1);
    place = cursor.peek();
    if (!cursor.atEnd()) readLine(last ?? begin(), cursor);
    place = cursor.peek();
  }
  finish(sections.at(-1) ?? begin(), place);
  return { sections, ...(order && { order }) };
}

function misplaced(name: string, place: TextPlace): AssemblyError {
  return new AssemblyError(
    "misplaced-directive",
    `Cannot place ".${name}": it may occur only once, before all instructions`,
    place,
  );
}

/** Reads the labels and the instruction of a line. */
function readLine(section: Section, cursor: Cursor): void {
  const { drafts, labels } = section;
  for (
    let label = cursor.takeLabel();
    label !== undefined;
    label = cursor.takeLabel()
  ) {
    if (labels.has(label.text)) {
      throw new AssemblyError(
        "duplicate-label",
        `Cannot place label "${label.text}": an earlier instruction has it; use another name`,
        label,
      );
    }
    labels.set(label.text, drafts.length);
    section.pending = label;
  }
  if (cursor.atEnd()) return;
  if (drafts.length === MAX_ENCODED_LENGTH) {
    throw new AssemblyError(
      "program-too-long",
      `Cannot read program: more than ${MAX_ENCODED_LENGTH} instructions`,
      cursor.peek(),
    );
  }
  drafts.push(readInstruction(cursor));
  cursor.expectEnd();
  section.pending = undefined;
}

/** Refuses a filter that is empty or ends in a label. */
function finish({ drafts, pending }: Section, place: TextPlace): void {
  if (pending !== undefined) {
    throw new AssemblyError(
      "dangling-label",
      `Cannot place label "${pending.text}": no instruction follows`,
      pending,
    );
  }
  if (drafts.length === 0) {
    throw new AssemblyError(
      "empty-program",
      "Cannot read program: no instructions",
      place,
    );
  }
}

function linked({ drafts, labels }: Section): Program {
  return drafts.map((draft, pc) => link(draft, pc, labels));
}

/** Instructions that are targets of jumps inside the program. */
function findTargets(program: Program): Set<number> {
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

function link(
  draft: Draft,
  pc: number,
  labels: ReadonlyMap<string, number>,
): Instruction {
  const { op, jt, jf, k } = draft;
  return {
    op,
    jt: distanceTo(jt, pc, labels, MAX_CONDITIONAL_DISTANCE),
    jf: distanceTo(jf, pc, labels, MAX_CONDITIONAL_DISTANCE),
    k: distanceTo(k, pc, labels, Infinity),
  };
}

function distanceTo(
  target: JumpTarget,
  pc: number,
  labels: ReadonlyMap<string, number>,
  most: number,
): number {
  if (typeof target === "number") return target;
  const label = labels.get(target.text);
  if (label === undefined) {
    throw new AssemblyError(
      "unknown-label",
      `Cannot jump to "${target.text}": no instruction has this label`,
      target,
    );
  }
  const distance = label - pc - 1;
  if (distance < 0) {
    throw new AssemblyError(
      "jump-backwards",
      `Cannot jump to "${target.text}": it comes before the jump; jumps only go forward`,
      target,
    );
  }
  if (distance > most) {
    throw new AssemblyError(
      "jump-too-far",
      `Cannot jump to "${target.text}": ${distance} instructions away; a conditional jump reaches ${most}, ja any`,
      target,
    );
  }
  return distance;
}
