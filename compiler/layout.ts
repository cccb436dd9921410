/**
 * Last pass: orders the code and converts targets to distances.
 *
 * Code is emitted from the back: the targets of a test are emitted before the
 * test, so every distance is known when it is needed. The larger side of a test
 * is emitted first, at the far end, and the smaller one next to the test, which
 * keeps distances short. Leaves are shared.
 *
 * A conditional jump reaches 255 instructions. If a target is further away, a
 * copy is put right after the test: a leaf is copied entirely, any other target
 * gets a `ja`, which reaches everything. Later tests (nearer to the start) use
 * the newest copy, which is the nearest.
 *
 * @module
 */

import { ARCH_OFFSET } from "../bpf/seccomp_data.ts";
import type { Instruction, Op, Program } from "../bpf/instruction.ts";
import type { Decision, Leaf, Piece, TestOp } from "./decision.ts";
import { present } from "./present.ts";
import type { Block, EnteredNode, EntryKind, Selection } from "./select.ts";

const REACH = 255;

/** Options of {@linkcode layout}. */
export interface LayoutOptions {
  /** True if a redundant load may replace a `ja`; false by default. */
  readonly short?: boolean;
}

/**
 * Lays out a selection in time linear in the number of nodes.
 *
 * @param selection Blocks and their targets.
 * @param options The preference of short programs.
 * @returns The program; it may exceed the kernel's limit of 4096 instructions.
 */
export function layout(
  selection: Selection,
  options: LayoutOptions = {},
): Program {
  const out = new Emitter(options.short ?? false);
  for (const node of emissionOrder(selection)) {
    if (node.kind !== "branch") {
      out.end(node);
      continue;
    }
    out.test(present(selection.blocks.get(node)));
  }
  return out.program();
}

/** Nodes from the back of the program to its front: targets before tests. */
function emissionOrder(selection: Selection): readonly Decision[] {
  const sizes = subtreeSizes(selection);
  const order: Decision[] = [];
  const done = new Set<Decision>();
  const opened = new Set<Decision>();
  const stack: Decision[] = [selection.root.node];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (done.has(node)) continue;
    // An open test returns to the top when all of its targets are done.
    if (node.kind !== "branch" || opened.has(node)) {
      done.add(node);
      order.push(node);
      continue;
    }
    opened.add(node);
    const yesSize = present(sizes.get(node.yes));
    const noSize = present(sizes.get(node.no));
    // Other architectures follow the first one even if they are small, because
    // a jump beyond 255 must not slow down the native one.
    const yesFirst = node.offset !== ARCH_OFFSET && yesSize > noSize;
    // The far side is emitted first.
    if (yesFirst) stack.push(node, node.no, node.yes);
    else stack.push(node, node.yes, node.no);
  }
  return order;
}

/** Sizes without sharing, capped so that they stay exact integers. */
function subtreeSizes(selection: Selection): ReadonlyMap<Decision, number> {
  const sizes = new Map<Decision, number>();
  const stack: Decision[] = [selection.root.node];
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    if (node === undefined) break;
    if (sizes.has(node)) {
      stack.pop();
      continue;
    }
    if (node.kind !== "branch") {
      sizes.set(node, node.kind === "leaf" ? 1 : node.program.length);
      stack.pop();
      continue;
    }
    const yes = sizes.get(node.yes);
    const no = sizes.get(node.no);
    if (yes === undefined) stack.push(node.yes);
    if (no === undefined) stack.push(node.no);
    if (yes !== undefined && no !== undefined) {
      sizes.set(node, Math.min(1 + yes + no, 2 ** 40));
      stack.pop();
    }
  }
  return sizes;
}

const JUMPS: Readonly<Record<TestOp, Op>> = {
  eq: "jeq.k",
  ge: "jge.k",
  set: "jset.k",
};

/** Entry of a node's code: number of instructions from there to the end. */
type Places = Record<EntryKind, number>;

