/**
 * Resolves labels, names and halves of words.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import { errnoNumber } from "../../tables/errno.ts";
import { comparedArches, follow } from "../follow.ts";
import type { Instruction, Program } from "../instruction.ts";
import { isCallSomewhere, isName, numberOfCall } from "./call_names.ts";
import type {
  Draft,
  DraftSection,
  HalfWord,
  JumpTarget,
  Label,
  Written,
} from "./draft.ts";
import { agrees, checkIndices, distanceByIndex } from "./listing.ts";
import type { AssemblyProblems } from "./problems.ts";

/**
 * Maximum distance of a conditional jump, in instructions: `jt` and `jf` are
 * u8.
 */
const MAX_CONDITIONAL_DISTANCE = 255;

/** A filter whose labels are resolved. */
export interface LinkedSection {
  readonly section: DraftSection;
  /** Its instructions; names and halves are still 0. */
  readonly program: Program;
}

/** Facts about the machine of a text. */
export interface LinkTarget {
  /** Its byte order. */
  readonly littleEndian: boolean;
  /** Architectures that the user named, the native one first. */
  readonly given: readonly Arch[];
  /** Architecture of names for which nothing else determines one. */
  readonly assumed: Arch | undefined;
}

/**
 * Resolves the labels of a filter.
 *
 * @param section The filter.
 * @param problems Receives the errors.
 */
export function linkLabels(
  section: DraftSection,
  problems: AssemblyProblems,
): LinkedSection {
  checkIndices(section, problems);
  const program = section.written.map((written, pc) =>
    written.draft === undefined
      ? written.fields ?? { op: 0, jt: 0, jf: 0, k: 0 }
      : linkJumps(written.draft, pc, section, problems)
  );
  return { section, program };
}

/**
 * Infers the byte order from the fields of a listing.
 *
 * @param section The filter.
 * @returns True if it is little-endian; `undefined` if no half of a word has
 * fields.
 */
export function orderOfFields({ written }: DraftSection): boolean | undefined {
  for (const { draft, fields } of written) {
    if (draft === undefined || !isHalf(draft.k) || fields === undefined) {
      continue;
    }
    if (fields.k === offsetOf(draft.k, true)) return true;
    if (fields.k === offsetOf(draft.k, false)) return false;
  }
  return undefined;
}

/**
 * Resolves names and halves, and compares statements with fields.
 *
 * @param linked The filter.
 * @param target Its machine.
 * @param problems Receives the errors.
 * @returns The instructions, and whether the assumed architecture was used for
 * a name.
 */
export function resolveNames(
  { section, program }: LinkedSection,
  target: LinkTarget,
  problems: AssemblyProblems,
): { readonly program: Program; readonly assumes: boolean } {
  const known = follow(program);
  const [main] = comparedArches(program);
  let assumes = false;
  const resolved = section.written.map((written, pc): Instruction => {
    const { draft, fields } = written;
    const instruction = program[pc] ?? { op: 0, jt: 0, jf: 0, k: 0 };
    if (draft === undefined) return instruction;
    const { k } = draft;
    if (typeof k !== "number" && k.kind === "call") {
      if (fields !== undefined) {
        const isOther = isName(k.name) && !isCallSomewhere(k, fields.k) &&
          !isPseudo(fields.k);
        if (!isOther) {
          return settle(written, { ...instruction, k: fields.k }, problems);
        }
      }
      const auditArch = known[pc]?.arch;
      let found = numberOfCall(k, { auditArch, given: target.given });
      if (found.kind === "undecided" && target.assumed !== undefined) {
        assumes = true;
        found = numberOfCall(k, { auditArch, given: [target.assumed] });
      }
      if (found.kind === "number") {
        return settle(written, { ...instruction, k: found.nr }, problems);
      }
      problems.add(
        "unknown-name",
        found.kind === "unknown"
          ? found.message
          : `Cannot read "${k.name}": its number depends on the architecture; compare arch first, or write x86_64.${k.name}`,
        k,
      );
      return instruction;
    }
    if (typeof k !== "number" && k.kind === "errno") {
      const auditArch = known[pc]?.arch ?? target.given[0]?.auditArch ?? main ??
        target.assumed?.auditArch;
      const errno = errnoNumber(k.name, auditArch);
      if (errno === undefined) {
        problems.add(
          "unknown-name",
          `Cannot read "${k.name}": the architecture has no such error; give its number`,
          k,
        );
        return instruction;
      }
      const value = (k.action | errno) >>> 0;
      return settle(written, { ...instruction, k: value }, problems);
    }
    const word = isHalf(k) ? offsetOf(k, target.littleEndian) : instruction.k;
    return settle(written, { ...instruction, k: word }, problems);
  });
  return { program: resolved, assumes };
}

