/**
 * `deno bench bench/micro/decode_bench.ts`: bytes to instructions and the kernel's
 * rules about them; linear in the instructions.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import { decode, encode } from "../../bpf/encode.ts";
import { benchInputs, programOf } from "../engine/inputs.ts";

for (const input of benchInputs()) {
  const bytes = encode(programOf(input));
  Deno.bench(`decode and check: ${input.name}`, { group: "decode" }, () => {
    check(decode(bytes));
  });
}
