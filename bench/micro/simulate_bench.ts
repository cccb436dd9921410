/**
 * `deno bench bench/micro/simulate_bench.ts`: 470 calls through the
 * interpreter; logarithmic in the number of listed calls, like the program.
 *
 * @module
 */

import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { COUNTED_NUMBERS } from "../../compiler/cost.ts";
import { AUDIT_ARCH_X86_64 } from "../../tables/uapi.ts";
import { benchInputs, programOf } from "../engine/inputs.ts";

const CALLS = Array.from(
  { length: COUNTED_NUMBERS },
  (_, nr) =>
    toWords({
      nr,
      arch: AUDIT_ARCH_X86_64,
      instructionPointer: 0n,
      args: [],
    }, true),
);

for (const input of benchInputs()) {
  const prepared = prepare(programOf(input));
  Deno.bench(`simulate: ${input.name}`, { group: "simulate" }, () => {
    for (const words of CALLS) run(prepared, words);
  });
}
