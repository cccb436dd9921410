/**
 * The rules of one architecture: from names to the trees of its numbers.
 *
 * @module
 */

import type { LinuxSeccompArg } from "../../profile/formats/oci.ts";
import type { CallTree } from "./chain.ts";
import type { OracleArch } from "./host.ts";
import { addRule, createCallTree, walk } from "./tree.ts";

/** The rules of one architecture. */
export class ArchRules {
  /** The architecture. */
  readonly arch: OracleArch;
  readonly #byNumber: Map<number, CallTree> = new Map();
  /** Rules on names without a number: never met, but they can collide. */
  readonly #byName: Map<string, CallTree> = new Map();

  /** Starts without rules. */
  constructor(arch: OracleArch) {
    this.arch = arch;
  }

  /** Adds a rule for every number to which the name leads. */
  add(name: string, args: readonly LinuxSeccompArg[], value: number): void {
    const { bits, multiplexed, syscalls } = this.arch;
    const behind = multiplexed.find((call) => call.name === name);
    if (behind !== undefined) {
      const selector: LinuxSeccompArg = {
        index: 0,
        op: "SCMP_CMP_EQ",
        value: BigInt(behind.call),
        valueTwo: 0n,
      };
      const others = args.filter(({ index }) => index !== 0);
      addRule(
        treeOf(this.#byNumber, behind.nr),
        [selector, ...others],
        bits,
        value,
      );
    }
    const nr = syscalls.get(name);
    if (nr !== undefined) {
      addRule(treeOf(this.#byNumber, nr), args, bits, value);
    } else if (behind !== undefined || multiplexed.length === 0) {
      addRule(treeOf(this.#byName, name), args, bits, value);
    }
  }

  /** The outcome of a call, undefined if no rule matches. */
  verdict(nr: number, args: readonly bigint[]): number | undefined {
    const tree = this.#byNumber.get(nr);
    return tree === undefined ? undefined : walk(tree, args);
  }
}

function treeOf<K>(trees: Map<K, CallTree>, key: K): CallTree {
  let tree = trees.get(key);
  if (tree === undefined) {
    tree = createCallTree();
    trees.set(key, tree);
  }
  return tree;
}
