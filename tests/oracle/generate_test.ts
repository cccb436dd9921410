import { assert, assertEquals } from "@std/assert";
import { generateAny, generateContract } from "./generate.ts";
import { inputs } from "./inputs.ts";
import { shrink } from "./shrink.ts";

Deno.test("generateAny() and generateContract() draw a case from its seed alone", () => {
  for (const generate of [generateAny, generateContract]) {
    const first = generate(7);
    generate(8);
    assertEquals(generate(7), first);
    assertEquals(
      inputs(first.seccomp, first.target, { seed: 7 }),
      inputs(first.seccomp, first.target, { seed: 7 }),
    );
  }
});

Deno.test("generateAny() draws every operator, action and machine", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 400; seed++) {
    const { seccomp, target } = generateAny(seed);
    seen.add(target.native).add(target.semantics);
    for (const { action, args } of seccomp.syscalls) {
      seen.add(action);
      for (const { op } of args) seen.add(op);
      if (new Set(args.map(({ index }) => index)).size < args.length) {
        seen.add("repeated index");
      }
    }
  }
  // 13 machines, 2 runtimes, 9 actions, 7 operators, repeated indices.
  assertEquals(seen.size, 32, [...seen].join(" "));
});

Deno.test("shrink() leaves what a failure needs", async () => {
  const { seccomp } = generateAny(12);
  const needed = seccomp.syscalls[0]?.names[0] ?? "";
  assert(seccomp.syscalls.length > 1, "the case is not worth shrinking");
  const smallest = await shrink(
    seccomp,
    ({ syscalls }) => syscalls.some(({ names }) => names.includes(needed)),
  );
  assertEquals(smallest.syscalls.map(({ names }) => names), [[needed]]);
  assertEquals(smallest.architectures, []);
  assertEquals(smallest.syscalls[0]?.args, []);
});
