/**
 * A static program that reports the verdicts of the filters above it on a table
 * of system calls, without running any of them: an x86_64 ELF executable laid
 * out byte by byte, so that no C compiler and no libc is needed.
 *
 * The program adds a filter of its own that answers `SECCOMP_RET_TRACE` to
 * calls from the two probing instructions and `SECCOMP_RET_ALLOW` to all
 * others. The kernel takes the most restrictive answer of all filters
 * (seccomp(2); kernel/seccomp.c: seccomp_run_filters()), and a trace answer
 * without a tracer fails the call with ENOSYS. So where the container's filter
 * says ERRNO its errno comes back, if it says ALLOW or LOG −38 does, and
 * `reboot`, `exit` and `fork` are as safe to ask about as `getpid`. A filter
 * that says KILL ends the program, one that says TRAP sends it SIGSYS.
 *
 * Two limits: an ERRNO verdict of ENOSYS looks like ALLOW, so profiles under
 * test should use another number; and `uretprobe` and `uprobe` (335 and 336 on
 * x86_64) are carried out by the kernel in spite of any filter, so they cannot
 * be asked about.
 *
 * ```ts ignore
 * const rows: ProbeRow[] = [{ abi: "syscall", nr: 169, args: [] }]; // reboot
 * await Deno.writeFile("rootfs/probe", buildProbe(rows), { mode: 0o755 });
 * // run it in a container, then:
 * // readVerdicts(stdout, rows.length)[0] is −1 under Docker's default
 * ```
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

/**
 * How a row enters the kernel: `syscall` and `int80` are probed; `executed` is
 * the `syscall` instruction outside of the probe's own filter: the call really
 * runs if the container's filter allows it.
 */
export type ProbeAbi = "syscall" | "int80" | "executed";

/** One call to ask about. */
export interface ProbeRow {
  /** Instruction that enters the kernel. x32 is `syscall` with bit 30 in `nr`. */
  readonly abi: ProbeAbi;
  /** System call number, a u32. */
  readonly nr: number;
  /** Up to six u64, absent ones are 0; `int80` passes the low halves. */
  readonly args: readonly bigint[];
}

/** The answer of a row if every filter of the container allows it. */
export const ALLOWED = -38;

/** Numbers of `uretprobe` and `uprobe`, which no filter sees. */
export const UNFILTERED: readonly number[] = [335, 336];

/** Exit status of the program when it could not do its work. */
export const PROBE_FAILED = 70;

const CODE_ADDRESS = 0x40_0000;
const TABLE_ADDRESS = 0x1000_0000;
const PAGE = 4096;
/** ELF header and two program headers. */
const HEADERS = 64 + 2 * 56;
/** nr, abi, six arguments. */
const ROW_BYTES = 56;

/**
 * Builds the executable for a table of calls. It writes one i64 per row to
 * its standard output and exits with 0.
 *
 * @param rows The calls, in the order of the answers.
 * @returns The bytes of an ELF file.
 */
export function buildProbe(rows: readonly ProbeRow[]): Uint8Array {
  const code = machineCode(rows.length);
  const codeEnd = HEADERS + code.length;
  const tableOffset = Math.ceil(codeEnd / PAGE) * PAGE;
  const tableBytes = Math.max(rows.length, 1) * ROW_BYTES;
  const file = new Uint8Array(tableOffset + tableBytes);
  const view = new DataView(file.buffer);

  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]); // ELF, 64-bit, little-endian
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 62, true); // EM_X86_64
  view.setUint32(20, 1, true); // EV_CURRENT
  view.setBigUint64(24, BigInt(CODE_ADDRESS + HEADERS), true); // e_entry
  view.setBigUint64(32, 64n, true); // e_phoff
  view.setUint16(52, 64, true); // e_ehsize
  view.setUint16(54, 56, true); // e_phentsize
  view.setUint16(56, 2, true); // e_phnum
  putSegment(view, 64, { flags: 5, offset: 0, address: CODE_ADDRESS }, codeEnd);
  putSegment(
    view,
    64 + 56,
    { flags: 6, offset: tableOffset, address: TABLE_ADDRESS },
    tableBytes,
  );
  file.set(code, HEADERS);

  rows.forEach((row, index) => {
    const at = tableOffset + index * ROW_BYTES;
    assert(
      row.abi === "int80" || !UNFILTERED.includes(row.nr),
      `Cannot probe number ${row.nr}: no filter sees it`,
    );
    view.setUint32(at, row.nr, true);
    view.setUint32(
      at + 4,
      ["syscall", "int80", "executed"].indexOf(row.abi),
      true,
    );
    row.args.forEach((arg, i) => view.setBigUint64(at + 8 + 8 * i, arg, true));
  });
  return file;
}

