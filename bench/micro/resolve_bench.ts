/**
 * `deno bench bench/micro/resolve_bench.ts`: from names to numbers; linear in the
 * calls, n log n in the rules of one call.
 *
 * @module
 */

import { resolve } from "../../profile/semantics/resolve.ts";
import { benchInputs } from "../engine/inputs.ts";

for (const { name, seccomp, arches } of benchInputs()) {
  Deno.bench(`resolve: ${name}`, { group: "resolve" }, () => {
    resolve(seccomp, { arches, semantics: "crun", unknown: "ignore" });
  });
}
