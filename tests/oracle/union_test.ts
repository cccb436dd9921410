import { assertEquals } from "@std/assert";
import { decide } from "../../verify/decide.ts";
import type {
  LinuxSeccomp,
  LinuxSeccompArg,
} from "../../profile/formats/oci.ts";
import type { ArchName } from "../../tables/arch.ts";
import { inputs } from "./inputs.ts";
import { archOf, hostOf, interpret, type Target } from "./meaning.ts";
import { produce } from "./production.ts";
import { createRandom } from "./random.ts";
import { drawArg, drawValues, OPS } from "./shapes.ts";
import { print } from "./shrink.ts";

const ALLOW = 0x7fff_0000;
const KILL = 0;

Deno.test("rules of one action are a union, for the oracle and for production", () => {
  for (let seed = 1; seed <= 6000; seed++) {
    const { seccomp, target } = draw(seed);
    const { bits, auditArch, syscalls } = archOf(target.native);
    const oracle = interpret(seccomp, hostOf(target));
    const produced = produce(seccomp, target, { program: false });
    const where = `seed ${seed}: ${print(seccomp)}`;
    if (typeof oracle !== "function" || produced.kind === "refused") {
      throw new Error(`Cannot be refused: ${where}`);
    }
    for (const data of inputs(seccomp, target, { seed, combinations: 24 })) {
      if (data.arch !== auditArch || data.nr !== syscalls.get("read")) continue;
      const isAllowed = seccomp.syscalls.some(({ args }) =>
        args.every((arg) => holds(arg, data.args[arg.index] ?? 0n, bits))
      );
      const expected = isAllowed ? ALLOW : KILL;
      const values = [oracle(data), decide(produced.policy, data).value];
      assertEquals(values, [expected, expected], `${where}: ${data.args}`);
    }
  }
});

/** Some rules that allow `read`, with each index at most once in a rule. */
function draw(
  seed: number,
): { readonly seccomp: LinuxSeccomp; readonly target: Target } {
  const random = createRandom(seed);
  const values = drawValues(random).slice(0, 3);
  // Rules take from few comparisons, so that they share some.
  const pool = [0, 1, 2].map((index) =>
    [0, 1].map(() => drawArg(random, random.pick(OPS), index, values))
  );
  const count = 2 + random.int(3);
  const syscalls = Array.from({ length: count }, (_, i) => {
    return {
      names: ["read"],
      action: "SCMP_ACT_ALLOW" as const,
      args: pool.filter(() => random.chance(0.6)).map((own) =>
        random.pick(own)
      ),
      path: `syscalls[${i}]`,
    };
  });
  const native = random.pick<ArchName>(["aarch64", "x86_64", "s390x", "x86"]);
  return {
    seccomp: { defaultAction: "SCMP_ACT_KILL", architectures: [], syscalls },
    target: { native, semantics: "crun" },
  };
}

/** A comparison, evaluated without words and trees. */
function holds(arg: LinuxSeccompArg, seen: bigint, bits: 32 | 64): boolean {
  const a = BigInt.asUintN(bits, seen);
  const b = BigInt.asUintN(bits, arg.value);
  switch (arg.op) {
    case "SCMP_CMP_EQ":
      return a === b;
    case "SCMP_CMP_NE":
      return a !== b;
    case "SCMP_CMP_LT":
      return a < b;
    case "SCMP_CMP_LE":
      return a <= b;
    case "SCMP_CMP_GE":
      return a >= b;
    case "SCMP_CMP_GT":
      return a > b;
    case "SCMP_CMP_MASKED_EQ":
      return (a & b) === (arg.valueTwo & b);
  }
}
