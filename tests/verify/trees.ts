/**
 * Random programs of the shape that compilers emit.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import { ARCH_OFFSET, argOffset, NR_OFFSET } from "../../bpf/seccomp_data.ts";
import { jump, plain, type Random, RETURNS } from "./programs.ts";

/** Makes a search tree on arch and nr with argument checks, as a compiler would. */
export function randomTree(random: Random, intervals: number): Program {
  const leaf = (): Program =>
    random.below(3) > 0
      ? [plain("ret.k", random.pick([...RETURNS, 0x8000_0000]))]
      : argumentCheck(random);
  const starts = Array.from({ length: intervals }, () => 1 + random.below(500))
    .sort((a, b) => a - b);
  const tree = (from: number, to: number): Program => {
    if (from === to) return leaf();
    const middle = (from + to) >> 1;
    const below = tree(from, middle);
    const above = tree(middle + 1, to);
    return [
      jump("jge.k", starts[middle] ?? 0, below.length, 0),
      ...below,
      ...above,
    ];
  };
  const body = [plain("ld.abs", NR_OFFSET), ...tree(0, starts.length)];
  return [
    plain("ld.abs", ARCH_OFFSET),
    jump("jeq.k", 0xc000_003e, 1, 0),
    plain("ret.k", 0),
    ...body,
  ];
}

function argumentCheck(random: Random): Program {
  const arg = random.below(2);
  const lo = argOffset(arg, "lo", true);
  const hi = argOffset(arg, "hi", true);
  const [yes, no] = [plain("ret.k", 0x7fff_0000), plain("ret.k", 0x0005_0001)];
  switch (random.below(4)) {
    case 0:
      return [
        plain("ld.abs", hi),
        jump("jeq.k", 0, 0, 3),
        plain("ld.abs", lo),
        jump("jeq.k", random.below(64), 0, 1),
        yes,
        no,
      ];
    case 1:
      return [
        plain("ld.abs", lo),
        jump("jset.k", random.word(), 1, 0),
        yes,
        no,
      ];
    case 2: {
      const mask = random.word();
      return [
        plain("ld.abs", lo),
        plain("and.k", mask),
        jump("jeq.k", (random.word() & mask) >>> 0, 0, 1),
        yes,
        no,
      ];
    }
    default:
      return [
        plain("ld.abs", hi),
        jump("jgt.k", random.below(4), 3, 0),
        plain("ld.abs", lo),
        jump("jge.k", random.word(), 1, 0),
        yes,
        no,
      ];
  }
}
