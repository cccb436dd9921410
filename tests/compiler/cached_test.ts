import { assertEquals } from "@std/assert";
import { parseText } from "../../bpf/text.ts";
import { findUncached } from "../../compiler/cached.ts";
import { createDecisionGraph } from "../../compiler/decision.ts";
import { ALLOW, I386, KILL, X86_64 } from "./shared.ts";

const graph = createDecisionGraph();
const ALLOWED = graph.leaf(ALLOW);
const DENIED = graph.leaf(KILL);

Deno.test("findUncached() finds an allowed number that loses the allow cache", () => {
  // 2…5 are allowed; 4 also, but only after a test of an argument.
  const program = parseText(`
        ld [0]
        jge #6, no
        jeq #4, look
        jge #2, yes, no
  look: ld [16]
        jeq #0, yes
  yes:  ret #0x7fff0000
  no:   ret #0x80000000
  `);
  const numbers = (first: number, last: number) => [
    { first: 0, last: 1, node: DENIED },
    { first, last, node: ALLOWED },
    { first: 6, last: 0xffff_ffff, node: DENIED },
  ];
  assertEquals(findUncached(program, X86_64, numbers(2, 5)), 4);
  assertEquals(findUncached(program, X86_64, numbers(2, 3)), undefined);
  assertEquals(findUncached(program, X86_64, numbers(5, 5)), undefined);
  assertEquals(findUncached(program, X86_64, numbers(6, 9)), 6);
});

Deno.test("findUncached() looks at the numbers of the kernel's tables only", () => {
  // From some number on an argument decides.
  const program = (from: number) =>
    parseText(`
        ld [4]
        jeq #0x40000003, no
        ld [0]
        jge #${from}, look, yes
  look: ld [16]
        jeq #0, yes
  no:   ret #0x80000000
  yes:  ret #0x7fff0000
  `);
  const all = [{ first: 0, last: 0xffff_ffff, node: ALLOWED }];
  assertEquals(findUncached(program(0x2000), X86_64, all), undefined);
  assertEquals(findUncached(program(0x1fff), X86_64, all), 0x1fff);
  assertEquals(findUncached(program(0x2000), I386, all), 0);
});
