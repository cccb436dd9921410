/**
 * Classic BPF instructions as data.
 *
 * An instruction has the four fields of `struct sock_filter`; `op` names the
 * 16-bit code, in the words of the kernel's `bpf_asm`. A code without a name is
 * kept as a number, so decoding never loses a bit.
 *
 * ```text
 * struct sock_filter { u16 code; u8 jt; u8 jf; u32 k; }   // linux/filter.h
 * ```
 *
 * @module
 */

/**
 * Name of an instruction and the form of its operand. `.abs` reads the input at
 * byte `k`, `.ind` at byte X+k, `.imm` is the constant `k`, `.mem` scratch word
 * `k`, `.len` the length of the input, `.msh` the IP header length. `.k` and
 * `.x` show whether the second operand is `k` or X; `.a` means that A is
 * returned.
 *
 * The names cover the codes that `bpf_check_classic()` accepts in any filter
 * (net/core/filter.c: chk_code_allowed()). `ret x`, which `bpf_asm` assembles
 * to code 0x0e, is not among them and stays a number.
 *
 * @category Filters
 */
export type Op =
  | "ld.abs"
  | "ldh.abs"
  | "ldb.abs"
  | "ld.ind"
  | "ldh.ind"
  | "ldb.ind"
  | "ld.imm"
  | "ld.mem"
  | "ld.len"
  | "ldx.imm"
  | "ldx.mem"
  | "ldx.len"
  | "ldxb.msh"
  | "st"
  | "stx"
  | "add.k"
  | "add.x"
  | "sub.k"
  | "sub.x"
  | "mul.k"
  | "mul.x"
  | "div.k"
  | "div.x"
  | "mod.k"
  | "mod.x"
  | "and.k"
  | "and.x"
  | "or.k"
  | "or.x"
  | "xor.k"
  | "xor.x"
  | "lsh.k"
  | "lsh.x"
  | "rsh.k"
  | "rsh.x"
  | "neg"
  | "ja"
  | "jeq.k"
  | "jeq.x"
  | "jgt.k"
  | "jgt.x"
  | "jge.k"
  | "jge.x"
  | "jset.k"
  | "jset.x"
  | "ret.k"
  | "ret.a"
  | "tax"
  | "txa";

/**
 * One instruction.
 *
 * @category Filters
 */
export interface Instruction {
  /** Its name, or its 16-bit code if it has no name. */
  readonly op: Op | number;
  /** Distance in instructions if the test succeeds, a u8; 0 if unused. */
  readonly jt: number;
  /** Distance in instructions if the test fails, a u8; 0 if unused. */
  readonly jf: number;
  /** Constant, offset in bytes, scratch word or distance of `ja`, a u32. */
  readonly k: number;
}

/**
 * The instructions of a filter, in order.
 *
 * @category Filters
 */
export type Program = readonly Instruction[];
