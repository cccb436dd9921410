/**
 * Small programs that differ in part, and inputs around their constants.
 *
 * @module
 */

import fc from "fast-check";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";

const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0001;
const X86_64 = 0xc000_003e;

/** Small programs with few constants, so that pairs differ in part. */
export function programs(): fc.Arbitrary<Program> {
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
export function inputs(): fc.Arbitrary<SeccompData> {
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