/**
 * Reads the output of the program.
 *
 * @param output Its standard output.
 * @param count Number of rows.
 * @returns One result per row, a negative errno or the return value of the
 * call.
 */
export function readVerdicts(output: Uint8Array, count: number): number[] {
  assertEquals(output.length, 8 * count, "bytes the probe wrote");
  const view = new DataView(output.buffer, output.byteOffset, output.length);
  return Array.from(
    { length: count },
    (_, i) => Number(view.getBigInt64(8 * i, true)),
  );
}

/** Location of a segment and its permissions (PF_X 1, PF_W 2, PF_R 4). */
interface Segment {
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
}

function putSegment(
  view: DataView,
  at: number,
  { flags, offset, address }: Segment,
  size: number,
): void {
  view.setUint32(at, 1, true); // PT_LOAD
  view.setUint32(at + 4, flags, true);
  view.setBigUint64(at + 8, BigInt(offset), true);
  view.setBigUint64(at + 16, BigInt(address), true); // p_vaddr
  view.setBigUint64(at + 24, BigInt(address), true); // p_paddr
  view.setBigUint64(at + 32, BigInt(size), true); // p_filesz
  view.setBigUint64(at + 40, BigInt(size), true); // p_memsz
  view.setBigUint64(at + 48, BigInt(PAGE), true); // p_align
}

/** Bytes, the name of a place, a rel32 jump to a place, or a place's address as u32. */
type Piece =
  | readonly number[]
  | { readonly place: string }
  | { readonly jump: readonly number[]; readonly to: string }
  | { readonly address: string };

/**
 * The program. r12 is the row, r13 the answer, r14 counts down. Answers
 * overwrite the table: the answer of row i lies at byte 8i, the row at 56i, so
 * only rows that were read are overwritten.
 */
