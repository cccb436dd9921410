import { assertEquals } from "@std/assert";
import type { Program } from "../../bpf/instruction.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { jump, plain } from "./programs.ts";

/**
 * The longest program that the kernel accepts: X is one of two numbers, and
 * each test then leads to a place at which paths with both numbers meet. The
 * final contents of X depend on those at each of them.
 */
function deep(otherwise: number): Program {
  const program = [
    plain("ld.abs", 0),
    jump("jset.k", 8, 0, 2),
    plain("ldx.imm", otherwise),
    jump("jset.k", 16, 0, 1),
  ];
  while (program.length < 4092) {
    program.push(jump("jset.k", 1 << program.length % 3, 0, 1));
  }
  return [
    ...program,
    jump("ja", 0, 0, 0),
    jump("ja", 0, 0, 0),
    plain("txa"),
    plain("ret.a"),
  ];
}

/** Calls something from far down a stack. */
function below<T>(frames: number, work: () => T): T {
  return frames === 0 ? work() : below(frames - 1, work);
}

Deno.test("proveEquivalent() reads registers that rest on as many others as a program has instructions", () => {
  const [a, b] = [deep(1), deep(2)].map((program) => program);
  if (a === undefined || b === undefined) throw new Error("Unreachable");
  const prove = (): string => proveEquivalent(a, b, { compare: "bits" }).kind;
  assertEquals(below(3000, prove), "different");
});
