import { assert, assertEquals } from "@std/assert";
import { parseFilters } from "../../bpf/text.ts";
import { proveStatements } from "../../statements/prove_statements.ts";
import { explainSubject } from "../../statements/explain_subject.ts";
import { archByName } from "../../tables/arch.ts";
import { evaluate, GROUPINGS, readBack } from "../fuzz/explain_campaign.ts";
import {
  answerOf,
  boundaryInputs,
  realStacks,
} from "../fuzz/optimize_campaign.ts";
import { needs } from "../machine.ts";
import { effectOf } from "../oracle/bpf.ts";
import { createRandom, randomArithmetic } from "../verify/programs.ts";

const NATIVE = archByName("x86_64");
const X86_64 = `ld [4]\njeq #0xc000003e, ok\nret #0\nok: ld [0]\n`;

/** The lines about one action. */
function explain(assembly: string): string {
  const back = readBack(parseFilters(X86_64 + assembly), "action", {
    littleEndian: true,
    ...(NATIVE === undefined ? {} : { native: NATIVE }),
  });
  return typeof back === "string" ? back : back.text;
}

/** The filters of sshd and Chromium are stated in names. */
function checkNames(name: string, text: string): void {
  if (name === "sshd-0") {
    assert(
      text.includes("\n  mmap, mprotect if prot ⊆ PROT_READ|PROT_WRITE\n"),
      text,
    );
    return;
  }
  assert(text.split("\n").length < 120, text);
  assert(text.includes("prctl if option ∈ {PR_GET_DUMPABLE, "), text);
  assert(text.includes("mmap if flags ⊆ MAP_FIXED|MAP_ANONYMOUS|"), text);
}

needs("shared")(
  "explain states 19 real filters and two stacks completely, in any order",
  () => {
    const random = createRandom(1);
    for (const [i, { name, programs }] of realStacks().entries()) {
      const isNamed = name === "sshd-0" || name === "chromium-0";
      const by = isNamed ? "action" : GROUPINGS[i % 3] ?? "action";
      const subject = { programs, littleEndian: true };
      const back = readBack(subject, by, {
        ...(NATIVE === undefined ? {} : { native: NATIVE }),
      });
      assert(typeof back !== "string", `${name}: ${back}`);
      if (isNamed) checkNames(name, back.text);
      assertEquals(proveStatements(subject, back.abis), "equal", name);
      const answer = answerOf(programs);
      for (const words of boundaryInputs(programs, 300, random)) {
        assertEquals(
          effectOf(evaluate(back.abis, words, true)),
          effectOf(answer(words)),
          `${name}: ${words}`,
        );
      }
    }
  },
);

const CASES: readonly (readonly [string, string, string])[] = [
  [
    "an enumeration",
    "jeq #41, s, no\ns: ld [20]\njeq #0, l, no\nl: ld [16]\njeq #38, no\njeq #40, no, yes\nyes: ret #0x7fff0000\nno: ret #0x50001",
    "socket if domain ∉ {AF_ALG, AF_VSOCK, 0x100000000..}\n",
  ],
  [
    "flags",
    "jeq #56, c, no\nc: ld [16]\njset #0x7e020000, no, yes\nyes: ret #0x7fff0000\nno: ret #0x50001",
    "clone if (flags & (CLONE_NEWNS|",
  ],
  [
    "one flag",
    "jeq #10, c, no\nc: ld [32]\njset #4, no, yes\nyes: ret #0x7fff0000\nno: ret #0x50001",
    "mprotect if prot ∌ PROT_EXEC\n",
  ],
  [
    "the low half",
    "jeq #10, c, no\nc: ld [32]\njgt #3, no, yes\nyes: ret #0x7fff0000\nno: ret #0x50001",
    "mprotect if low32(prot) ⊆ PROT_READ|PROT_WRITE\n",
  ],
  [
    "both halves as one number",
    "jeq #0, c, no\nc: ld [36]\njgt #1, yes\njeq #1, l, no\nl: ld [32]\njge #5, yes, no\nyes: ret #0x7fff0000\nno: ret #0x50001",
    "read if count >= 0x100000005\n",
  ],
  [
    "a sum, as the values that it has",
    "jeq #0, c, no\nc: ld [16]\nadd #1\njeq #5, yes, no\nyes: ret #0x7fff0000\nno: ret #0x50001",
    "read if low32(fd) == 4\n",
  ],
  [
    "cases of two arguments",
    "jeq #72, c, no\nc: ld [24]\njeq #1, yes\njeq #4, d, no\nd: ld [32]\njset #0xfffff7ff, no, yes\nyes: ret #0x7fff0000\nno: ret #0x50001",
    "fcntl if low32(op) == F_GETFD or low32(op) == F_SETFL and low32(arg) ∈ {0, 0x800}\n",
  ],
  [
    "the instruction pointer",
    "jeq #0, c, no\nc: ld [12]\njeq #0x7fff, yes, no\nyes: ret #0x7fff0000\nno: ret #0x50001",
    "read if high32(ip) == 0x7fff\n",
  ],
];

Deno.test("explain writes conditions in their shortest form", () => {
  for (const [what, assembly, expected] of CASES) {
    const text = explain(assembly);
    assert(text.includes(expected), `${what}:\n${text}`);
  }
});

Deno.test("explain reports that a relation between two arguments has no short form", () => {
  const reason = explain(
    "jeq #0, c, no\nc: ld [16]\ntax\nld [24]\njeq x, yes, no\nyes: ret #0x7fff0000\nno: ret #0x50001",
  );
  assert(reason.includes("argument 0 and argument 1 of number 0"), reason);
});

Deno.test("explain states all computed answers, or refuses", () => {
  const few = explain("ld [16]\nand #3\nor #0x50000\nret a");
  assert(few.includes("ERRNO(ESRCH)"), few);
  assert(
    few.includes("every other call if (low32(arg0) & 3) == ") ||
      few.includes("every other call if (arg0 & 3) == "),
    few,
  );
  const many = explain("ld [16]\nor #0x50000\nret a");
  assert(many.includes("more than 256 different values"), many);
});

Deno.test("explain of random programs with arithmetic is equal or refused", () => {
  const random = createRandom(7);
  let explained = 0;
  for (let i = 0; i < 12; i++) {
    const program = randomArithmetic(random, [
      { offset: 24, mask: 0x7 },
      { offset: 16, mask: 0xff },
    ]);
    const subject = { programs: [program], littleEndian: true };
    const back = readBack(subject, "action");
    if (typeof back === "string") continue;
    explained++;
    assertEquals(proveStatements(subject, back.abis), "equal", `case ${i}`);
    const answer = answerOf([program]);
    for (const words of boundaryInputs([program], 40, random)) {
      assertEquals(
        effectOf(evaluate(back.abis, words, true)),
        effectOf(answer(words)),
        `case ${i}`,
      );
    }
  }
  assert(explained > 8, `${explained}`);
});

Deno.test("proveStatements() finds a wrong statement", () => {
  const filter = parseFilters(
    `${X86_64}jeq #1, yes\nret #0x50001\nyes: ret #0x7fff0000`,
  );
  const explained = explainSubject(filter);
  assert(explained.kind === "explanation");
  assertEquals(proveStatements(filter, explained.abis), "equal");
  const wrong = explained.abis.map((one) => ({
    ...one,
    statements: one.statements.map((s) => ({
      ...s,
      numbers: [{ first: 2, last: 2 }],
    })),
  }));
  assertEquals(proveStatements(filter, wrong), "different");
});
