import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import { effective, precedence } from "../../bpf/return_value.ts";
import { prepare, run } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import { parseText } from "../../bpf/text.ts";
import type { Policy } from "../../profile/policy.ts";
import type { Box } from "../../verify/boxes.ts";
import { decide } from "../../verify/decide.ts";
import {
  type Difference,
  listDifferences,
  proveNotLooser,
} from "../../verify/differences.ts";
import type { Subject } from "../../verify/equivalence.ts";

const SEED = 20261124;
const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0001;
const X86_64 = 0xc000_003e;

function program(text: string): Subject {
  return { kind: "program", program: parseText(text) };
}

/** All differences, which must be all there are. */
function all(a: Subject, b: Subject): readonly Difference[] {
  const list = listDifferences(a, b);
  assert(list.kind === "listed" && list.complete, "a complete list");
  return list.differences;
}

function contains(box: Box, words: Uint32Array): boolean {
  return box.every(({ offset, first, last }) => {
    const word = words[offset / 4] ?? 0;
    return first <= word && word <= last;
  });
}

Deno.test("listDifferences() gives numbers, answers and boxes of arguments", () => {
  const a = program(
    "ld [0]\njeq #5, one\nret #0x7fff0000\none: ld [16]\njge #10, no\nret #0x7fff0000\nno: ret #0x00050001\n",
  );
  const b = program("ret #0x7fff0000\n");
  const [difference, ...others] = all(a, b);
  assertEquals(others, []);
  assertEquals(difference?.arch, { first: 0, last: 0xffff_ffff });
  assertEquals(difference?.nr, { first: 5, last: 5 });
  assertEquals([difference?.a, difference?.b], [ERRNO, ALLOW]);
  assertEquals(difference?.boxes, [[{
    offset: 16,
    first: 10,
    last: 0xffff_ffff,
  }]]);
  assertEquals(difference?.witness.data.args[0], 10n);
  assertEquals(all(a, a), []);
});

Deno.test("listDifferences() compares what the kernel does, not bits", () => {
  assertEquals(
    all(program("ret #0x00050fff\n"), program("ret #0x00051fff\n")),
    [],
  );
  assertEquals(
    all(program("ret #0x7fff0001\n"), program("ret #0x7fff0000\n")),
    [],
  );
});

Deno.test("listDifferences() stops at what it is asked for and says so", () => {
  const odd = program(
    "ld [0]\njset #1, yes\nret #0x7fff0000\nyes: ret #0x00050001\n",
  );
  const list = listDifferences(odd, program("ret #0x7fff0000\n"), { most: 8 });
  assert(list.kind === "listed", "a list");
  assertEquals([list.differences.length, list.complete], [8, false]);
  assertEquals(list.differences.map(({ nr }) => nr.first), [
    1,
    3,
    5,
    7,
    9,
    11,
    13,
    15,
  ]);
});

Deno.test("listDifferences() gives up at its limits", () => {
  const list = listDifferences(
    program("ld [16]\ntax\nld [20]\nadd x\nret a\n"),
    program("ret #0\n"),
    { limits: { nodes: 100 } },
  );
  assertEquals(list, { kind: "unproven", limit: "nodes" });
});

Deno.test("listDifferences() finds single values of what a program computes", () => {
  const a = program("ld [16]\nand #0x7fff0000\nret a\n");
  const differences = all(a, program("ret #0x7fff0000\n"));
  assert(differences.length > 0, "some");
  for (const { a, b } of differences) assert(a !== b, "they differ");
});

Deno.test("listDifferences() takes answers that are made of arch and number", () => {
  // KILL_THREAD is 0, unknown actions are KILL_PROCESS, and so are 1, 2, ….
  const zero = program("ret #0\n");
  for (const [offset, word] of [[0, "nr"], [4, "arch"]] as const) {
    const differences = all(program(`ld [${offset}]\nret a\n`), zero);
    const listed = (value: number): boolean =>
      differences.some((d) =>
        d[word].first <= value && value <= d[word].last && d.a !== d.b
      );
    for (const value of [0, 1, 0xffff]) assert(!listed(value), `${value}`);
    for (
      const value of [0x0001_0000, 0x0005_0000, ERRNO, ALLOW, 0xffff_ffff]
    ) assert(listed(value), `${value}`);
  }
});

/** Small programs with few constants, so that pairs differ in part. */
function programs(): fc.Arbitrary<Program> {
  const value = fc.constantFrom(ALLOW, ERRNO, 0x0005_0026, 0x8000_0000);
  const k = fc.constantFrom(0, 1, 2, 3, 7, 8, X86_64, 0xffff_ffff);
  const load = fc.constantFrom(0, 4, 16, 20, 24).map((k): Instruction => ({
    op: "ld.abs",
    jt: 0,
    jf: 0,
    k,
  }));
  const jump = fc.record({
    op: fc.constantFrom(
      "jeq.k" as const,
      "jge.k" as const,
      "jgt.k" as const,
      "jset.k" as const,
    ),
    k,
    jt: fc.nat(3),
    jf: fc.nat(3),
  });
  const done = value.map((k): Instruction => ({
    op: "ret.k",
    jt: 0,
    jf: 0,
    k,
  }));
  return fc.array(fc.oneof(load, jump, jump, done), {
    minLength: 1,
    maxLength: 12,
  })
    .chain((body) =>
      fc.array(done, { minLength: 4, maxLength: 4 }).map((
        end,
      ) => [...body, ...end])
    );
}

