import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { effective } from "../../bpf/return_value.ts";
import { precedence } from "../../tables/precedence.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { parseText } from "../../bpf/text.ts";
import type { Box } from "../../verify/describe/boxes.ts";
import {
  type LocatedDifference,
  locateDifferences,
} from "../../verify/differences.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { inputs, programs } from "./small_programs.ts";

const SEED = 20261124;
const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0001;

function program(text: string): Subject {
  return parseText(text);
}

/** All differences; the list must be complete. */
function all(a: Subject, b: Subject): readonly LocatedDifference[] {
  const list = locateDifferences(a, b);
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
  assertEquals(difference?.condition, "arg0 low in 0xa..0xffffffff");
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

Deno.test("listDifferences() stops at the requested number and reports it", () => {
  const odd = program(
    "ld [0]\njset #1, yes\nret #0x7fff0000\nyes: ret #0x00050001\n",
  );
  const list = locateDifferences(odd, program("ret #0x7fff0000\n"), {
    most: 8,
  });
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
  const list = locateDifferences(
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

Deno.test("listDifferences() has one direction in an entry, and reports where answers vary", () => {
  const constants = [0, 0x0005_0000, ERRNO, 0x0005_0002, 0x7ff0_0001, ALLOW];
  const differences = all(
    program("ld [0]\nret a\n"),
    program(`ret #${ERRNO}\n`),
  );
  const kinds = new Set<number>();
  for (const { nr, a, b, varies } of differences) {
    const order = Math.sign(precedence(a) - precedence(b));
    kinds.add(order);
    assertEquals(b, ERRNO);
    for (const number of [...constants, 0x8000_0000, 0xffff_ffff]) {
      if (number < nr.first || nr.last < number) continue;
      const value = effective(number);
      assertEquals(
        Math.sign(precedence(value) - precedence(b)),
        order,
        `${number}`,
      );
      assert(value === a || varies, `${number} answers something else`);
    }
  }
  assertEquals([...kinds].sort(), [-1, 0, 1]);
});

Deno.test("listDifferences() cuts arguments by direction", () => {
  const differences = all(
    program("ld [16]\nret a\n"),
    program(`ret #${ERRNO}\n`),
  );
  const kinds = differences.map(({ a, b }) =>
    Math.sign(precedence(a) - precedence(b))
  );
  assertEquals(kinds.sort(), [-1, 0, 1]);
});

Deno.test("listDifferences() says that answers vary only if they do", () => {
  const allow = program(`ret #${ALLOW}\n`);
  const cases: readonly (readonly [string, boolean])[] = [
    ["ld [0]\njeq #5, one\nret #0\none: ret a\n", false],
    ["ld [16]\nand #1\nor #0x00050000\nret a\n", true],
    [
      "ld [16]\nand #1\nor #0x7fff0000\njeq #0x7fff0000, no\nret #0\nno: ret a\n",
      false,
    ],
    [`ret #${ERRNO}\n`, false],
  ];
  for (const [text, expected] of cases) {
    for (const { varies } of all(program(text), allow)) {
      assertEquals(varies, expected, text);
    }
  }
});

Deno.test("listDifferences() lists an input if and only if both sides differ on it", () => {
  let differing = 0;
  let alike = 0;
  fc.assert(
    fc.property(
      programs(),
      programs(),
      fc.array(inputs(), { minLength: 40, maxLength: 40 }),
      (a, b, data) => {
        const list = locateDifferences(
          a,
          b,
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
