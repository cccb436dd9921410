/**
 * `deno bench bench/micro/parse_bench.ts`: reading a profile, linear in its length.
 *
 * @module
 */

import { parseProfile } from "../../profile/formats/parse.ts";
import { benchInputs } from "../engine/inputs.ts";

for (const { name, text } of benchInputs()) {
  Deno.bench(`parse: ${name}`, { group: "parse" }, () => {
    parseProfile(text);
  });
}
