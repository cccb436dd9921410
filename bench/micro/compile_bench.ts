/**
 * `deno bench bench/micro/compile_bench.ts`: from a policy to a program. The
 * search for a tree is quadratic in the intervals; above a few hundred of them,
 * it works in pieces.
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
