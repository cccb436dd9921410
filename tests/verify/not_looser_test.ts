import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { effective } from "../../bpf/return_value.ts";
import { precedence } from "../../tables/precedence.ts";
import { prepare, run } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import { parseText } from "../../bpf/text.ts";
import type { Policy } from "../../profile/policy.ts";
import { decide } from "../../verify/decide.ts";
import { proveNotLooser } from "../../verify/differences.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { inputs, programs } from "./small_programs.ts";

const SEED = 20261124;
const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0001;
const X86_64 = 0xc000_003e;

function program(text: string): Subject {
  return parseText(text);
}

Deno.test("proveNotLooser() agrees with the precedence of answers on every input", () => {
  let yes = 0;
  let no = 0;
  fc.assert(
    fc.property(
      programs(),
      programs(),
      fc.array(inputs(), { minLength: 40, maxLength: 40 }),
      (a, b, data) => {
        const result = proveNotLooser(
          a,
          b,
        );
        const looserOn = (input: SeccompData): boolean => {
          const words = toWords(input, true);
          const [x, y] = [run(prepare(a), words), run(prepare(b), words)];
          return precedence(effective(y)) > precedence(effective(x));
        };
        if (result.kind === "not-looser") {
          yes++;
          assert(!data.some(looserOn), "no input shows it looser");
        } else {
          assert(result.kind === "different", result.kind);
          no++;
          assert(looserOn(result.data), "the witness does");
        }
      },
    ),
    { seed: SEED, numRuns: 1000 },
  );
  assert(yes > 50 && no > 50, `${yes} not looser, ${no} looser`);
});

Deno.test("proveNotLooser() takes policies and stacks", () => {
  const policy = (value: number): Policy => ({
    defaultValue: ERRNO,
    badArchValue: 0,
    littleEndian: true,
    arches: [{
      auditArch: X86_64,
      names: ["x86_64"],
      rules: [{ first: 1, last: 3, conditions: [], value, source: "rule" }],
    }],
  });
  const loose: Subject = policy(ALLOW);
  const tight: Subject = policy(0x8000_0000);
  assertEquals(proveNotLooser(loose, tight).kind, "not-looser");
  const result = proveNotLooser(tight, loose);
  assert(result.kind === "different", result.kind);
  assertEquals([result.data.arch, result.data.nr], [X86_64, 1]);
  assertEquals(decide(policy(ALLOW), result.data).value, ALLOW);
  const stack: Subject = {
    programs: [parseText("ret #0x7fff0000"), parseText("ret #0x00050001")],
  };
  assertEquals(
    proveNotLooser(stack, program("ret #0x7fff0000")).kind,
    "different",
  );
  assertEquals(
    proveNotLooser(program("ret #0x7fff0000"), stack).kind,
    "not-looser",
  );
});
