/**
 * A second interpreter of classic BPF, written from the kernel's documentation
 * (Documentation/networking/filter.rst, include/uapi/linux/bpf_common.h) apart
 * from `bpf/run.ts`. It reads the bytes of a filter, so that encoding is judged
 * as well, and knows how the kernel combines the filters of a thread
 * (kernel/seccomp.c: seccomp_run_filters()).
 *
 * @module
 */

/** Answers an input, 64 bytes in the byte order of the machine. */
export type Answer = (input: DataView) => number;

const LD = 0x00;
const LDX = 0x01;
const ST = 0x02;
const STX = 0x03;
const ALU = 0x04;
const JMP = 0x05;
const RET = 0x06;
const INPUT_BYTES = 64;

/**
 * Prepares a filter.
 *
 * @param bytes `struct sock_filter[]`.
 * @param littleEndian Byte order of the machine.
 */
export function filterAnswer(
  bytes: Uint8Array,
  littleEndian: boolean,
): Answer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (input) => {
    let a = 0;
    let x = 0;
    const scratch = new Uint32Array(16);
    for (let pc = 0;; pc++) {
      const code = view.getUint16(8 * pc, littleEndian);
      const k = view.getUint32(8 * pc + 4, littleEndian);
      const operand = (code & 0x08) === 0 ? k : x;
      switch (code & 0x07) {
        case LD:
        case LDX: {
          const value = load(code & 0xe0, k);
          if ((code & 0x07) === LD) a = value;
          else x = value;
          break;
        }
        case ST:
          scratch[k] = a;
          break;
        case STX:
          scratch[k] = x;
          break;
        case ALU:
          // A division by an X of 0 ends the filter with 0.
          if ((code & 0xf0) === 0x30 && operand === 0) return 0;
          a = compute(code & 0xf0, a, operand);
          break;
        case JMP: {
          if ((code & 0xf0) === 0) {
            pc += k;
            break;
          }
          const side = jumps(code & 0xf0, a, operand) ? 2 : 3;
          pc += view.getUint8(8 * pc + side);
          break;
        }
        case RET:
          return (code & 0x18) === 0x10 ? a : k;
        default:
          if ((code & 0xf8) === 0x80) a = x;
          else x = a;
      }
    }
    function load(mode: number, k: number): number {
      switch (mode) {
        case 0x00:
          return k;
        case 0x20:
          return input.getUint32(k, littleEndian);
        case 0x60:
          return scratch[k] ?? 0;
        default:
          return INPUT_BYTES;
      }
    }
  };
}

function compute(op: number, a: number, b: number): number {
  switch (op) {
    case 0x00:
      return (a + b) >>> 0;
    case 0x10:
      return (a - b) >>> 0;
    case 0x20:
      return Math.imul(a, b) >>> 0;
    case 0x30:
      return Math.floor(a / b);
    case 0x40:
      return (a | b) >>> 0;
    case 0x50:
      return (a & b) >>> 0;
    case 0x60:
      return (a << (b & 31)) >>> 0;
    case 0x70:
      return a >>> (b & 31);
    case 0x80:
      return -a >>> 0;
    case 0xa0:
      return (a ^ b) >>> 0;
    default:
      throw new Error(`no operation 0x${op.toString(16)}`);
  }
}

function jumps(op: number, a: number, b: number): boolean {
  switch (op) {
    case 0x10:
      return a === b;
    case 0x20:
      return a > b;
    case 0x30:
      return a >= b;
    case 0x40:
      return (a & b) !== 0;
    default:
      throw new Error(`no test 0x${op.toString(16)}`);
  }
}

/**
 * Combines the filters of a thread, oldest first: the newest runs first, and a
 * later answer counts only if its action is stricter. Actions are compared as
 * signed numbers.
 */
export function stackAnswer(answers: readonly Answer[]): Answer {
  return (input) => {
    let strictest: number | undefined;
    for (const answer of answers.toReversed()) {
      const value = answer(input);
      const isStricter = strictest === undefined ||
        ((value & 0xffff_0000) | 0) < ((strictest & 0xffff_0000) | 0);
      if (isStricter) strictest = value;
    }
    return strictest ?? 0x7fff_0000;
  };
}

/**
 * Converts an answer to its effect in the kernel, as docs/digest.md defines.
 */
export function effectOf(value: number): number {
  const action = (value & 0xffff_0000) >>> 0;
  const data = value & 0xffff;
  switch (action) {
    case 0x0005_0000:
      return action + Math.min(data, 4095);
    case 0x0003_0000:
    case 0x7ff0_0000:
      return value;
    case 0x0000_0000:
    case 0x7fc0_0000:
    case 0x7ffc_0000:
    case 0x7fff_0000:
      return action;
    default:
      return 0x8000_0000;
  }
}

/** Writes sixteen words as the input of a machine. */
export function inputOf(
  words: ArrayLike<number>,
  littleEndian: boolean,
): DataView {
  const view = new DataView(new ArrayBuffer(INPUT_BYTES));
  for (let i = 0; i < 16; i++) {
    view.setUint32(4 * i, words[i] ?? 0, littleEndian);
  }
  return view;
}
