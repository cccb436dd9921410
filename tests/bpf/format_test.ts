import { assertEquals, assertThrows } from "@std/assert";
import { ProgramError } from "../../bpf/error.ts";
import type { FilterStack } from "../../bpf/filter.ts";
import { formatFilters } from "../../bpf/format.ts";
import type { Program } from "../../bpf/instruction.ts";
import { parseFilters } from "../../bpf/text.ts";
import { assembly, paintPart } from "../../cli/output/assembly.ts";
import { ARCHES } from "../../tables/arch.ts";
import {
  createRandom,
  jump,
  plain,
  type Random,
  randomProgram,
} from "../verify/programs.ts";

const SEED = 0x57a1e;

/** A program of everything, after a test of the architecture or not. */
function anyProgram(random: Random): Program {
  const inputs = [{ offset: 0, mask: 0xffff_ffff }, {
    offset: 4 * random.below(16),
    mask: 0xffff_ffff,
  }];
  const body = randomProgram(random, inputs, 4 + random.below(40));
  const arch = random.pick(ARCHES);
  const numbers = [...arch.syscalls.values()];
  // Comparisons with numbers of calls, where the architecture is known.
  const calls = Array.from(
    { length: random.below(4) },
    () => jump("jeq.k", random.pick(numbers), random.below(3), 0),
  );
  return [
    plain("ld.abs", 4),
    jump("jeq.k", arch.auditArch, 0, random.below(3)),
    plain("ld.abs", 0),
    ...calls,
    ...body,
  ];
}

Deno.test("every style is read back to the same filters, or reports what it cannot express", () => {
  const random = createRandom(SEED);
  let refused = 0;
  for (let i = 0; i < 60; i++) {
    const programs = Array.from(
      { length: 1 + random.below(2) },
      () => anyProgram(random),
    );
    const stack: FilterStack = { programs, littleEndian: i % 3 !== 0 };
    for (const style of ["bpf_asm", "seccomp-tools"] as const) {
      for (const [numbers, fields, color] of CHOICES) {
        let text: string;
        try {
          text = assembly(stack, {
            style,
            numbers,
            fields,
            ...(color && { paint: paintPart }),
          });
        } catch (error) {
          if (!(error instanceof ProgramError)) throw error;
          assertEquals([error.reason, style, fields], [
            "no-words",
            "seccomp-tools",
            false,
          ]);
          refused++;
          continue;
        }
        const read = parseFilters(text);
        assertEquals(read.programs, programs, `${SEED} ${i}\n${text}`);
        assertEquals(read.littleEndian, stack.littleEndian, text);
      }
    }
  }
  assertEquals(refused > 30, true, "random tests have equal targets");
});

/** Numbers, fields, color. */
const CHOICES = [
  [false, false, false],
  [true, false, false],
  [false, true, false],
  [true, true, true],
] as const;

Deno.test("the style of seccomp-tools names what is certain", () => {
  const program: Program = [
    plain("ld.abs", 4),
    jump("jeq.k", 0xc000_003e, 0, 4),
    plain("ld.abs", 0),
    jump("jeq.k", 257, 6, 0),
    jump("jeq.k", 0x4000_0001, 5, 0),
    jump("jge.k", 59, 3, 4),
    jump("jeq.k", 0x4000_0003, 0, 2),
    plain("ld.abs", 0),
    jump("jeq.k", 295, 1, 0),
    plain("ret.k", 0x0005_0001),
    plain("ret.k", 0x7fff_0000),
  ];
  const lines = assembly({ programs: [program], littleEndian: true }, {
    style: "seccomp-tools",
  }).trimEnd().split("\n").map((line) => line.replaceAll(/ +/g, " "));
  assertEquals(lines, [
    " A = arch",
    " if (A != ARCH_X86_64) goto l6",
    " A = sys_number",
    " if (A == openat) goto l10",
    " if (A == x32_write) goto l10",
    " if (A >= 0x3b) goto l9 else goto l10 # execve",
    "l6: if (A != ARCH_I386) goto l9",
    " A = sys_number",
    " if (A == i386.openat) goto l10",
    "l9: return ERRNO(1) # ERRNO(EPERM)",
    "l10: return ALLOW",
  ]);
});

Deno.test("a style that cannot express an instruction names it", () => {
  const end = [plain("ret.k", 0)];
  const cases: readonly Program[] = [
    [jump("jeq.k", 1, 0, 0), ...end],
    [plain("ldx.len"), ...end],
    [plain("mod.k", 3), ...end],
    [plain("ld.abs", 3), ...end],
    [plain("ja", 9), ...end],
    [{ op: "tax", jt: 0, jf: 0, k: 1 }, ...end],
    [{ op: 0xff, jt: 0, jf: 0, k: 0 }, ...end],
  ];
  for (const program of cases) {
    const stack = { programs: [program], littleEndian: true };
    const style = "seccomp-tools" as const;
    const error = assertThrows(
      () => formatFilters(stack, { style }),
      ProgramError,
    );
    assertEquals([error.reason, error.pc], ["no-words", 0]);
    const text = formatFilters(stack, { style, fields: true });
    assertEquals(parseFilters(text).programs, [program], text);
  }
});