/** Inputs around the constants of those programs. */
function inputs(): fc.Arbitrary<SeccompData> {
  const word = fc.constantFrom(0, 1, 2, 3, 4, 7, 8, 9, X86_64, 0xffff_ffff);
  return fc.record({
    nr: word,
    arch: word,
    words: fc.array(word, { minLength: 12, maxLength: 12 }),
  })
    .map(({ nr, arch, words }) => ({
      nr,
      arch,
      instructionPointer: 0n,
      args: Array.from(
        { length: 6 },
        (_, i) =>
          BigInt(words[2 * i] ?? 0) | BigInt(words[2 * i + 1] ?? 0) << 32n,
      ),
    }));
}

Deno.test("listDifferences() lists an input if and only if both sides differ on it", () => {
  let differing = 0;
  let alike = 0;
  fc.assert(
    fc.property(
      programs(),
      programs(),
      fc.array(inputs(), { minLength: 40, maxLength: 40 }),
      (a, b, data) => {
        const list = listDifferences(
          { kind: "program", program: a },
          { kind: "program", program: b },
          { most: 256 },
        );
        assert(list.kind === "listed", list.kind);
        // A mask on the number makes more intervals than anybody reads.
        if (!list.complete) return;
        const [runA, runB] = [prepare(a), prepare(b)];
        for (const input of data) {
          const words = toWords(input, true);
          const [x, y] = [
            effective(run(runA, words)),
            effective(run(runB, words)),
          ];
          const entries = list.differences.filter(({ arch, nr, boxes }) =>
            arch.first <= input.arch && input.arch <= arch.last &&
            nr.first <= input.nr && input.nr <= nr.last &&
            (boxes ?? [[]]).some((box) => contains(box, words))
          );
          if (x === y) {
            alike++;
            assert(
              entries.every(({ boxes }) => boxes === undefined),
              "not listed",
            );
          } else {
            differing++;
            assert(
              entries.some((e) => e.a === x && e.b === y),
              "listed with both answers",
            );
          }
        }
      },
    ),
    { seed: SEED, numRuns: 1000 },
  );
  assert(
    differing > 1000 && alike > 1000,
    `${differing} differ, ${alike} do not`,
  );
});

Deno.test("proveNotLooser() agrees with the precedence of answers on every input", () => {
  let yes = 0;
  let no = 0;
  fc.assert(
    fc.property(
      programs(),
      programs(),
      fc.array(inputs(), { minLength: 40, maxLength: 40 }),
      (a, b, data) => {
        const result = proveNotLooser(
          { kind: "program", program: a },
          { kind: "program", program: b },
        );
        const looserOn = (input: SeccompData): boolean => {
          const words = toWords(input, true);
          const [x, y] = [run(prepare(a), words), run(prepare(b), words)];
          return precedence(effective(y)) > precedence(effective(x));
        };
        if (result.kind === "not-looser") {
          yes++;
          assert(!data.some(looserOn), "no input shows it looser");
        } else {
          assert(result.kind === "different", result.kind);
          no++;
          assert(looserOn(result.data), "the witness does");
        }
      },
    ),
    { seed: SEED, numRuns: 1000 },
  );
  assert(yes > 50 && no > 50, `${yes} not looser, ${no} looser`);
});

Deno.test("proveNotLooser() takes policies and stacks", () => {
  const policy = (value: number): Policy => ({
    defaultValue: ERRNO,
    badArchValue: 0,
    littleEndian: true,
    arches: [{
      auditArch: X86_64,
      names: ["x86_64"],
      rules: [{ first: 1, last: 3, conditions: [], value, source: "rule" }],
    }],
  });
  const loose: Subject = { kind: "policy", policy: policy(ALLOW) };
  const tight: Subject = { kind: "policy", policy: policy(0x8000_0000) };
  assertEquals(proveNotLooser(loose, tight).kind, "not-looser");
  const result = proveNotLooser(tight, loose);
  assert(result.kind === "different", result.kind);
  assertEquals([result.data.arch, result.data.nr], [X86_64, 1]);
  assertEquals(decide(policy(ALLOW), result.data).value, ALLOW);
  const stack: Subject = {
    kind: "stack",
    programs: [parseText("ret #0x7fff0000"), parseText("ret #0x00050001")],
  };
  assertEquals(
    proveNotLooser(stack, program("ret #0x7fff0000")).kind,
    "different",
  );
  assertEquals(
    proveNotLooser(program("ret #0x7fff0000"), stack).kind,
    "not-looser",
  );
});