function machineCode(count: number): Uint8Array {
  return assemble([
    // prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    [0xb8, ...u32(157)], // mov $157,%eax
    [0xbf, ...u32(38)], // mov $38,%edi
    [0xbe, ...u32(1)], // mov $1,%esi
    [0x31, 0xd2, 0x45, 0x31, 0xd2, 0x45, 0x31, 0xc0], // xor %edx, %r10d, %r8d
    SYSCALL,
    [0x48, 0x85, 0xc0], // test %rax,%rax
    { jump: JNE, to: "fail" },
    // seccomp(SECCOMP_SET_MODE_FILTER, 0, &fprog)
    [0xb8, ...u32(317)], // mov $317,%eax
    [0xbf, ...u32(1)], // mov $1,%edi
    [0x31, 0xf6], // xor %esi,%esi
    [0xba], // mov $fprog,%edx
    { address: "fprog" },
    SYSCALL,
    [0x48, 0x85, 0xc0], // test %rax,%rax
    { jump: JNE, to: "fail" },
    [0x41, 0xbc, ...u32(TABLE_ADDRESS)], // mov $table,%r12d
    [0x41, 0xbd, ...u32(TABLE_ADDRESS)], // mov $table,%r13d
    [0x41, 0xbe, ...u32(count)], // mov $count,%r14d
    { place: "next" },
    [0x4d, 0x85, 0xf6], // test %r14,%r14
    { jump: JE, to: "done" },
    [0x41, 0x8b, 0x04, 0x24], // mov (%r12),%eax
    [0x41, 0x8b, 0x4c, 0x24, 4], // mov 4(%r12),%ecx
    [0x83, 0xf9, 1], // cmp $1,%ecx
    { jump: JE, to: "int80" },
    [0x49, 0x8b, 0x7c, 0x24, 8], // mov 8(%r12),%rdi
    [0x49, 0x8b, 0x74, 0x24, 16], // mov 16(%r12),%rsi
    [0x49, 0x8b, 0x54, 0x24, 24], // mov 24(%r12),%rdx
    [0x4d, 0x8b, 0x54, 0x24, 32], // mov 32(%r12),%r10
    [0x4d, 0x8b, 0x44, 0x24, 40], // mov 40(%r12),%r8
    [0x4d, 0x8b, 0x4c, 0x24, 48], // mov 48(%r12),%r9
    [0x83, 0xf9, 2], // cmp $2,%ecx
    { jump: JE, to: "executed" },
    SYSCALL,
    { place: "after syscall" },
    { jump: JMP, to: "store" },
    { place: "executed" },
    SYSCALL,
    { jump: JMP, to: "store" },
    { place: "int80" },
    [0x41, 0x8b, 0x5c, 0x24, 8], // mov 8(%r12),%ebx
    [0x41, 0x8b, 0x4c, 0x24, 16], // mov 16(%r12),%ecx
    [0x41, 0x8b, 0x54, 0x24, 24], // mov 24(%r12),%edx
    [0x41, 0x8b, 0x74, 0x24, 32], // mov 32(%r12),%esi
    [0x41, 0x8b, 0x7c, 0x24, 40], // mov 40(%r12),%edi
    [0x41, 0x8b, 0x6c, 0x24, 48], // mov 48(%r12),%ebp
    [0xcd, 0x80], // int $0x80
    { place: "after int80" },
    [0x48, 0x98], // cltq
    { place: "store" },
    [0x49, 0x89, 0x45, 0], // mov %rax,0(%r13)
    [0x49, 0x83, 0xc4, ROW_BYTES], // add $56,%r12
    [0x49, 0x83, 0xc5, 8], // add $8,%r13
    [0x49, 0xff, 0xce], // dec %r14
    { jump: JMP, to: "next" },
    // write(1, answers, rest) until all is written
    { place: "done" },
    [0x41, 0xbc, ...u32(TABLE_ADDRESS)], // mov $table,%r12d
    { place: "write" },
    [0x4c, 0x89, 0xea], // mov %r13,%rdx
    [0x4c, 0x29, 0xe2], // sub %r12,%rdx
    { jump: JE, to: "exit" },
    [0xb8, ...u32(1)], // mov $1,%eax
    [0xbf, ...u32(1)], // mov $1,%edi
    [0x4c, 0x89, 0xe6], // mov %r12,%rsi
    SYSCALL,
    [0x48, 0x85, 0xc0], // test %rax,%rax
    { jump: JLE, to: "fail" },
    [0x49, 0x01, 0xc4], // add %rax,%r12
    { jump: JMP, to: "write" },
    { place: "exit" },
    [0x31, 0xff], // xor %edi,%edi
    { place: "leave" },
    [0xb8, ...u32(231)], // mov $231,%eax (exit_group)
    SYSCALL,
    { place: "fail" },
    [0xbf, ...u32(PROBE_FAILED)], // mov $70,%edi
    { jump: JMP, to: "leave" },
    // struct sock_fprog { u16 len; struct sock_filter *filter; }
    { place: "fprog" },
    [5, 0, 0, 0, 0, 0, 0, 0],
    { address: "filter" },
    u32(0),
    // The low half of the instruction pointer is enough below 4 GiB.
    { place: "filter" },
    [0x20, 0, 0, 0, ...u32(8)], // ld [8]
    [0x15, 0, 2, 0], // jeq #after_syscall, trace
    { address: "after syscall" },
    [0x15, 0, 1, 0], // jeq #after_int80, trace
    { address: "after int80" },
    [0x06, 0, 0, 0, ...u32(0x7fff_0000)], // ret #SECCOMP_RET_ALLOW
    [0x06, 0, 0, 0, ...u32(0x7ff0_0000)], // trace: ret #SECCOMP_RET_TRACE
  ]);
}

const SYSCALL: readonly number[] = [0x0f, 0x05];
const JMP: readonly number[] = [0xe9];
const JE: readonly number[] = [0x0f, 0x84];
const JNE: readonly number[] = [0x0f, 0x85];
const JLE: readonly number[] = [0x0f, 0x8e];

function u32(value: number): number[] {
  return [value, value >>> 8, value >>> 16, value >>> 24].map((v) => v & 0xff);
}

function assemble(pieces: readonly Piece[]): Uint8Array {
  const places = new Map<string, number>();
  let size = 0;
  for (const piece of pieces) {
    if ("place" in piece) places.set(piece.place, size);
    else if ("jump" in piece) size += piece.jump.length + 4;
    else size += "address" in piece ? 4 : piece.length;
  }
  const place = (name: string): number => {
    const at = places.get(name);
    assert(at !== undefined, `Unreachable: no place "${name}"`);
    return at;
  };
  const bytes: number[] = [];
  for (const piece of pieces) {
    if ("jump" in piece) {
      const end = bytes.length + piece.jump.length + 4;
      bytes.push(...piece.jump, ...u32(place(piece.to) - end));
    } else if ("address" in piece) {
      bytes.push(...u32(CODE_ADDRESS + HEADERS + place(piece.address)));
    } else if (!("place" in piece)) bytes.push(...piece);
  }
  return Uint8Array.from(bytes);
}
