import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../bench/engine/engine.ts";
import { allowVariant, variantOf } from "../../bench/engine/variants.ts";
import { SECCOMP_RET_ALLOW } from "../../tables/uapi.ts";

const GETPPID = Deno.build.arch === "x86_64" ? 110 : 173;

for (const name of ["stub", "process"] as const) {
  Deno.test(`openEngine(): ${name} times calls and attaches, and stays without a filter`, async () => {
    const engine = openEngine(name);
    if (Deno.build.arch === "x86_64") assertEquals(engine.name, name);
    const batches = [{ call: { nr: GETPPID, args: [] } }];
    const without = await engine.sample({ batches, count: 50 });
    assert(Number.isNaN(without.attachNs), "nothing is attached");
    assert((without.callNs[0] ?? NaN) > 0, "a call takes time");
    const under = await engine.sample({
      filter: allowVariant().bytes,
      batches,
      count: 50,
    });
    assert(under.attachNs > 0, "an attach takes time");
    assertEquals(under.callNs.length, 1);
    const status = await Deno.readTextFile("/proc/thread-self/status");
    assert(/^NoNewPrivs:\s+0$/m.test(status), "of this thread");
  });
}

Deno.test("openEngine(): a child that dies of a call has no time for it", async () => {
  const kill = variantOf("kill", [
    { op: "ld.abs", k: 0, jt: 0, jf: 0 },
    { op: "jeq.k", k: GETPPID, jt: 0, jf: 1 },
    { op: "ret.k", k: 0, jt: 0, jf: 0 },
    { op: "ret.k", k: SECCOMP_RET_ALLOW, jt: 0, jf: 0 },
  ]);
  const { callNs } = await openEngine().sample({
    filter: kill.bytes,
    batches: [{ call: { nr: GETPPID, args: [] } }],
    count: 5,
  });
  assertEquals(callNs, [NaN]);
});
