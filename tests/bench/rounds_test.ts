import { assertEquals } from "@std/assert";
import type { Engine, Job } from "../../bench/engine/model.ts";
import { interleave, type RoundPlan } from "../../bench/engine/rounds.ts";

/** An engine that answers the first byte of the filter, and counts up. */
function fakeEngine(): { readonly engine: Engine; readonly seen: Job[] } {
  const seen: Job[] = [];
  const engine: Engine = {
    name: "stub",
    clock: "none",
    ticksPerNs: 1,
    anyFilter: true,
    sample(job): ReturnType<Engine["sample"]> {
      seen.push(job);
      const base = job.filter?.[0] ?? 0;
      return Promise.resolve({
        attachNs: job.filter === undefined ? NaN : base,
        callNs: job.batches.map((_, i) => base + seen.length / 1000 + i * 10),
      });
    },
  };
  return { engine, seen };
}

Deno.test("interleave() makes every plan once a round and keeps the fastest try", async () => {
  const { engine, seen } = fakeEngine();
  const batches = [
    { key: "a", call: { nr: 1, args: [] } },
    { key: "b", call: { nr: 2, args: [] } },
  ];
  const plans: RoundPlan[] = [
    { key: "none", batches },
    { key: "one", filter: new Uint8Array([100]), batches },
    { key: "two", filter: new Uint8Array([200]), batches },
  ];
  const progress: number[] = [];
  const rounds = await interleave(
    engine,
    plans,
    { rounds: 4, count: 7, tries: 2 },
    (done) => progress.push(done),
  );
  assertEquals(seen.length, 4 * 3 * 2);
  assertEquals(seen.every(({ count }) => count === 7), true);
  assertEquals(progress, [1, 2, 3, 4]);
  assertEquals(rounds.calls("one", "a").length, 4, "one number a round");
  assertEquals(rounds.attach("two"), [200, 200, 200, 200]);
  assertEquals(rounds.attach("none"), [], "there is nothing to attach");
  // The second try is slower by a thousandth: the first one is kept.
  const order = seen.map(({ filter }) => filter?.[0] ?? 0);
  const first = (order.indexOf(100) + 1) / 1000;
  assertEquals(rounds.calls("one", "b")[0], 100 + first + 10);
  const starts = [0, 6, 12, 18].map((i) => order[i]);
  assertEquals(new Set(starts).size > 1, true, "the order turns");
});

Deno.test("interleave() omits filters that are not to be measured", async () => {
  const { engine } = fakeEngine();
  const rounds = await interleave(
    {
      ...engine,
      sample: () => Promise.resolve({ attachNs: NaN, callNs: [NaN] }),
    },
    [{ key: "none", batches: [{ key: "a", call: { nr: 1, args: [] } }] }],
    { rounds: 2, count: 1, tries: 1 },
    () => {},
  );
  assertEquals(rounds.calls("none", "a"), []);
});
