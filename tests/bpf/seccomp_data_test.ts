import { assertEquals } from "@std/assert";
import { fieldName } from "../../bpf/annotate.ts";
import { argOffset, toWords } from "../../bpf/seccomp_data.ts";

const DATA = {
  nr: 41,
  arch: 0xc000_003e,
  instructionPointer: 0x1111_2222_3333_4444n,
  args: [0x1_0000_0002n, 3n],
};

Deno.test("toWords(), argOffset() and fieldName() assume a little-endian machine by default", () => {
  const words = toWords(DATA);
  assertEquals([...words.subarray(0, 7)], [
    41,
    0xc000_003e,
    0x3333_4444,
    0x1111_2222,
    2,
    1,
    3,
  ]);
  assertEquals(words[argOffset(0, "lo") / 4], 2);
  assertEquals(words[argOffset(0, "hi") / 4], 1);
  assertEquals(fieldName(16), "args[0], low half");
  assertEquals(fieldName(20), "args[0], high half");
});

Deno.test("toWords(), argOffset() and fieldName() agree in big-endian order", () => {
  const words = toWords(DATA, false);
  assertEquals([...words.subarray(2, 7)], [0x1111_2222, 0x3333_4444, 1, 2, 0]);
  assertEquals(words[argOffset(0, "lo", false) / 4], 2);
  assertEquals(
    fieldName(argOffset(0, "lo", false), false),
    "args[0], low half",
  );
});
