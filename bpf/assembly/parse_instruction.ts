/**
 * Reads one instruction of assembly text: mnemonics and operands.
 *
 * @module
 */

import { AssemblyError } from "../error.ts";
import type { Op } from "../instruction.ts";
import { toOp } from "../opcode.ts";
import { didYouMean } from "../../tables/suggest.ts";
import { acceptAncillary } from "./ancillary.ts";
import type { Draft, JumpTarget } from "./draft.ts";
import type { Cursor, Token } from "./tokens.ts";

type Comparison = "jeq" | "jgt" | "jge" | "jset";
type Arithmetic =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "mod"
  | "and"
  | "or"
  | "xor"
  | "lsh"
  | "rsh";

const U16 = 0xffff;
const U8 = 0xff;

/** `BPF_RET | BPF_X`: `bpf_asm` knows it, the kernel does not. */
const RET_X = 0x0e;

/** All mnemonics. */
export const MNEMONICS: readonly string[] = [
  ...["ld", "ldh", "ldb", "ldi", "ldx", "ldxi", "ldxb", "st", "stx"],
  ...["ja", "jmp", "jeq", "jne", "jneq", "jlt", "jle", "jgt", "jge", "jset"],
  ...["add", "sub", "mul", "div", "mod", "and", "or", "xor", "lsh", "rsh"],
  ...["neg", "tax", "txa", "ret"],
];

/** Multiplier and mask of the only form of `ldxb`. */
const MSH_FACTOR = 4;
const MSH_MASK = 0xf;

/**
 * Reads an instruction.
 *
 * @throws {AssemblyError} at the first unexpected token.
 *
 * @param cursor Position before the mnemonic.
 * @returns The instruction; `cursor` follows it.
 */
export function readInstruction(cursor: Cursor): Draft {
  const token = cursor.peek();
  if (token.kind !== "word") throw cursor.unexpected("a mnemonic");
  cursor.take();
  const mnemonic = token.text.toLowerCase();
  switch (mnemonic) {
    case "ld":
      return readLoad(cursor);
    case "ldx":
      return readLoadX(cursor);
    case "ldh":
    case "ldb":
      return readPacketLoad(cursor, mnemonic);
    case "ldxb":
      return readHeaderLength(cursor);
    case "ldi":
    case "ldxi":
      cursor.accept("#");
      return plain(mnemonic === "ldi" ? "ld.imm" : "ldx.imm", cursor);
    case "st":
    case "stx":
      return { ...plain(mnemonic), k: readScratch(cursor) };
    case "ja":
    case "jmp":
      return { ...plain("ja"), k: readTarget(cursor, undefined) };
    case "jeq":
    case "jgt":
    case "jge":
    case "jset":
      return readJump(cursor, mnemonic, false);
    case "jne":
    case "jneq":
      return readJump(cursor, "jeq", true);
    case "jlt":
      return readJump(cursor, "jge", true);
    case "jle":
      return readJump(cursor, "jgt", true);
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "mod":
    case "and":
    case "or":
    case "xor":
    case "lsh":
    case "rsh":
      return readArithmetic(cursor, mnemonic);
    case "neg":
    case "tax":
    case "txa":
      return plain(mnemonic);
    case "ret":
      return readReturn(cursor);
    case ".raw":
      return readRaw(cursor);
    default:
      throw unknownMnemonic(token);
  }
}

function unknownMnemonic(token: Token): AssemblyError {
  const near = didYouMean(token.text, MNEMONICS);
  return new AssemblyError(
    "unknown-mnemonic",
    `Cannot read instruction: "${token.text}" is not a mnemonic of classic BPF${
      near === undefined ? ", such as ld, jeq or ret" : `; did you mean ${near}`
    }`,
    token,
  );
}

function readLoad(cursor: Cursor): Draft {
  const ancillary = acceptAncillary(cursor);
  if (ancillary !== undefined) return { ...plain("ld.abs"), k: ancillary };
  if (cursor.accept("#")) {
    if (cursor.accept("len") || cursor.accept("pktlen")) return plain("ld.len");
    return plain("ld.imm", cursor);
  }
  if (cursor.accept("len") || cursor.accept("pktlen")) return plain("ld.len");
  if (nextIs(cursor, "m")) {
    return { ...plain("ld.mem"), k: readScratch(cursor) };
  }
  return readPacketLoad(cursor, "ld");
}

