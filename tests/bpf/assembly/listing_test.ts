import { assertEquals, assertThrows } from "@std/assert";
import { AssemblyError } from "../../../bpf/error.ts";
import type { Program } from "../../../bpf/instruction.ts";
import { parseFilters } from "../../../bpf/text.ts";

/** A listing as seccomp-tools prints it; made by hand. */
const LISTING = ` line  CODE  JT   JF      K
=================================
 0000: 0x20 0x00 0x00 0x00000004  A = arch
 0001: 0x15 0x00 0x05 0xc000003e  if (A != ARCH_X86_64) goto 0007
 0002: 0x20 0x00 0x00 0x00000000  A = sys_number
 0003: 0x15 0x00 0x02 0x0000003e  if (A != kill) goto 0006
 0004: 0x20 0x00 0x00 0x00000014  A = pid >> 32 # kill(pid, sig)
 0005: 0x15 0x01 0x01 0x00000000  goto 0007
 0006: 0x06 0x00 0x00 0x00050001  return ERRNO(1)
 0007: 0x06 0x34 0xde 0x0000003b  return KILL
`;

const PROGRAM: Program = [
  { op: "ld.abs", jt: 0, jf: 0, k: 4 },
  { op: "jeq.k", jt: 0, jf: 5, k: 0xc000_003e },
  { op: "ld.abs", jt: 0, jf: 0, k: 0 },
  { op: "jeq.k", jt: 0, jf: 2, k: 62 },
  { op: "ld.abs", jt: 0, jf: 0, k: 20 },
  { op: "jeq.k", jt: 1, jf: 1, k: 0 },
  { op: "ret.k", jt: 0, jf: 0, k: 0x5_0001 },
  { op: "ret.k", jt: 0x34, jf: 0xde, k: 0x3b },
];

/** The same as Ceccomp prints it, with color. */
const COLORED = [
  "\x1b[90m#Label  CODE  JT   JF      K\x1b[0m",
  "\x1b[90m#---------------------------------\x1b[0m",
  " L0001: 0x20 0x00 0x00 0x00000004 \x1b[93m$A\x1b[0m = \x1b[94m$arch\x1b[0m",
  " L0002: 0x15 0x00 0x05 0xc000003e if (\x1b[93m$A\x1b[0m != \x1b[96mx86_64\x1b[0m) goto L0008",
  " L0003: 0x20 0x00 0x00 0x00000000 $A = $syscall_nr",
  " L0004: 0x15 0x00 0x02 0x0000003e if ($A != kill) goto L0007",
  " L0005: 0x20 0x00 0x00 0x00000014 $A = $high_args[0]",
  " L0006: 0x15 0x01 0x01 0x00000000 if ($A == 0x0) goto L0008, else goto L0008",
  " L0007: 0x06 0x00 0x00 0x00050001 return \x1b[31mERRNO(1)\x1b[0m",
  " L0008: 0x06 0x34 0xde 0x0000003b return \x1b[31mKILL\x1b[0m",
  "\x1b[90m#---------------------------------\x1b[0m",
  "",
].join("\r\n");

function errors(text: string): string[] {
  const error = assertThrows(() => parseFilters(text), AssemblyError);
  return error.all.map(({ line, reason }) => `${line}: ${reason}`);
}

Deno.test("parseFilters() reads listings, whose fields are the instructions", () => {
  for (const text of [LISTING, COLORED]) {
    assertEquals(parseFilters(text).programs, [PROGRAM], text);
    // Another title begins another filter.
    assertEquals(parseFilters(text + text).programs, [PROGRAM, PROGRAM]);
  }
  const bare = LISTING.split("\n").slice(2).join("\n")
    .replaceAll(/ (0x..) (0x..) (0x..) (0x.{8})/g, "");
  const [program] = parseFilters(bare).programs;
  // Without fields, anything that a statement does not express is lost.
  assertEquals(program?.slice(0, 5), PROGRAM.slice(0, 5));
  assertEquals(program?.[5], { op: "ja", jt: 0, jf: 0, k: 1 });
  assertEquals(program?.[7], { op: "ret.k", jt: 0, jf: 0, k: 0 });
  const fields = LISTING.replaceAll(/(0x[0-9a-f]{8}).*/g, "$1");
  assertEquals(parseFilters(fields).programs, [PROGRAM]);
});

