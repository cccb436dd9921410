/**
 * `deno bench bench/parse_bench.ts`: reading a profile, linear in its length.
 *
 * @module
 */

import { parseProfile } from "../profile/parse.ts";
import { benchInputs } from "./inputs.ts";

for (const { name, text } of benchInputs()) {
  Deno.bench(`parse: ${name}`, { group: "parse" }, () => {
    parseProfile(text);
  });
}
