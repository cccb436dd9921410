/**
 * `deno bench bench/micro/compile_bench.ts`: from a policy to a program. The search
 * for a tree is quadratic in the intervals; beyond some hundreds of them it is
 * done in pieces.
 *
 * @module
 */

import { compile } from "../../compiler/compile.ts";
import { benchInputs } from "../engine/inputs.ts";

for (const { name, policy } of benchInputs()) {
  Deno.bench(`compile: ${name}`, { group: "compile" }, () => {
    compile(policy);
  });
}
