/**
 * Instructions as written, before labels, names and word halves are resolved.
 *
 * @module
 */

import type { Instruction, Op } from "../instruction.ts";

/** Position in a text, both from 1; columns count UTF-16 units. */
export interface TextPlace {
  /** Line. */
  readonly line: number;
  /** Column. */
  readonly column: number;
}

/** A label, either at an instruction or in a jump. */
export interface Label extends TextPlace {
  readonly kind: "word";
  /** Its name. */
  readonly text: string;
  /** True if a number is a distance and `next` the next instruction. */
  readonly free?: boolean;
}

/** The number of a system call, by name. */
export interface NamedCall extends TextPlace {
  readonly kind: "call";
  /** Name, such as `read`. */
  readonly name: string;
  /** Name of an architecture before it, as in `i386.read`. */
  readonly arch?: string;
}

/** A return value with the name of an error as its data. */
export interface NamedErrno extends TextPlace {
  readonly kind: "errno";
  /** Name, such as `EPERM`; its number depends on the architecture. */
  readonly name: string;
  /** The action. */
  readonly action: number;
}

/** Half of a 64-bit field, whose offset depends on the byte order. */
export interface HalfWord {
  readonly kind: "half";
  /** Offset of the field in bytes. */
  readonly offset: number;
  /** True for the bits from 32 up. */
  readonly high: boolean;
}

/** Target of a jump: a distance in instructions, or a label. */
export type JumpTarget = number | Label;

/** An instruction with unresolved operands. */
export interface Draft {
  /** As in `Instruction`. */
  readonly op: Op | number;
  /** Target if the test succeeds. */
  readonly jt: JumpTarget;
  /** Target if the test fails. */
  readonly jf: JumpTarget;
  /** Constant, or target of `ja`. */
  readonly k: JumpTarget | NamedCall | NamedErrno | HalfWord;
  /** True for a test that becomes `ja` if both targets are the same. */
  readonly merges?: boolean;
}

/** One instruction of a text. */
export interface Written extends TextPlace {
  /** The parsed statement; absent if only fields are given. */
  readonly draft?: Draft;
  /** Its fields in a listing, such as `0x06 0x00 0x00 0x7fff0000`. */
  readonly fields?: Instruction;
  /** Label at the start of the line. */
  readonly first?: Label;
}

/** One filter of a text. */
export interface DraftSection extends TextPlace {
  /** Its instructions. */
  readonly written: Written[];
  /** Index of the instruction of each label. */
  readonly labels: Map<string, number>;
  /** A label that is not yet followed by an instruction. */
  pending?: Label | undefined;
}

/** A byte order directive. */
export interface NamedOrder extends TextPlace {
  readonly littleEndian: boolean;
}

/** The filters of a text, with unresolved operands. */
export interface ReadSections {
  readonly sections: readonly DraftSection[];
  readonly order?: NamedOrder;
}
