import { assert, assertEquals, assertThrows } from "@std/assert";
import { AssemblyError } from "../../../bpf/error.ts";
import type { ParseFiltersOptions } from "../../../bpf/assembly/link_filters.ts";
import type { Instruction, Op, Program } from "../../../bpf/instruction.ts";
import { parseFilters } from "../../../bpf/text.ts";

/** One instruction with unused fields 0. */
function i(op: Op | number, k = 0, jt = 0, jf = 0): Instruction {
  return { op, jt, jf, k };
}

function read(text: string, options?: ParseFiltersOptions): Program {
  const { programs } = parseFilters(text, options);
  assertEquals(programs.length, 1, text);
  return programs[0] ?? [];
}

/** Errors of a text, as `line: reason`. */
function errors(text: string, options?: ParseFiltersOptions): string[] {
  const error = assertThrows(() => parseFilters(text, options), AssemblyError);
  return error.all.map(({ line, reason }) => `${line}: ${reason}`);
}

const ALLOW = i("ret.k", 0x7fff_0000);
const KILL = i("ret.k", 0);

// Each statement separately, in both languages if both have it; offsets are
// those of struct seccomp_data (linux/seccomp.h), codes those of
// linux/bpf_common.h.
const STATEMENTS:
  readonly (readonly [string, string | undefined, Instruction])[] = [
    ["A = sys_number", "$A = $syscall_nr", i("ld.abs", 0)],
    ["A = arch", "$A = $arch", i("ld.abs", 4)],
    ["A = instruction_pointer", "$A = $low_pc", i("ld.abs", 8)],
    ["A = instruction_pointer >> 32", "$A = $high_pc", i("ld.abs", 12)],
    ["A = args[0]", "$A = $low_args[0]", i("ld.abs", 16)],
    ["A = args[5] >> 32", "$A = $high_args[5]", i("ld.abs", 60)],
    ["A = args_h[1]", "$A = $high_args[0x1]", i("ld.abs", 28)],
    ["A = data[4]", undefined, i("ld.abs", 4)],
    ["A = len", "$A = $scmp_data_len", i("ld.len")],
    ["A = mem[15]", "$A = $mem[0xf]", i("ld.mem", 15)],
    ["A = 0x7f", "$A = 0x7f", i("ld.imm", 127)],
    ["A = -1", undefined, i("ld.imm", 0xffff_ffff)],
    ["A = (10)", "$A = 10", i("ld.imm", 10)],
    ["A = X", "$A = $X", i("txa")],
    ["A = -A", "$A = -$A", i("neg")],
    ["X = A", "$X = $A", i("tax")],
    ["X = 3", "$X = 0b11", i("ldx.imm", 3)],
    ["X = mem[2]", "$X = $mem[2]", i("ldx.mem", 2)],
    ["X = len", "$X = $scmp_data_len", i("ldx.len")],
    ["mem[1] = A", "$mem[0x1] = $A", i("st", 1)],
    ["mem[1] = X", "$mem[1] = $X", i("stx", 1)],
    ["A += 7", "$A += 7", i("add.k", 7)],
    ["A += X", "$A += $X", i("add.x")],
    ["A -= 7", "$A -= 7", i("sub.k", 7)],
    ["A *= X", "$A *= $X", i("mul.x")],
    ["A /= 2", "$A /= 2", i("div.k", 2)],
    ["A |= X", "$A |= $X", i("or.x")],
    ["A &= 0xff", "$A &= 0xff", i("and.k", 255)],
    ["A ^= 1", "$A ^= 1", i("xor.k", 1)],
    ["A <<= 31", "$A <<= 31", i("lsh.k", 31)],
    ["A >>= X", "$A >>= $X", i("rsh.x")],
    ["return A", "return $A", i("ret.a")],
    ["return ALLOW", "return ALLOW", ALLOW],
    ["return KILL", "return KILL", KILL],
    ["return KILL_THREAD", undefined, KILL],
    ["return KILL_PROCESS", "return KILL_PROCESS", i("ret.k", 0x8000_0000)],
    ["return TRAP", "return TRAP(0)", i("ret.k", 0x3_0000)],
    ["return TRACE(7)", "return TRACE(0x7)", i("ret.k", 0x7ff0_0007)],
    ["return LOG", "return LOG", i("ret.k", 0x7ffc_0000)],
    ["return USER_NOTIF", "return NOTIFY", i("ret.k", 0x7fc0_0000)],
    ["return ERRNO(5)", "return ERRNO(5)", i("ret.k", 0x5_0005)],
    ["return ERRNO(EPERM)", "return ERRNO(eperm)", i("ret.k", 0x5_0001)],
    ["return ERRNO", "return ERRNO", i("ret.k", 0x5_0000)],
    ["return 0x1234", "return 0x1234", i("ret.k", 0x1234)],
    ["goto end", "goto end", i("ja", 1)],
    ["jmp end", undefined, i("ja", 1)],
    ["goto 1", undefined, i("ja", 1)],
    ["goto next", undefined, i("ja", 0)],
    ["if (A == 3) goto end", "if ($A == 3) goto end", i("jeq.k", 3, 1, 0)],
    ["if (A != 3) goto end", "if ($A != 3) goto end", i("jeq.k", 3, 0, 1)],
    ["if (A > X) goto end", "if ($A > $X) goto end", i("jgt.x", 0, 1, 0)],
    ["if (A <= X) goto end", "if ($A <= $X) goto end", i("jgt.x", 0, 0, 1)],
    ["if (A >= 3) goto end", "if ($A >= 3) goto end", i("jge.k", 3, 1, 0)],
    ["if (A < 3) goto end", "if ($A < 3) goto end", i("jge.k", 3, 0, 1)],
    ["if (A & 3) goto end", "if ($A & 3) goto end", i("jset.k", 3, 1, 0)],
    ["if (!(A & 3)) goto end", "if !($A & 3) goto end", i("jset.k", 3, 0, 1)],
    [
      "if (A == 3) goto end else goto last",
      "if ($A == 3) goto end, else goto last",
      i("jeq.k", 3, 1, 2),
    ],
    ["A == 3 ? end : last", "$A == 3 ? end : last", i("jeq.k", 3, 1, 2)],
    ["A & 3 ? next : end", undefined, i("jset.k", 3, 0, 1)],
    ["A != ARCH_I386 ? end : next", undefined, i("jeq.k", 0x4000_0003, 0, 1)],
    [
      "if (A == arch_x86_64) goto end",
      "if ($A == x86_64) goto end",
      i("jeq.k", 0xc000_003e, 1, 0),
    ],
    [
      "if (A == amd64.openat) goto end",
      "if ($A == x86_64.openat) goto end",
      i("jeq.k", 257, 1, 0),
    ],
    ["if (A == x32_write) goto end", undefined, i("jeq.k", 0x4000_0001, 1, 0)],
    [
      "if (A == i386.openat) goto end",
      "if ($A == i386.openat) goto end",
      i("jeq.k", 295, 1, 0),
    ],
  ];

