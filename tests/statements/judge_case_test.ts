import { assert, assertEquals } from "@std/assert";
import { toWords } from "../../bpf/seccomp_data.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { compileProfile } from "../../pipeline/compile_profile.ts";
import { CaseJudge } from "../../statements/judge_case.ts";
import { parseCase } from "../../statements/test_case.ts";
import { archByName } from "../../tables/arch.ts";
import { DEFAULT_PROOF_LIMITS } from "../../verify/limits.ts";
import { answerOf } from "../fuzz/optimize_campaign.ts";
import { createRandom } from "../verify/programs.ts";

const ALLOW = 0x7fff_0000;

/** Calls of Docker's default whose arguments matter, and values around theirs. */
const CALLS: readonly (readonly [name: string, values: readonly bigint[]])[] = [
  ["socket", [0n, 37n, 38n, 39n, 40n, 41n, 1n << 32n, (1n << 32n) + 38n]],
  ["personality", [0n, 1n, 8n, 0x20000n, 0x20008n, 0xffff_ffffn, 1n << 33n]],
  ["clone", [0n, 1n, 0x1000_0000n, 0x20000n, 0x7e02_0000n, 1n << 33n]],
  ["mount", [0n, 5n]],
  ["read", [0n, 5n]],
];

Deno.test("CaseJudge agrees with a second interpreter on every value", () => {
  const arch = archByName("x86_64");
  const filter = compileProfile(DEFAULT_PROFILE, {
    arch: "x86_64",
    kernel: { major: 6, minor: 1 },
  });
  assert(filter.kind === "proved" && arch !== undefined);
  const answer = answerOf([filter.program]);
  const judge = new CaseJudge(
    {
      subject: filter.policy,
      programs: [filter.program],
      littleEndian: true,
      arches: [arch],
    },
    "word",
    DEFAULT_PROOF_LIMITS,
  );
  const random = createRandom(3);
  const seen = { pass: 0, fail: 0, unproven: 0 };
  for (let i = 0; i < 300; i++) {
    const [name, values] = random.pick(CALLS);
    const chosen = values.filter(() => random.below(3) === 0);
    if (chosen.length === 0) continue;
    const word = random.pick(["allow", "deny"]);
    const line = `${word} ${name} arg0 ∈ {${chosen.join(", ")}}`;
    const result = judge.judge(parseCase(line));
    seen[result.kind]++;
    const isTrue = chosen.every((value) => {
      const words = toWords({
        arch: arch.auditArch,
        nr: arch.syscalls.get(name) ?? 0,
        instructionPointer: 0n,
        args: [value, 0n, 0n, 0n, 0n, 0n],
      });
      return (answer(words) === ALLOW) === (word === "allow");
    });
    assertEquals(result.kind, isTrue ? "pass" : "fail", line);
    if (result.kind !== "fail" || result.witness === undefined) continue;
    const { witness } = result;
    assert(chosen.includes(witness.args[0] ?? -1n), line);
    assertEquals(answer(toWords(witness)) === ALLOW, word !== "allow", line);
  }
  assert(seen.pass > 60 && seen.fail > 60, JSON.stringify(seen));
});
