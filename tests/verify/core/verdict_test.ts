import { assertEquals } from "@std/assert";
import { ALWAYS, createDiagram, NEVER } from "../../../verify/core/diagram.ts";
import { effectOf, prevails } from "../../../verify/core/verdict.ts";
import { constant } from "../../../verify/core/word.ts";

/** The actions of linux/seccomp.h, in order of precedence. */
const ACTIONS = [
  ...[0x8000_0000, 0x0000_0000, 0x0003_0000, 0x0005_0000],
  ...[0x7fc0_0000, 0x7ff0_0000, 0x7ffc_0000, 0x7fff_0000],
];

Deno.test("effectOf() keeps of a return value what the kernel acts on", () => {
  const d = createDiagram({ nodes: 1000, steps: 1000 });
  const datas = [0, 1, 4094, 4095, 4096, 4097, 0x8000, 0xffff];
  for (const action of ACTIONS) {
    for (const data of datas) {
      // kernel/seccomp.c, __seccomp_filter(): ERRNO caps, TRAP and TRACE pass on.
      const kept = action === 0x0005_0000
        ? Math.min(data, 4095)
        : action === 0x0003_0000 || action === 0x7ff0_0000
        ? data
        : 0;
      assertEquals(
        effectOf(d, constant(action + data)),
        constant(action + kept),
        (action + data).toString(16),
      );
    }
  }
  // Unknown actions kill the process.
  for (const value of [1, 2, 0x8001, 0x7ffd, 0xffff].map((v) => v * 0x1_0000)) {
    assertEquals(effectOf(d, constant(value + 5)), constant(0x8000_0000));
  }
});

Deno.test("prevails() orders by the action as a signed number, and leaves ties to the newer", () => {
  const d = createDiagram({ nodes: 1000, steps: 1000 });
  for (const [i, older] of ACTIONS.entries()) {
    for (const [j, newer] of ACTIONS.entries()) {
      for (const [a, b] of [[0, 0], [1, 2], [2, 1]] as const) {
        assertEquals(
          prevails(d, constant(older + a), constant(newer + b)),
          i < j ? ALWAYS : NEVER,
          `${older.toString(16)} before ${newer.toString(16)}`,
        );
      }
    }
  }
});