Deno.test("parseFilters() reads each statement of both languages", () => {
  const options = { arches: ["x86_64"], littleEndian: true } as const;
  for (const [one, other, instruction] of STATEMENTS) {
    for (const text of other === undefined ? [one] : [one, other]) {
      // A statement with `$` shows the language of those without.
      const first = text === one ? "X = A" : "$X = $A";
      const program = read(
        `${first}\n${text}\nreturn 1\nend: return 2\nlast: return 3\n`,
        options,
      );
      assertEquals(program[1], instruction, text);
      assertEquals(program.length, 5, text);
    }
  }
});

Deno.test("parseFilters() reads statements over lines, comments and labels", () => {
  const program = read(`
    # ld [0] is not meant
    A = arch   // the machine
    if (
      A  # a comment within
        != ARCH_X86_64
    ) goto bad
    else
      goto good
    bad:
    worse: return KILL /* both
      lines */
    good: A = sys_number A >= 0x40000000 ? bad2 : next
    A == read ? good2 : next
    bad2: return ERRNO(1)
    good2: return ALLOW`);
  assertEquals(program, [
    i("ld.abs", 4),
    i("jeq.k", 0xc000_003e, 1, 0),
    KILL,
    i("ld.abs", 0),
    i("jge.k", 0x4000_0000, 1, 0),
    i("jeq.k", 0, 1, 0),
    i("ret.k", 0x5_0001),
    ALLOW,
  ]);
});

