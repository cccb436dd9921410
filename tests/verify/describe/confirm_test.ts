import { assertEquals } from "@std/assert";
import { toWords } from "../../../bpf/seccomp_data.ts";
import { createAnswer, fromWords } from "../../../verify/describe/confirm.ts";
import { createRandom, jump, plain } from "../programs.ts";
import { ALLOW, ERRNO, policyOf, returning } from "../subjects.ts";

const CALL = {
  nr: 5,
  arch: 0xc000_003e,
  instructionPointer: 0n,
  args: [0n, 0n, 0n, 0n, 0n, 0n],
};

Deno.test("fromWords() undoes toWords() in both byte orders", () => {
  const random = createRandom(1);
  for (const littleEndian of [true, false]) {
    const words = Uint32Array.from({ length: 16 }, () => random.word());
    const data = fromWords(words, littleEndian);
    assertEquals(toWords(data, littleEndian), words);
    assertEquals(
      fromWords(toWords(data, !littleEndian), !littleEndian),
      data,
    );
  }
});

Deno.test("createAnswer() returns the strictest answer of a stack and the path through each filter", () => {
  const branch = [
    plain("ld.abs", 0),
    jump("jeq.k", 5, 1, 0),
    ...returning(ERRNO),
    ...returning(ALLOW),
  ];
  const stack = [returning(0x7ffc_0000), branch, returning(0x7ffc_0001)];
  const answer = createAnswer({ programs: stack }, true);
  assertEquals(answer(CALL), {
    value: 0x7ffc_0001,
    paths: [[0], [0, 1, 3], [0]],
  });
  assertEquals(answer({ ...CALL, nr: 6 }).value, ERRNO);
});

Deno.test("createAnswer() names the rule of a policy that decided, if one did", () => {
  const rule = { first: 5, last: 5, conditions: [], value: ALLOW };
  const policy = policyOf([{ ...rule, source: "syscalls[3]" }]);
  const answer = createAnswer(policy, true);
  assertEquals(answer(CALL), {
    value: ALLOW,
    paths: [],
    source: "syscalls[3]",
  });
  assertEquals(answer({ ...CALL, nr: 6 }), { value: ERRNO, paths: [] });
});
