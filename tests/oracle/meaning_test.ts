import { assertEquals } from "@std/assert";
import { needs } from "../machine.ts";
import { interpret } from "./meaning.ts";
import { readVectors, vectorArch, vectorHost } from "./vectors.ts";

const test = needs("shared");

test("interpret() agrees with the verdicts of libseccomp's own tests", () => {
  const tests = readVectors();
  const wrong: string[] = [];
  let count = 0;
  for (const { name, native, seccomp, vectors } of tests) {
    const verdicts = interpret(seccomp, vectorHost(native));
    if (typeof verdicts !== "function") {
      wrong.push(`${name}: refused: ${verdicts.reason}`);
      continue;
    }
    for (const { arch, nr, args, expect } of vectors) {
      const { auditArch } = vectorArch(arch);
      const data = { nr, arch: auditArch, instructionPointer: 0n, args };
      const value = verdicts(data);
      count++;
      if (value !== expect) {
        wrong.push(
          `${name}: ${arch} ${nr} (${args}): ${value.toString(16)}, not ${
            expect.toString(16)
          }`,
        );
      }
    }
  }
  assertEquals(wrong, []);
  assertEquals([tests.length, count], [141, 6881]);
});