Deno.test("parseFilters() takes the number of a name from the architecture on its path", () => {
  const text = (check: string): string =>
    `${check}
    A = sys_number
    if (A == openat) goto good
    return KILL
    good: return ALLOW
  `;
  const x86 = text("A = arch\nif (A != ARCH_I386) goto good");
  assertEquals(read(x86)[3]?.k, 295);
  // --arch names the same one, or contradicts.
  assertEquals(read(x86, { arches: ["x86"] })[3]?.k, 295);
  assertEquals(errors(x86, { arches: ["x86_64"] }), ["4: unknown-name"]);
  assertEquals(read(text(""), { arches: ["x86_64"] })[1]?.k, 257);
  // Nothing decides.
  assertEquals(errors(text("")), ["3: unknown-name"]);
  const assumed = parseFilters(text(""), { assumedArch: "aarch64" });
  assertEquals(assumed.assumedArch, "aarch64");
  assertEquals(assumed.programs[0]?.[1]?.k, 56);
  assertEquals(
    parseFilters(x86, { assumedArch: "aarch64" }).assumedArch,
    undefined,
  );
  const wrong = x86.replace("openat", "opennat");
  const error = assertThrows(() => parseFilters(wrong), AssemblyError);
  assert(error.message.includes("did you mean openat"), error.message);
});

Deno.test("parseFilters() reads halves of words in the byte order of the machine", () => {
  const text = (arch: string): string =>
    `$A = $arch\nif ($A != ${arch}) goto bad\n$A = $low_args[1]\n` +
    "$A = $high_pc\nbad: return KILL\n";
  const offsets = (program: Program): readonly number[] =>
    program.flatMap(({ op, k }) => op === "ld.abs" ? [k] : []);
  assertEquals(offsets(read(text("x86_64"))), [4, 24, 12]);
  assertEquals(offsets(read(text("s390x"))), [4, 28, 8]);
  const big = parseFilters(text("s390x"));
  assertEquals([big.littleEndian, big.order], [false, "inferred"]);
  const given = parseFilters(`.big-endian\nA = args[0]\nreturn A\n`);
  assertEquals(given.programs[0]?.[0]?.k, 20);
  assertEquals([given.littleEndian, given.order], [false, "given"]);
  assertEquals(
    read("A = args[0]\nreturn A", { littleEndian: false })[0]?.k,
    20,
  );
  assertEquals(parseFilters("A = args[0]\nreturn A").order, "assumed");
});

Deno.test("parseFilters() reads a jump whose targets are the same as each tool does", () => {
  const end = "\nreturn 1\nend: return 2\n";
  const [merged] = read(`if (A == 3) goto end else goto end${end}`);
  assertEquals(merged, i("ja", 1));
  const [, kept] = read(`$X = $A\nif ($A == 3) goto end, else goto end${end}`);
  assertEquals(kept, i("jeq.k", 3, 1, 1));
});

Deno.test("parseFilters() reports all errors, one per line, with a fix", () => {
  assertEquals(
    errors(`X = A
      A = agrs[0]
      A = args[6]
      mem[16] = A
      X = args[0]
      A = mem[0
      A += mem[1]
      if (A == 3) return ALLOW
      if (A = 3) goto end
      if (X == 3) goto end
      A == 3 ? end
      goto nowhere
      return ALOW
      return ERRNO(65536)
      return ERRNO(EPREM)
      A == 4294967296 ? end : next
      A == 0333 ? end : next
      A == vax.read ? end : next
      A == x32 ? end : next
      A = args[0] >> 31
      A @ 3
      end: return KILL
      end: return KILL
    `),
    [
      "2: unknown-name",
      "3: number-range",
      "4: number-range",
      "5: unexpected-token",
      "7: unexpected-token",
      "8: unexpected-token",
      "9: unexpected-token",
      "10: unexpected-token",
      "12: unexpected-token",
      "13: unexpected-token",
      "14: number-range",
      "15: unexpected-token",
      "16: number-range",
      "17: ambiguous-number",
      "18: unknown-name",
      "19: ambiguous-name",
      "20: unexpected-token",
      "21: unknown-character",
      "23: duplicate-label",
    ].filter((line) => line !== ""),
  );
});

Deno.test("parseFilters() refuses jumps that a filter cannot have", () => {
  const far = `if (A == 1) goto far\n${"return 0\n".repeat(256)}far: return 1`;
  assertEquals(errors(far), ["1: jump-too-far"]);
  assertEquals(errors("back: A = X\ngoto back\nreturn 0"), [
    "2: jump-backwards",
  ]);
  assertEquals(errors("goto there\nreturn 0"), ["1: unknown-label"]);
  assertEquals(errors("next: return 0"), ["1: duplicate-label"]);
  // A number is a distance, unless it may be a label.
  assertEquals(errors("goto 3\n0003: return 0"), ["1: ambiguous-label"]);
  assertEquals(read("goto 0003\nreturn 1\n0003: return 0")[0], i("ja", 1));
});
