/** A slice of `deno task fuzz --of combine`, and all pairs of real profiles. */

import { assert, assertEquals } from "@std/assert";
import { readYamlProfiles } from "../../cli/yaml/read_yaml.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import {
  type ParsedProfile,
  parseProfile,
  readProfileDocument,
} from "../../profile/formats/parse.ts";
import { needs, sharedFile } from "../machine.ts";
import { openStub } from "../../ffi/stub.ts";
import { judgeCombinations, judgeReal } from "./combine_campaign.ts";
import { judgeAttached, judgeInKernel } from "./combine_kernel.ts";

Deno.test("combine gives random pairs the pointwise meaning, proved", () => {
  const { outcomes, stacked, renamed, laws, verdicts, wrong } =
    judgeCombinations({ seed: 5, count: 60 });
  assertEquals(wrong, []);
  assertEquals(outcomes.unproved, 0);
  assert(outcomes.profile > 20, JSON.stringify(outcomes));
  assert(stacked > 3 && renamed > 9 && laws > 9, `${stacked}, ${renamed}`);
  assert(verdicts > 1000, `${verdicts}`);
});

needs("shared")(
  "combine gives all pairs of real profiles the pointwise meaning",
  async () => {
    const { wrong, profiles, unsaid } = judgeReal(await realSections());
    assertEquals(wrong, []);
    assert(profiles > 200, `${profiles}, ${unsaid}`);
  },
);

needs("x86_64")("combine gives what the kernel gives for both filters", () => {
  const { pairs, verdicts, wrong } = judgeInKernel({
    seed: 40,
    pairs: 10,
    inputs: 400,
  });
  assertEquals(wrong, []);
  assert(pairs === 10 && verdicts > 1500, `${pairs}, ${verdicts}`);
});

needs("stub", "instruction-pointer")(
  "combine gives what the kernel gives if both filters are attached",
  () => {
    const stub = openStub();
    assert(stub !== undefined);
    const { pairs, verdicts, fatal, wrong } = judgeAttached(stub, {
      seed: 70,
      pairs: 50,
      calls: 2000,
    });
    assertEquals(wrong, []);
    assert(pairs === 50 && verdicts > 100_000, `${pairs}, ${verdicts}`);
    assert(fatal > 10, `${fatal}`);
  },
);

/** The sections of all profiles among the shared data. */
async function realSections(): Promise<ReadonlyMap<string, LinuxSeccomp>> {
  const sections = new Map<string, LinuxSeccomp>();
  const add = (name: string, profile: ParsedProfile): void => {
    const target = {
      arch: "x86_64",
      kernel: { major: 6, minor: 1 },
      unknown: "ignore",
    } as const;
    sections.set(name, resolveParsed(profile, target).seccomp);
  };
  for await (const { name } of Deno.readDir(sharedFile("profiles/"))) {
    const bytes = await Deno.readFile(sharedFile(`profiles/${name}`));
    if (name === "index.json" || name.startsWith("firecracker")) continue;
    if (name.endsWith(".yaml")) {
      for (const one of await readYamlProfiles(bytes)) {
        add(`${name}#${one.name}`, readProfileDocument(one.document));
      }
    } else add(name, parseProfile(bytes));
  }
  return sections;
}
