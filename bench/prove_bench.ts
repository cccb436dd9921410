/**
 * `deno bench bench/prove_bench.ts`: the proof that a program means what its
 * policy says.
 *
 * @module
 */

import { proveEquivalent } from "../verify/equivalence.ts";
import { benchInputs, programOf } from "./inputs.ts";

for (const input of benchInputs()) {
  const { name, policy } = input;
  const program = programOf(input);
  Deno.bench(`prove: ${name}`, { group: "prove" }, () => {
    proveEquivalent({ kind: "program", program }, { kind: "policy", policy });
  });
}
