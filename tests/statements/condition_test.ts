import { assert, assertEquals, assertThrows } from "@std/assert";
import { StatementError } from "../../statements/condition.ts";
import { type Formula, holdsFormula } from "../../statements/formula.ts";
import { parseCondition } from "../../statements/parse_condition.ts";
import { parseDocument } from "../../statements/parse_document.ts";
import { resolveCondition } from "../../statements/resolve_condition.ts";
import { writeCondition } from "../../statements/write_condition.ts";
import { archByName, type ArchName } from "../../tables/arch.ts";

function read(text: string, name: string, arch: ArchName = "x86_64"): Formula {
  return resolveCondition(parseCondition(text), {
    arch: archByName(arch),
    name,
  });
}

/** A condition, its call, and arguments for which it is true and false. */
const MEANINGS: readonly (readonly [
  condition: string,
  call: string,
  holds: readonly (readonly bigint[])[],
  fails: readonly (readonly bigint[])[],
])[] = [
  ["prot ⊆ PROT_READ|PROT_WRITE", "mmap", [[0n, 0n, 0n], [0n, 0n, 3n]], [
    [0n, 0n, 4n],
    [0n, 0n, 1n << 32n],
  ]],
  ["prot subset 3", "mmap", [[0n, 0n, 2n]], [[0n, 0n, 5n]]],
  ["prot ⊈ PROT_READ", "mmap", [[0n, 0n, 2n]], [[0n, 0n, 1n]]],
  ["flags ∋ CLONE_NEWUSER|CLONE_VM", "clone", [[0x1000_0100n]], [
    [0x1000_0000n],
    [0x100n],
  ]],
  ["flags ∌ CLONE_NEWUSER", "clone", [[0n], [0x100n]], [[0x1000_0000n]]],
  ["flags lacks CLONE_NEWUSER", "clone", [[1n]], [[0x1000_0000n]]],
  ["(flags & (CLONE_NEWUSER|0x100)) == 0", "clone", [[0x200n]], [[0x100n]]],
  ["flags & 0x101 != 0x1", "clone", [[0n], [0x100n]], [[1n], [3n]]],
  ["domain ∈ {AF_UNIX, 5..7, 40..}", "socket", [[1n], [6n], [1n << 63n]], [
    [0n],
    [8n],
    [39n],
  ]],
  ["domain not in {AF_UNIX}", "socket", [[2n]], [[1n]]],
  ["domain in 3..4", "socket", [[3n], [4n]], [[2n], [5n]]],
  ["low32(domain) == 1", "socket", [[0x5_0000_0001n]], [[2n]]],
  ["high32(domain) > 1", "socket", [[0x2_0000_0000n]], [[0x1_ffff_ffffn]]],
  ["arg0 < 1 or arg1 >= 5 and not arg2 = 3", "socket", [
    [0n, 0n, 3n],
    [1n, 5n, 2n],
  ], [[1n, 5n, 3n], [1n, 4n, 0n]]],
  ["(arg0 < 1 or arg1 ≥ 5) and arg2 ≠ 3", "socket", [[0n, 0n, 2n]], [
    [0n, 0n, 3n],
  ]],
  ["fd == -1", "read", [[0xffff_ffff_ffff_ffffn]], [[0xffff_ffffn]]],
  ["fd < 0", "read", [], [[0n], [1n]]],
];

Deno.test("conditions mean what docs/explain.md says", () => {
  for (const [text, call, holds, fails] of MEANINGS) {
    const formula = read(text, call);
    for (const args of holds) {
      assert(holdsFormula(formula, args), `${text}: ${args}`);
    }
    for (const args of fails) {
      assert(!holdsFormula(formula, args), `${text}: ${args}`);
    }
    const arch = archByName("x86_64");
    const again = read(writeCondition(formula, { arch, name: call }), call);
    for (const args of [...holds, ...fails]) {
      assertEquals(
        holdsFormula(again, args),
        holdsFormula(formula, args),
        `${text}, written again: ${args}`,
      );
    }
  }
});

Deno.test("arguments of 32-bit architectures are their low halves", () => {
  const formula = read("domain == AF_UNIX", "socket", "x86");
  assert(holdsFormula(formula, [0x7_0000_0001n]));
  const arch = archByName("x86");
  assertEquals(
    writeCondition(formula, { arch, name: "socket" }),
    "domain == AF_UNIX",
  );
});

Deno.test("values of names belong to an architecture", () => {
  const held = (arch: ArchName, flags: bigint): boolean =>
    holdsFormula(read("flags ∋ O_DIRECTORY", "openat", arch), [0n, 0n, flags]);
  assertEquals(
    [
      held("x86_64", 0x10000n),
      held("aarch64", 0x10000n),
      held("aarch64", 0x4000n),
    ],
    [true, false, true],
  );
});

const FAULTS: readonly (readonly [string, string])[] = [
  ["domain", "the end instead of a comparison"],
  ["domain == ", "the end instead of a name or a number"],
  ["domain == AF_VSOK", "did you mean AF_VSOCK"],
  ["domian == 1", "did you mean domain"],
  ["domain == 1 and", "the end instead of an argument"],
  ["domain == 1)", '")" instead of "and" or "or"'],
  ["(domain == 1", 'the end instead of ")"'],
  ["domain ∈ {1, 2", 'the end instead of "}"'],
  ["domain ∈ 5..3", "a range ends before it begins"],
  ["domain == 0x10000000000000000", "more than 64 bits"],
  ["low32(domain) == 0x100000000", "more than 32 bits"],
  ["domain § 1", 'unexpected "§ 1"'],
  ["((((((((".repeat(20) + "domain == 1", "more than 64 brackets"],
];

Deno.test("conditions that cannot be read are refused with a place", () => {
  for (const [text, message] of FAULTS) {
    const error = assertThrows(
      () => read(text, "socket"),
      StatementError,
      message,
      text,
    );
    assert(error.offset <= text.length, text);
  }
});

Deno.test("parseDocument() refuses empty and contradictory statements", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["ALLOW on x86_64\n  read", "no answer to everything else on x86_64"],
    ["on x86_64\n  read", "no action"],
    ["ALLOW\n  read", "no architecture"],
    ["ALLOW on vax\n  read", 'Cannot read architecture "vax"'],
    ["ALLOW on x86_64\n  raed", "did you mean read"],
    ["ALOW on x86_64\n  read", "ALOW"],
    ["ALLOW on x86_64\n  read if fd = ", "line 2"],
  ];
  for (const [text, message] of cases) {
    assertThrows(
      () => parseDocument(text, undefined),
      StatementError,
      message,
      text,
    );
  }
});

Deno.test("parseDocument() reads numbers of x32 as calls", () => {
  const abis = parseDocument(
    "ALLOW on x32\n  0x40000212\nERRNO(EPERM) on every architecture\n  everything else\n",
    undefined,
  );
  assertEquals(abis.map(({ statements }) => statements.length), [1, 0]);
  assertEquals(abis[0]?.statements[0]?.numbers, [
    { first: 0x4000_0212, last: 0x4000_0212 },
  ]);
});
