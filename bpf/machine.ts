/**
 * The machine of `run`: it executes a program that was prepared by `prepare`.
 *
 * @module
 */

import { BPF_MEMWORDS } from "../tables/uapi.ts";
import { SECCOMP_DATA_SIZE } from "./seccomp_data.ts";

/**
 * A checked program, laid out for speed; created by `prepare`, opaque to other
 * code.
 */
export interface PreparedProgram {
  /** Number of instructions. */
  readonly length: number;
  /** Codes; a load of the length is replaced by a load of a constant. */
  readonly codes: Uint8Array;
  /**
   * Index of the next instruction: after a jump whose test succeeds, and after
   * all others.
   */
  readonly yes: Uint16Array;
  /** Index of the next instruction after a jump whose test fails. */
  readonly no: Uint16Array;
  /** Constant; for loads, the index of the word of input or scratch memory. */
  readonly k: Uint32Array;
  /** True if scratch memory is used. */
  readonly scratch: boolean;
}

/** Record that `execute` fills in, besides the value. */
export interface ExecutionLog {
  /** Number of instructions executed, including the `ret`. */
  steps: number;
  /** Indices of the instructions executed, if they are requested. */
  readonly path: number[] | undefined;
}

// The parts of a code, as in linux/bpf_common.h. They are not exported, so the
// optimizer sees constants and turns the switch below into a table.
const LD = 0x00;
const LDX = 0x01;
const ST = 0x02;
const STX = 0x03;
const ALU = 0x04;
const JMP = 0x05;
const RET = 0x06;
const MISC = 0x07;
const IMM = 0x00;
const ABS = 0x20;
const MEM = 0x60;
const K = 0x00;
const X = 0x08;
const ADD = 0x00;
const SUB = 0x10;
const MUL = 0x20;
const DIV = 0x30;
const OR = 0x40;
const AND = 0x50;
const LSH = 0x60;
const RSH = 0x70;
const NEG = 0x80;
const XOR = 0xa0;
const JA = 0x00;
const JEQ = 0x10;
const JGT = 0x20;
const JGE = 0x30;
const JSET = 0x40;
const A = 0x10;
const TAX = 0x00;
const TXA = 0x80;

/** Number of words in an input. */
const INPUT_WORDS = SECCOMP_DATA_SIZE / 4;

const NO_SCRATCH: Uint32Array = new Uint32Array(0);

/**
 * The machine. A and X are kept as u32. `check` guarantees that jumps stay
 * inside the program and go forward, that the last instruction returns, and
 * that no scratch word is read before it is written. So every read below is in
 * range, and `?? 0` never supplies a value.
 *
 * @throws {RangeError} unless there are sixteen words.
 *
 * @param prepared The program.
 * @param words The input.
 * @param log Record of steps and path, or `undefined`.
 * @returns The value that the filter returns, a u32.
 */
export function execute(
  prepared: PreparedProgram,
  words: Uint32Array,
  log: ExecutionLog | undefined,
): number {
  if (words.length !== INPUT_WORDS) {
    throw new RangeError(
      `Cannot run program: ${words.length} words of input, ${INPUT_WORDS} make a struct seccomp_data`,
    );
  }
  const { codes, yes, no, k: ks } = prepared;
  const scratch = prepared.scratch ? new Uint32Array(BPF_MEMWORDS) : NO_SCRATCH;
  const path = log === undefined ? undefined : log.path;
  let a = 0;
  let x = 0;
  let pc = 0;
  for (let steps = 1; steps <= codes.length; steps++) {
    const k = ks[pc] ?? 0;
    if (path !== undefined) path.push(pc);
    let holds = true;
    switch (codes[pc]) {
      case JMP | JEQ | K:
        holds = a === k;
        break;
      case JMP | JGE | K:
        holds = a >= k;
        break;
      case JMP | JGT | K:
        holds = a > k;
        break;
      case LD | ABS:
        a = words[k] ?? 0;
        break;
      case JMP | JA:
        break;
      case RET | K:
        if (log !== undefined) log.steps = steps;
        return k;
      case JMP | JSET | K:
        holds = (a & k) !== 0;
        break;
      case ALU | AND | K:
        a = (a & k) >>> 0;
        break;
      case RET | A:
        if (log !== undefined) log.steps = steps;
        return a;
      case LD | IMM:
        a = k;
        break;
      case LD | MEM:
        a = scratch[k] ?? 0;
        break;
      case LDX | IMM:
        x = k;
        break;
      case LDX | MEM:
        x = scratch[k] ?? 0;
        break;
      case ST:
        scratch[k] = a;
        break;
      case STX:
        scratch[k] = x;
        break;
      case MISC | TAX:
        x = a;
        break;
      case MISC | TXA:
        a = x;
        break;
      case ALU | ADD | K:
        a = (a + k) >>> 0;
        break;
      case ALU | ADD | X:
        a = (a + x) >>> 0;
        break;
      case ALU | SUB | K:
        a = (a - k) >>> 0;
        break;
      case ALU | SUB | X:
        a = (a - x) >>> 0;
        break;
      case ALU | MUL | K:
        a = Math.imul(a, k) >>> 0;
        break;
      case ALU | MUL | X:
        a = Math.imul(a, x) >>> 0;
        break;
      case ALU | DIV | K:
        a = (a / k) >>> 0;
        break;
      case ALU | DIV | X:
        if (x === 0) {
          if (log !== undefined) log.steps = steps;
          return 0;
        }
        a = (a / x) >>> 0;
        break;
      case ALU | AND | X:
        a = (a & x) >>> 0;
        break;
      case ALU | OR | K:
        a = (a | k) >>> 0;
        break;
      case ALU | OR | X:
        a = (a | x) >>> 0;
        break;
      case ALU | XOR | K:
        a = (a ^ k) >>> 0;
        break;
      case ALU | XOR | X:
        a = (a ^ x) >>> 0;
        break;
      case ALU | LSH | K:
        a = (a << k) >>> 0;
        break;
      case ALU | LSH | X:
        a = (a << (x & 31)) >>> 0;
        break;
      case ALU | RSH | K:
        a = a >>> k;
        break;
      case ALU | RSH | X:
        a = a >>> (x & 31);
        break;
      case ALU | NEG:
        a = -a >>> 0;
        break;
      case JMP | JEQ | X:
        holds = a === x;
        break;
      case JMP | JGE | X:
        holds = a >= x;
        break;
      case JMP | JGT | X:
        holds = a > x;
        break;
      case JMP | JSET | X:
        holds = (a & x) !== 0;
        break;
      default:
        throw new Error(`Unreachable: code ${codes[pc]} passed the check`);
    }
    pc = (holds ? yes[pc] : no[pc]) ?? 0;
  }
  throw new Error("Unreachable: a checked program did not return");
}
