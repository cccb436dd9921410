/**
 * Programs to assembly text and back, in the words of the kernel's `bpf_asm`
 * (Documentation/networking/filter.rst).
 *
 * ```text
 *         ld [4]
 *         jeq #0xc000003e, l3
 *         ret #0x80000000
 * l3:     ret #0x7fff0000       ; a comment
 * ```
 *
 * What `bpf_asm` has no words for is written so that it can be read back: a
 * target outside the program as its distance in instructions (`jeq #0x1, 9, 0`),
 * and an instruction whose unused fields are not 0, or whose code has no name,
 * as `.raw code, jt, jf, k`.
 *
 * Reading takes all that `bpf_asm` takes but the names for ancillary data of
 * packets (`ld proto`), which no seccomp filter can use. One instruction a
 * line; labels stand before it or on lines of their own; comments are `; …`,
 * those of C, and lines that begin with `#`. Mnemonics and registers may be in
 * either case, labels are as written.
 *
 * @module
 */

import { MAX_ENCODED_LENGTH } from "./encode.ts";
import { AssemblyError } from "./error.ts";
import { formatInstruction } from "./format_instruction.ts";
import type { Instruction, Program } from "./instruction.ts";
import { isConditionalJump } from "./opcode.ts";
import {
  type Draft,
  readInstruction,
  type Target,
} from "./parse_instruction.ts";
import { blankComments, createCursor, type Token } from "./tokens.ts";

/** How a program is written. */
export interface FormatOptions {
  /** Labels at the targets of jumps; distances in instructions where false. */
  readonly labels?: boolean;
  /** Comment for an instruction, or `undefined` for none. */
  readonly comments?: (
    instruction: Instruction,
    pc: number,
  ) => string | undefined;
}

/** Longest conditional jump, in instructions: `jt` and `jf` are u8. */
const MAX_CONDITIONAL_DISTANCE = 255;

/** Room for the longest label, `l4095:`, and spaces. */
const LABEL_WIDTH = 8;

/** Column where comments begin, counted from the instruction. */
const COMMENT_COLUMN = 32;

/**
 * Writes a program as text that `parseText` reads back to the same program.
 *
 * @example With comments
 * ```ts
 * import { format } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const program = [{ op: "ret.k", jt: 0, jf: 0, k: 0 }] as const;
 * const text = format(program, { comments: () => "kill" });
 * assertEquals(text.trim().split(/ {2,}/), ["ret #0x00000000", "; kill"]);
 * ```
 *
 * @param program The instructions.
 * @param options Labels and comments.
 * @returns One line an instruction, each ending in a line feed.
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

/**
 * Reads a program from assembly text.
 *
 * @throws {AssemblyError} with line and column, at the first thing that cannot
 * be read: an unknown word, a number that does not fit, a label that is
 * missing, given twice, behind the jump or too far, or no instruction at all.
 *
 * @example Labels and pseudo-instructions
 * ```ts
 * import { parseText } from "@x/seccomp-tree";
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
 * @returns The instructions. Whether the kernel takes them is for `check`.
 */
export function parseText(text: string): Program {
  const drafts: Draft[] = [];
  const labels = new Map<string, number>();
  let pending: Token | undefined;
  let place = { line: 1, column: 1 };
  for (const [index, line] of blankComments(text).split("\n").entries()) {
    const cursor = createCursor(line, index + 1);
    for (
      let label = cursor.takeLabel();
      label !== undefined;
      label = cursor.takeLabel()
    ) {
      if (labels.has(label.text)) {
        throw new AssemblyError(
          "duplicate-label",
          `Cannot place label "${label.text}": it stands before another instruction already`,
          label,
        );
      }
      labels.set(label.text, drafts.length);
      pending = label;
    }
    place = cursor.peek();
    if (cursor.atEnd()) continue;
    if (drafts.length === MAX_ENCODED_LENGTH) {
      throw new AssemblyError(
        "program-too-long",
        `Cannot read instruction: a program has at most ${MAX_ENCODED_LENGTH}`,
        place,
      );
    }
    drafts.push(readInstruction(cursor));
    cursor.expectEnd();
    pending = undefined;
  }
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
  return drafts.map((draft, pc) => link(draft, pc, labels));
}

/** Instructions that a jump inside the program leads to. */
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
  target: Target,
  pc: number,
  labels: ReadonlyMap<string, number>,
  most: number,
): number {
  if (typeof target === "number") return target;
  const label = labels.get(target.text);
  if (label === undefined) {
    throw new AssemblyError(
      "unknown-label",
      `Cannot find label "${target.text}": no instruction has it`,
      target,
    );
  }
  const distance = label - pc - 1;
  if (distance < 0) {
    throw new AssemblyError(
      "jump-backwards",
      `Cannot jump to "${target.text}": it stands before the jump, and jumps only go forward`,
      target,
    );
  }
  if (distance > most) {
    throw new AssemblyError(
      "jump-too-far",
      `Cannot jump to "${target.text}": it is ${distance} instructions away, a conditional jump reaches ${most}; ja reaches any`,
      target,
    );
  }
  return distance;
}