/** Collects instructions from the back; a position counts from the end, from 1. */
class Emitter {
  readonly #short: boolean;
  readonly #reversed: Instruction[] = [];
  /** Newest copy of each entry. */
  readonly #positions = new Map<Decision, Places>();
  /** The code itself, as the target of a `ja`. */
  readonly #homes = new Map<Decision, Readonly<Places>>();
  /** Positions that are the target of a jump or of falling through. */
  readonly #entered = new Set<number>();

  constructor(short: boolean) {
    this.#short = short;
  }

  end(node: Leaf | Piece): void {
    if (node.kind === "leaf") this.#ret(node);
    else for (const each of node.program.toReversed()) this.#emit(each);
    const at = this.#reversed.length;
    this.#settle(node, at, at, at);
  }

  test({ node, loads, masks, ...sides }: Block): void {
    const yes = this.#nearest(sides.yes);
    const no = this.#nearest(sides.no);
    this.#bringNear(yes, no);
    const jt = this.#enter(yes);
    const jf = this.#enter(no);
    const masked = this.#emit({ op: JUMPS[node.op], jt, jf, k: node.k });
    const word = masks
      ? this.#emit({ op: "and.k", jt: 0, jf: 0, k: node.mask })
      : masked;
    const load = loads
      ? this.#emit({ op: "ld.abs", jt: 0, jf: 0, k: node.offset })
      : word;
    this.#settle(node, masked, word, load);
  }

  /** The program, without a last `ret` of which only copies are used. */
  program(): Program {
    const [last, before] = this.#reversed;
    const isUnused = last?.op === "ret.k" && before?.op === "ret.k" &&
      !this.#entered.has(1);
    return this.#reversed.slice(isUnused ? 1 : 0).reverse();
  }

  /** Enters a target through its load if that is near and the entry is not. */
  #nearest(target: EnteredNode): EnteredNode {
    if (!this.#short || !this.#isFar(target)) return target;
    const { load, word } = present(this.#homes.get(target.node));
    if (load === word) return target;
    const loaded: EnteredNode = { node: target.node, entry: "load" };
    return this.#isFar(loaded) ? target : loaded;
  }

  /**
   * Copies targets that are too far away; the second copy moves the first by
   * one.
   */
  #bringNear(yes: EnteredNode, no: EnteredNode): void {
    if (!this.#isFar(yes) && !this.#isFar(no)) return;
    for (const target of [yes, no].filter((target) => this.#isFar(target))) {
      if (!this.#isFar(target)) continue;
      const { node, entry } = target;
      const home = present(this.#homes.get(node))[entry];
      if (node.kind !== "leaf") this.#entered.add(home);
      present(this.#positions.get(node))[entry] = node.kind === "leaf"
        ? this.#ret(node)
        : this.#emit({
          op: "ja",
          jt: 0,
          jf: 0,
          k: this.#reversed.length - home,
        });
    }
  }

  #isFar(target: EnteredNode): boolean {
    return this.#distance(target) > REACH - 1;
  }

  /** The distance of a jump to a target, which has an entry from now on. */
  #enter(target: EnteredNode): number {
    const distance = this.#distance(target);
    this.#entered.add(this.#reversed.length - distance);
    return distance;
  }

  /** Number of instructions between the next one to be emitted and a target. */
  #distance({ node, entry }: EnteredNode): number {
    return this.#reversed.length - present(this.#positions.get(node))[entry];
  }

  #ret({ value }: Leaf): number {
    return this.#emit({ op: "ret.k", jt: 0, jf: 0, k: value });
  }

  /** Emits an instruction and returns its position. */
  #emit(instruction: Instruction): number {
    return this.#reversed.push(instruction);
  }

  #settle(node: Decision, masked: number, word: number, load: number): void {
    this.#homes.set(node, { masked, word, load });
    this.#positions.set(node, { masked, word, load });
  }
}
