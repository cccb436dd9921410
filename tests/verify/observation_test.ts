import { assert, assertEquals } from "@std/assert";
import { decode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { observePolicy, observeProgram } from "../../pipeline/observe.ts";
import { resolveProfile } from "../../pipeline/resolve_profile.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import type { Policy } from "../../profile/policy.ts";
import { proveObservation } from "../../verify/observation.ts";
import { createRandom } from "../oracle/random.ts";

const ERRNO = 0x0005_0001;
const NOTIFY = 0x7fc0_0000;
const ALLOW = 0x7fff_0000;

const ret = (k: number): Program => [{ op: "ret.k", jt: 0, jf: 0, k }];

Deno.test("proveObservation() accepts USER_NOTIF in place of ERRNO, and nothing else", () => {
  const rows = [
    [ERRNO, NOTIFY, "observes"],
    [0x0005_1388, NOTIFY, "observes"],
    [ALLOW, ALLOW, "observes"],
    [0x0003_0001, 0x0003_0001, "observes"],
    [0x8000_0000, 0x8000_0000, "observes"],
    [0, 0, "observes"],
    [ERRNO, ALLOW, "different"],
    [ERRNO, ERRNO, "different"],
    [ALLOW, NOTIFY, "different"],
    [0x0003_0000, NOTIFY, "different"],
    [0x8000_0000, NOTIFY, "different"],
    [0x8000_0000, ALLOW, "different"],
    [0x0003_0001, 0x0003_0002, "different"],
  ] as const;
  for (const [original, observed, kind] of rows) {
    const proof = proveObservation(ret(original), ret(observed));
    assertEquals(proof.kind, kind, `${original} as ${observed}`);
    if (proof.kind !== "different") continue;
    assertEquals([proof.original, proof.observed], [original, observed]);
  }
});

/** Docker's default on three architectures. */
function docker(): Policy {
  const target = { arch: "x86_64", kernel: { major: 6, minor: 1 } } as const;
  return resolveProfile(DEFAULT_PROFILE, target).policy;
}

Deno.test("observePolicy() observes Docker's default; a weaker filter is refused with a witness", () => {
  const policy = docker();
  const found = observePolicy(policy);
  assert(found.kind === "observation");
  const program = decode(found.bytes);
  const subject = { program, littleEndian: true };
  assertEquals(proveObservation(policy, subject).kind, "observes");
  // One rule allows what the policy denies; one answer is not notified.
  const weaker = program.map((instruction) =>
    instruction.k === NOTIFY && instruction.op === "ret.k"
      ? { ...instruction, k: ALLOW }
      : instruction
  );
  const proof = proveObservation(policy, { ...subject, program: weaker });
  assert(proof.kind === "different");
  assertEquals([proof.original, proof.observed], [ERRNO, ALLOW]);
});

Deno.test("proveObservation() finds each fault that is put into a random policy", () => {
  const seed = 19;
  const random = createRandom(seed);
  const values = [ALLOW, ERRNO, 0x0005_0026, 0, 0x0003_0000, 0x7ffc_0000];
  for (let round = 0; round < 30; round++) {
    const rules = Array.from({ length: 8 }, (_, i) => ({
      first: i * 3,
      last: i * 3 + random.int(6),
      conditions: random.int(2) === 0 ? [] : [{
        arg: random.int(6),
        op: random.pick(["eq", "ne", "lt", "ge"] as const),
        mask: 0xffff_ffff_ffff_ffffn,
        value: BigInt(random.int(5)),
      }],
      value: random.pick(values),
      source: `syscalls[${i}]`,
    }));
    const policy: Policy = {
      defaultValue: random.pick(values),
      badArchValue: random.pick(values),
      littleEndian: true,
      arches: [{ auditArch: 0xc000_003e, names: ["x86_64"], rules }],
    };
    const found = observePolicy(policy);
    assert(found.kind === "observation", `seed ${seed}, round ${round}`);
    const program = decode(found.bytes);
    const place = program.findIndex(({ op }) => op === "ret.k");
    const faulty = program.map((instruction, i) =>
      i === place
        ? { ...instruction, k: instruction.k === ALLOW ? NOTIFY : ALLOW }
        : instruction
    );
    assertEquals(
      proveObservation(policy, { program: faulty, littleEndian: true }).kind,
      "different",
      `seed ${seed}, round ${round}`,
    );
    assertEquals(observeProgram(program).kind, "observation");
  }
});

Deno.test("observeProgram() refuses a filter that computes its answers", () => {
  const program: Program = [
    { op: "ld.abs", jt: 0, jf: 0, k: 16 },
    { op: "ret.a", jt: 0, jf: 0, k: 0 },
  ];
  assertEquals(observeProgram(program).kind, "none");
});
