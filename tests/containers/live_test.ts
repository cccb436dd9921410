import { assert, assertEquals } from "@std/assert";
import { ownSemantics } from "../../hook/own_semantics.ts";
import { CONTAINERS, needs, say } from "../machine.ts";
import { compareAll } from "./live.ts";
import { drawLiveProfile, KNOWN_PROFILES } from "./live_profiles.ts";

const test = needs(...CONTAINERS, "dump");

/** Number of profiles to draw, from seed 1. */
const COUNT = 16;

for (const runtime of ["crun", "runc"] as const) {
  test(`resolve() reads profiles as this machine's ${runtime} does, by its live filters`, async () => {
    const { semantics, note } = await ownSemantics({ semantics: runtime });
    assertEquals(note, undefined, "its version is known");
    const drawn = Array.from(
      { length: COUNT },
      (_, i) => drawLiveProfile(i + 1),
    );
    const { counts, differences } = await compareAll(runtime, semantics, [
      ...KNOWN_PROFILES,
      ...drawn,
    ]);
    say(`${semantics}: ${JSON.stringify(counts)}`);
    assertEquals(differences, []);
    assert(counts.equal > 20 && counts.refused > 1, JSON.stringify(counts));
  });
}