Deno.test("parseFilters() refuses truncated or edited listings", () => {
  const lines = LISTING.split("\n");
  const without = (n: number): string => lines.toSpliced(n, 1).join("\n");
  const edited = (from: string | RegExp, to: string): string => {
    const text = LISTING.replace(from, to);
    assertEquals(text === LISTING, false, String(from));
    return text;
  };
  const cases: readonly (readonly [string, readonly string[]])[] = [
    [without(3), ["4: wrong-index"]],
    [without(2), ["3: wrong-index"]],
    [lines.slice(2, 6).concat(lines.slice(2, 8)).join("\n"), [
      "5: duplicate-label",
    ]],
    [edited("!= kill", "!= read"), ["6: contradiction"]],
    [edited("ERRNO(1)", "ALLOW"), ["9: contradiction"]],
    [edited("return KILL", "return ERRNO(1)"), ["10: contradiction"]],
    [edited("A != kill", "A == kill"), ["6: contradiction"]],
    [edited("goto 0006", "goto 0007"), ["6: contradiction"]],
    [edited("A = arch", "A = sys_number"), ["3: contradiction"]],
    [edited("0x00050001", "0x7fff0000"), ["9: contradiction"]],
    [edited(/ 0x06 0x00 0x00 0x00050001/, ""), ["9: mixed-listing"]],
    [
      COLORED.replaceAll(/0x.. 0x.. 0x.. 0x.{8} /g, "").split("\r\n")
        .toSpliced(5, 2).concat("#... 2 line(s) skipped").join("\n"),
      ["6: wrong-index"],
    ],
    [
      COLORED.split("\r\n").slice(0, 7).join("\n") +
      "\n#... 4 line(s) skipped\n",
      ["8: truncated"],
    ],
  ];
  for (const [text, wanted] of cases) {
    assertEquals(errors(text).slice(0, 1), wanted.slice(0, 1), text);
  }
});

Deno.test("parseFilters() takes numbers that libseccomp gives to calls that do not exist", () => {
  const text = ` L0001: 0x20 0x00 0x00 0x00000004 $A = $arch
 L0002: 0x15 0x00 0x02 0xc00000b7 if ($A != aarch64) goto L0005
 L0003: 0x20 0x00 0x00 0x00000000 $A = $syscall_nr
 L0004: 0x15 0x01 0x00 0xffffd85c if ($A == aarch64.alarm) goto L0006
 L0005: 0x06 0x00 0x00 0x00000000 return KILL
 L0006: 0x06 0x00 0x00 0x7fff0000 return ALLOW
`;
  assertEquals(parseFilters(text).programs[0]?.[3]?.k, 0xffff_d85c);
  const bare = text.replaceAll(/0x.. 0x.. 0x.. 0x.{8} /g, "");
  assertEquals(errors(bare), ["4: unknown-name"]);
});

Deno.test("parseFilters() reads the index and the fields before bpf_asm as well", () => {
  const text = `0000: 0x0020 0x00 0x00 0x00000000         ld [0]
0001: 0x0015 0x00 0x01 0x00000027         jeq #0x27, 0, l3
0002: 0x0006 0x00 0x00 0x7fff0000         ret #0x7fff0000
0003: 0x0006 0x00 0x00 0x00000000 l3:     ret #0x00000000
`;
  const wanted = parseFilters("ld [0]\njne #39, l\nret #0x7fff0000\nl: ret #0");
  assertEquals(parseFilters(text).programs, wanted.programs);
  const numbered = text.replaceAll(/0x00.. 0x.. 0x.. 0x.{8}/g, "");
  assertEquals(parseFilters(numbered).programs, wanted.programs);
  const cut = numbered.split("\n").toSpliced(2, 1).join("\n");
  assertEquals(errors(cut), ["3: wrong-index"]);
  assertEquals(errors(text.replace("#0x27", "#0x28")), ["2: contradiction"]);
});
