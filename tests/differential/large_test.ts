/**
 * No profile that libseccomp fits into the kernel's limit is refused for size.
 * The rows are of a longer search by `drawLarge()`; another release of the
 * library is asked if `LD_LIBRARY_PATH` leads to it.
 */

import { assert, assertEquals } from "@std/assert";
import { openLibseccomp } from "../../ffi/libseccomp.ts";
import { compile } from "../../compiler/compile.ts";
import { decode } from "../../bpf/encode.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { witnesses } from "../../verify/describe/witnesses.ts";
import { needs } from "../machine.ts";
import { drawLarge } from "../oracle/large.ts";
import { toFilterSpec } from "../oracle/libseccomp_adapter.ts";
import { produce } from "../oracle/production.ts";

/** Seeds, and how many rules come near 4,096 instructions of libseccomp. */
const LARGE: readonly (readonly [seed: number, rules: number])[] = [
  [1, 4000],
  [2, 950],
  [10, 494],
  [13, 338],
  [14, 504],
  [15, 4024],
];

const test = needs("libseccomp", "x86_64");

test("compile() fits what libseccomp fits", () => {
  const library = openLibseccomp();
  assert(library !== undefined);
  let near = 0;
  for (const [seed, rules] of LARGE) {
    const profile = drawLarge(seed);
    const seccomp = profile.take(rules);
    const theirs = library.exportFilter(
      toFilterSpec(seccomp, { runtime: "crun" }),
    );
    assert(theirs.kind === "filter");
    if (theirs.bytes.length / 8 > 4096) continue;
    if (theirs.bytes.length / 8 > 3900) near++;
    const made = produce(
      seccomp,
      { native: "x86_64", semantics: "crun" },
      { program: false },
    );
    assert(made.kind === "compiled", profile.shape);
    const filter = compile(made.policy);
    assert(filter.program.length <= 4096, profile.shape);
    const [ours, theirsToo] = [filter.program, decode(theirs.bytes)].map(
      prepare,
    );
    assert(ours !== undefined && theirsToo !== undefined);
    for (const data of witnesses([made.policy], { most: 3000 })) {
      const words = toWords(data);
      const expected = run(theirsToo, words);
      if (run(ours, words) !== expected) {
        assertEquals(run(ours, words), expected, `seed ${seed}: ${words}`);
      }
    }
  }
  assert(near >= 4, `${near} filters near the limit`);
});