/** The fields are the instruction, and the statement must agree with them. */
function settle(
  written: Written,
  said: Instruction,
  problems: AssemblyProblems,
): Instruction {
  if (written.fields === undefined) return said;
  if (agrees(written, said)) return written.fields;
  problems.add(
    "contradiction",
    "Cannot read listing: the statement is not the instruction that its fields give; correct one, or omit the fields of all lines",
    written,
  );
  return written.fields;
}

/**
 * Reports whether a number is one of libseccomp's pseudo numbers, for calls
 * that an architecture does not have: `__PNR_*` in seccomp.h.
 */
function isPseudo(nr: number): boolean {
  return nr >= 0xffff_d000;
}

function isHalf(k: Draft["k"]): k is HalfWord {
  return typeof k !== "number" && k.kind === "half";
}

function offsetOf({ offset, high }: HalfWord, littleEndian: boolean): number {
  return offset + (high === littleEndian ? 4 : 0);
}

function linkJumps(
  draft: Draft,
  pc: number,
  section: DraftSection,
  problems: AssemblyProblems,
): Instruction {
  const { op, jt, jf, k, merges } = draft;
  const { fields } = section.written[pc] ?? {};
  if (
    typeof k !== "number" && k.kind === "call" && fields === undefined &&
    !isName(k.name)
  ) {
    const found = numberOfCall(k, { auditArch: undefined, given: [] });
    if (found.kind === "unknown") {
      problems.add("unknown-name", found.message, k);
    }
  }
  const far = distances(pc, section, problems, Infinity);
  if (merges === true) {
    const quietly = distances(pc, section, undefined, Infinity);
    const [yes, no] = [quietly(jt), quietly(jf)];
    if (yes === no) return { op: "ja", jt: 0, jf: 0, k: yes };
  }
  const near = distances(pc, section, problems, MAX_CONDITIONAL_DISTANCE);
  return {
    op,
    jt: near(jt),
    jf: near(jf),
    k: typeof k === "number" ? k : k.kind === "word" ? far(k) : 0,
  };
}

/**
 * Returns the function that converts a target to a distance, or NaN.
 */
function distances(
  pc: number,
  { labels, written }: DraftSection,
  problems: AssemblyProblems | undefined,
  most: number,
): (target: JumpTarget) => number {
  const refuse = (reason: string, why: string, target: Label): number => {
    problems?.add(reason, `Cannot jump to "${target.text}": ${why}`, target);
    return NaN;
  };
  const listed = written[pc]?.fields !== undefined;
  return (target) => {
    if (typeof target === "number") return target;
    const label = labels.get(target.text);
    const distance = label === undefined
      ? distanceOf(target, labels) ??
        (listed ? distanceByIndex(target.text, pc) : undefined)
      : label - pc - 1;
    if (distance === undefined) {
      return refuse("unknown-label", "no instruction has this label", target);
    }
    if (typeof distance === "string") {
      return refuse("ambiguous-label", distance, target);
    }
    if (distance < 0) {
      return refuse(
        "jump-backwards",
        "it comes before the jump; jumps only go forward",
        target,
      );
    }
    return distance <= most ? distance : refuse(
      "jump-too-far",
      `${distance} instructions away; a conditional jump reaches ${most}, ja any`,
      target,
    );
  };
}

/** `next`, or a number of instructions; a text if that could be a label. */
function distanceOf(
  { text, free }: Label,
  labels: ReadonlyMap<string, number>,
): number | string | undefined {
  if (free !== true) return undefined;
  if (text === "next") return 0;
  if (!/^(?:0|[1-9][0-9]{0,9})$/.test(text)) return undefined;
  const same = [...labels.keys()].find((label) =>
    /^[0-9]+$/.test(label) && Number(label) === Number(text)
  );
  return same === undefined
    ? Number(text)
    : `${text} instructions, or to the label "${same}"; write next or a label`;
}
