import { assert } from "@std/assert";
import { parseText } from "../../../bpf/text.ts";
import { archByName } from "../../../tables/arch.ts";
import { selftestInputs } from "../../../cli/input/inputs.ts";

Deno.test("selftestInputs() mixes what a filter compares the words of arguments with", () => {
  const program = parseText(`
      ld [16]
      jeq #1000, next
    next: ld [24]
      jeq #2000, next2
    next2: ret #0
  `);
  const arch = archByName("x86_64");
  assert(arch !== undefined);
  const inputs = selftestInputs({
    kind: "programs",
    form: "asm",
    name: "test",
    programs: [program],
    littleEndian: true,
    native: arch,
    arches: [arch],
    orderIsAssumed: false,
  }, [program]);
  const pairs = new Set(
    inputs.map(({ args: [a = 0n, b = 0n] }) =>
      `${BigInt.asUintN(32, a) - 1000n} ${BigInt.asUintN(32, b) - 2000n}`
    ),
  );
  for (const a of [-1, 0, 1]) {
    for (const b of [-1, 0, 1]) {
      assert(pairs.has(`${a} ${b}`), [...pairs].join());
    }
  }
});
