import { assertEquals, assertThrows } from "@std/assert";
import type { Policy } from "../../../profile/policy.ts";
import {
  byteOrderOf,
  orderOf,
  policyOf,
  programsOf,
  type Subject,
} from "../../../verify/core/subject.ts";
import { plain } from "../programs.ts";

const PROGRAM = [plain("ret.k", 5)];
const POLICY: Policy = {
  defaultValue: 0,
  badArchValue: 0,
  littleEndian: false,
  arches: [],
};

Deno.test("policyOf(), programsOf() and orderOf() accept every kind of side", () => {
  const cases: readonly (readonly [Subject, readonly unknown[]])[] = [
    [POLICY, [POLICY, [], false]],
    [PROGRAM, [undefined, [PROGRAM], undefined]],
    [{ program: PROGRAM, littleEndian: true }, [undefined, [PROGRAM], true]],
    [{ programs: [PROGRAM, []] }, [undefined, [PROGRAM, []], undefined]],
    [{ programs: [], littleEndian: false }, [undefined, [], false]],
  ];
  for (const [side, expected] of cases) {
    assertEquals([policyOf(side), programsOf(side), orderOf(side)], expected);
  }
});

Deno.test("byteOrderOf() finds the order that sides and caller have in common", () => {
  const little: Subject = { program: PROGRAM, littleEndian: true };
  assertEquals(byteOrderOf([PROGRAM, PROGRAM]), true);
  assertEquals(byteOrderOf([PROGRAM, PROGRAM], false), false);
  assertEquals(byteOrderOf([little, PROGRAM]), true);
  assertEquals(byteOrderOf([PROGRAM, POLICY]), false);
  assertEquals(byteOrderOf([POLICY, POLICY], false), false);
  for (const sides of [[little, POLICY], [POLICY, little]]) {
    assertThrows(() => byteOrderOf(sides), TypeError, "two byte orders");
  }
  assertThrows(() => byteOrderOf([little, PROGRAM], false), TypeError);
});
