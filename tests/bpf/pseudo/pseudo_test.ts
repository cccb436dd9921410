import { assert, assertEquals } from "@std/assert";
import type { Program } from "../../../bpf/instruction.ts";
import { formatPseudo } from "../../../bpf/pseudo/pseudo.ts";
import { prepare, run } from "../../../bpf/run.ts";
import { type SeccompData, toWords } from "../../../bpf/seccomp_data.ts";
import { parseText } from "../../../bpf/text.ts";
import {
  createRandom,
  jump,
  plain,
  randomArithmetic,
  randomProgram,
  randomTests,
} from "../../verify/programs.ts";
import { PseudoRunner, tokensOf } from "./reader.ts";

const SEED = 0x95e0;
const INPUTS = [
  { offset: 0, mask: 0xff },
  { offset: 4, mask: 0xc000_003e },
  { offset: 16, mask: 0xffff_ffff },
  { offset: 20, mask: 0x3 },
  { offset: 24, mask: 0x7 },
];

/** Compares answers of a program with those of its pseudocode. */
function compare(
  program: Program,
  littleEndian: boolean,
  random: ReturnType<typeof createRandom>,
): void {
  const text = formatPseudo({ program, littleEndian }, {
    names: false,
  });
  const tokens = tokensOf(text);
  const prepared = prepare(program);
  const interesting = program.map(({ k }) => k);
  const word = (): number => {
    const near = (random.pick(interesting) + random.below(3) - 1) >>> 0;
    return random.below(3) === 0 ? random.word() : near;
  };
  for (let i = 0; i < 20; i++) {
    const wide = (): bigint =>
      (BigInt(random.below(2) * word()) << 32n) | BigInt(word());
    const data: SeccompData = {
      nr: word(),
      arch: word(),
      instructionPointer: wide(),
      args: Array.from({ length: 6 }, wide),
    };
    const names: Record<string, bigint> = {
      nr: BigInt(data.nr),
      arch: BigInt(data.arch),
      "instruction_pointer": data.instructionPointer,
    };
    data.args.forEach((value, n) => names[`args[${n}]`] = value);
    const wanted = run(prepared, toWords(data, littleEndian));
    const seen = new PseudoRunner(tokens, names).run();
    assertEquals(
      Number(seen),
      wanted,
      `${text}\n${
        JSON.stringify(
          names,
          (_, v) => typeof v === "bigint" ? `0x${v.toString(16)}` : v,
        )
      }`,
    );
  }
}

Deno.test("formatPseudo() means what the program answers", () => {
  const random = createRandom(SEED);
  for (let i = 0; i < 300; i++) {
    compare(
      randomProgram(random, INPUTS, 4 + random.below(50)),
      i % 2 === 0,
      random,
    );
    compare(
      randomTests(random, random.pick([0, 16, 20]), 5 + random.below(40)),
      i % 2 === 0,
      random,
    );
    compare(randomArithmetic(random, INPUTS), i % 2 === 0, random);
  }
});

Deno.test("formatPseudo() shows assignments if paths meet with different values", () => {
  const program = [
    plain("ld.abs", 0),
    jump("jeq.k", 7, 0, 1),
    plain("ld.abs", 16),
    jump("jeq.k", 3, 0, 1),
    plain("ret.k", 0x7fff_0000),
    plain("ret.a"),
  ];
  assertEquals(
    formatPseudo({ program, littleEndian: true }),
    `A = nr
if (nr != 7) goto L3
A = low(args[0])
goto L3

L3:
  if (A == 0x3) return ALLOW
  return A
`,
  );
});

Deno.test("formatPseudo() names calls, arguments and values, and joins what belongs together", () => {
  const program = parseText(`
         ld [4]
         jne #0xc000003e, kill
         ld [0]
         jeq #0, good
         jeq #1, good
         jeq #41, socket
         jeq #10, protect
         ret #0x50001
 socket: ld [20]
         jne #0, deny
         ld [16]
         jeq #40, deny, good
 protect: ld [32]
         jset #0x4, deny, good
 good:   ret #0x7fff0000
 deny:   ret #0x50001
 kill:   ret #0x80000000
  `);
  const text = formatPseudo({ program, littleEndian: true });
  assertEquals(
    text,
    `if (arch != x86_64) return KILL_PROCESS
if (nr in {read, write}) return ALLOW
if (nr == socket) {
  if (high(domain) == 0x0 && low(domain) != AF_VSOCK) return ALLOW
  return ERRNO(EPERM)
}
if (nr == mprotect && !(low(prot) & PROT_EXEC)) return ALLOW
return ERRNO(EPERM)
`,
  );
  const numbered = formatPseudo({ program, littleEndian: true }, {
    numbers: true,
  });
  for (const line of numbered.trimEnd().split("\n")) {
    assert(/^(?:[0-9]{4}| {4}) {2,}\S/.test(line), line);
  }
  // Both halves of one argument are one comparison.
  const halves = parseText(`
        ld [20]
        jne #1, deny
        ld [16]
        jne #2, deny
        ret #0x7fff0000
 deny:  ret #0
  `);
  assertEquals(
    formatPseudo({ program: halves, littleEndian: true }),
    "if (args[0] == 0x100000002) return ALLOW\nreturn KILL_THREAD\n",
  );
});
