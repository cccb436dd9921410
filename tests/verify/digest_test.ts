import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { effective } from "../../bpf/return_value.ts";
import { prepare, run } from "../../bpf/run.ts";
import { compileProfile } from "../../pipeline/compile_profile.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { digestOf } from "../../verify/digest.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { createRandom } from "./programs.ts";
import { randomPair } from "./random_pairs.ts";

async function textOf(
  subject: Subject,
  compare: "effect" | "bits" = "effect",
): Promise<string> {
  const digest = await digestOf(subject, { compare });
  assert(digest.kind === "digest", JSON.stringify(digest));
  return digest.text;
}

Deno.test("digestOf() is the same for programs that answer alike, and for no others", async () => {
  let equal = 0;
  for (let seed = 1; seed <= 600; seed++) {
    const random = createRandom(seed);
    const { a, b, domain } = randomPair(random);
    const compare = random.pick(["effect", "bits"] as const);
    const act = compare === "bits" ? (value: number) => value : effective;
    const [runA, runB] = [prepare(a), prepare(b)];
    const differ = domain.some((words) =>
      act(run(runA, words)) !== act(run(runB, words))
    );
    const [one, other] = [await textOf(a, compare), await textOf(b, compare)];
    const judge = differ ? assertNotEquals : assertEquals;
    judge(one, other, `seed ${seed}: ${JSON.stringify({ a, b })}`);
    if (!differ) equal++;
  }
  assert(equal > 100 && equal < 500, `${equal} equal`);
});

Deno.test("digestOf() is the same for a profile, its filters by every objective, on both byte orders", async () => {
  for (const arch of ["x86_64", "s390x"] as const) {
    const digests = new Set<string>();
    for (const objective of ["balanced", "cached", "size"] as const) {
      const filter = compileProfile(
        DEFAULT_PROFILE,
        { arch, kernel: { major: 6, minor: 1 } },
        { objective },
      );
      assert(filter.kind === "proved");
      const { program, policy, policy: { littleEndian } } = filter;
      digests.add(await textOf(policy));
      digests.add(await textOf({ program, littleEndian }));
    }
    assertEquals(digests.size, 1, [...digests].join("\n"));
  }
});

Deno.test("digestOf() does not change from version to version", async () => {
  const ret = (k: number): Subject => [{ op: "ret.k", jt: 0, jf: 0, k }];
  assertEquals(
    [await textOf(ret(0x7fff_0000)), await textOf(ret(0x0005_0001), "bits")],
    [
      "st1:3b01056e4e621d4b8a91238c2995d548af5804e5f751f31c81dca263a238f547",
      "st1-bits:34b516a590786aebf0f09eb542720ac9a42c9826b8d481469b27eb5374ca88d7",
    ],
  );
});