function readLoadX(cursor: Cursor): Draft {
  if (cursor.accept("#")) {
    if (cursor.accept("len")) return plain("ldx.len");
    return plain("ldx.imm", cursor);
  }
  if (cursor.accept("len")) return plain("ldx.len");
  if (nextIs(cursor, "m")) {
    return { ...plain("ldx.mem"), k: readScratch(cursor) };
  }
  if (cursor.peek().kind === "number") return readHeaderLength(cursor);
  throw cursor.unexpected("#, len, M[…] or 4*([…]&0xf)");
}

/** `[k]`, `[x + k]` */
function readPacketLoad(cursor: Cursor, name: "ld" | "ldh" | "ldb"): Draft {
  const ancillary = acceptAncillary(cursor);
  if (ancillary !== undefined) {
    return { ...plain(`${name}.abs`), k: ancillary };
  }
  if (!cursor.accept("[")) {
    throw cursor.unexpected(name === "ld" ? "[, #, len or M[…]" : '"["');
  }
  const indirect = acceptRegister(cursor, "x");
  if (indirect) cursor.expect("+");
  const k = cursor.takeNumber();
  cursor.expect("]");
  return { ...plain(`${name}.${indirect ? "ind" : "abs"}`), k };
}

/** `4*([k]&0xf)` */
function readHeaderLength(cursor: Cursor): Draft {
  const constant = (wanted: number): void => {
    const token = cursor.peek();
    if (cursor.takeNumber() !== wanted) {
      throw new AssemblyError(
        "unexpected-token",
        `Cannot read instruction: found "${token.text}"; expected ${wanted}`,
        token,
      );
    }
  };
  constant(MSH_FACTOR);
  cursor.expect("*");
  cursor.expect("(");
  cursor.expect("[");
  const k = cursor.takeNumber();
  cursor.expect("]");
  cursor.expect("&");
  constant(MSH_MASK);
  cursor.expect(")");
  return { ...plain("ldxb.msh"), k };
}

/** `M[k]` */
function readScratch(cursor: Cursor): number {
  cursor.expect("m");
  cursor.expect("[");
  const k = cursor.takeNumber();
  cursor.expect("]");
  return k;
}

/**
 * `#k, yes`, `x, yes, no`; the first target of an inverted jump is its `jf`.
 */
function readJump(cursor: Cursor, name: Comparison, inverted: boolean): Draft {
  const byX = acceptRegister(cursor, "x");
  if (!byX && !cursor.accept("#")) throw cursor.unexpected("# or x");
  const k = byX ? 0 : cursor.takeNumber();
  cursor.expect(",");
  const first = readTarget(cursor, U8);
  const second = cursor.accept(",") ? readTarget(cursor, U8) : 0;
  return {
    op: `${name}.${byX ? "x" : "k"}`,
    jt: inverted ? second : first,
    jf: inverted ? first : second,
    k,
  };
}

function readArithmetic(cursor: Cursor, name: Arithmetic): Draft {
  if (acceptRegister(cursor, "x")) return plain(`${name}.x`);
  if (cursor.accept("#")) return plain(`${name}.k`, cursor);
  throw cursor.unexpected("# or x");
}

function readReturn(cursor: Cursor): Draft {
  if (acceptRegister(cursor, "a")) return plain("ret.a");
  if (acceptRegister(cursor, "x")) return plain(RET_X);
  if (cursor.accept("#")) return plain("ret.k", cursor);
  throw cursor.unexpected("# or a");
}

/** `code, jt, jf, k` */
function readRaw(cursor: Cursor): Draft {
  const op = toOp(cursor.takeNumber(U16));
  cursor.expect(",");
  const jt = cursor.takeNumber(U8);
  cursor.expect(",");
  const jf = cursor.takeNumber(U8);
  cursor.expect(",");
  return { op, jt, jf, k: cursor.takeNumber() };
}

function readTarget(cursor: Cursor, most: number | undefined): JumpTarget {
  const { kind, text, line, column } = cursor.peek();
  if (kind !== "word") return cursor.takeNumber(most);
  cursor.take();
  return { kind, text, line, column };
}

/** `x` or `%x` */
function acceptRegister(cursor: Cursor, name: "a" | "x"): boolean {
  if (cursor.accept("%")) {
    cursor.expect(name);
    return true;
  }
  return cursor.accept(name);
}

function nextIs(cursor: Cursor, word: string): boolean {
  const { kind, text } = cursor.peek();
  return kind === "word" && text.toLowerCase() === word;
}

/** An instruction that consists of a name, or of a name and a constant. */
function plain(op: Op | number, cursor?: Cursor): Draft {
  return {
    op,
    jt: 0,
    jf: 0,
    k: cursor === undefined ? 0 : cursor.takeNumber(),
  };
}
