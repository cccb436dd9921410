/**
 * Programs as pseudocode: nested `if` and `else` with names, for reading. It
 * does not preserve the order of the instructions, so it cannot be assembled.
 *
 * ```text
 * if (arch != x86_64) return KILL_PROCESS
 * if (nr in {read, write}) return ALLOW
 * if (nr == socket && domain == AF_UNIX) return ALLOW
 * return ERRNO(EPERM)
 * ```
 *
 * Register values are tracked and shown as expressions of the call. If two
 * paths meet with different values, every assignment is shown instead.
 *
 * @module
 */

import type { Filter } from "../filter.ts";
import { formatReturnValue } from "../return_value.ts";
import { constantOf, type Facts, writtenBy } from "./expression.ts";
import { dividesByX, PseudoGraph } from "./graph.ts";
import { renderTest, renderValue } from "./render.ts";
import { negate } from "./condition.ts";

/** Options of pseudocode. */
export interface PseudoOptions {
  /** False for numbers instead of names; true by default. */
  readonly names?: boolean;
  /** True for the index of the first instruction of each line. */
  readonly numbers?: boolean;
}

const WIDTH = 80;
/** A blank at which lines are not wrapped. */
const TIE = "\u00a0";
const INDENT = "  ";
/** Maximum indentation, in levels. */
const MAX_DEPTH = 24;
/** Size of a branch above which the other one is not indented. */
const SMALL = 8;

/**
 * Writes a program as pseudocode.
 *
 * @example A filter with two answers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseText } from "../text.ts";
 * import { formatPseudo } from "./pseudo.ts";
 *
 * const program = parseText(`
 *         ld [0]
 *         jeq #1, good
 *         ret #0
 *   good: ret #0x7fff0000
 * `);
 * const text = formatPseudo({ program, littleEndian: true });
 * assertEquals(text, "if (nr == 1) return ALLOW\nreturn KILL_THREAD\n");
 * ```
 *
 * @param filter A filter that the kernel accepts.
 * @param options Names and indices.
 * @returns Lines, each ending in a line feed.
 */
export function formatPseudo(
  filter: Filter,
  options: PseudoOptions = {},
): string {
  return new PseudoWriter(filter, options).write();
}

/** One line, before wrapping. */
interface Line {
  readonly depth: number;
  readonly text: string;
  readonly pc: number;
}

class PseudoWriter {
  readonly #graph: PseudoGraph;
  readonly #littleEndian: boolean;
  readonly #names: boolean;
  readonly #numbers: boolean;
  readonly #lines: Line[] = [];

  constructor(
    { program, littleEndian }: Filter,
    { names = true, numbers = false }: PseudoOptions,
  ) {
    this.#graph = new PseudoGraph(program);
    this.#littleEndian = littleEndian;
    this.#names = names;
    this.#numbers = numbers;
  }

  write(): string {
    const root = this.#graph.nodeAt(0);
    this.#block(root, 0, true);
    for (const node of [...this.#graph.labelled].sort((a, b) => a - b)) {
      this.#lines.push({ depth: 0, text: "", pc: node });
      this.#lines.push({ depth: 0, text: `L${node}:`, pc: node });
      this.#block(node, 1, true);
    }
    return this.#lines.map((line) => this.#format(line)).join("");
  }

  /** Writes a node and its successors. */
  #block(start: number, depth: number, isFirst: boolean): void {
    let first = isFirst;
    for (let node = start;;) {
      if (
        this.#graph.isReturn(node) || !first && this.#graph.labelled.has(node)
      ) {
        this.#push(depth, this.#words(node), node);
        return;
      }
      first = false;
      const choice = this.#graph.choiceOf(node);
      if (choice === undefined) {
        if (dividesByX(this.#graph.instructionAt(node))) {
          const divisor = this.#value(
            node,
            this.#graph.factsAt(node)?.x ?? constantOf(0),
          );
          const zero = `return ${this.#answer(0)}`.replaceAll(" ", TIE);
          this.#push(depth, `if (${divisor} == 0x0) ${zero}`, node);
        }
        this.#push(depth, this.#assignment(node), node);
        node = this.#graph.nodeAt(node + 1);
        continue;
      }
      const { yes, no, tree } = choice;
      const text = (negated: boolean): string =>
        renderTest(negated ? negate(tree) : tree, {
          littleEndian: this.#littleEndian,
          names: this.#names,
        });
      if (yes === no) {
        node = yes;
      } else if (this.#graph.isShort(yes)) {
        this.#push(depth, `if (${text(false)}) ${this.#tied(yes)}`, node);
        node = no;
      } else if (this.#graph.isShort(no)) {
        this.#push(depth, `if (${text(true)}) ${this.#tied(no)}`, node);
        node = yes;
      } else {
        const [ofYes, ofNo] = [this.#graph.sizeOf(yes), this.#graph.sizeOf(no)];
        const swap = ofNo < ofYes && ofNo <= SMALL;
        const [inner, outer] = swap ? [no, yes] : [yes, no];
        this.#push(depth, `if (${text(swap)}) {`, node);
        this.#block(inner, depth + 1, false);
        if (Math.min(ofYes, ofNo) <= SMALL) {
          this.#push(depth, "}", inner);
          node = outer;
          continue;
        }
        this.#push(depth, "} else {", outer);
        this.#block(outer, depth + 1, false);
        this.#push(depth, "}", outer);
        return;
      }
    }
  }

  /** The text of a short node, kept on one line. */
  #tied(node: number): string {
    return this.#words(node).replaceAll(" ", TIE);
  }

  /** The text of a short node. */
  #words(node: number): string {
    const { op, k } = this.#graph.instructionAt(node);
    const facts = this.#graph.factsAt(node);
    if (op === "ret.k") {
      return `return ${this.#answer(k, facts?.arch)}`;
    }
    if (op === "ret.a" && facts !== undefined) {
      return `return ${this.#value(node, facts.a)}`;
    }
    return `goto L${node}`;
  }

  #answer(value: number, arch?: number): string {
    return this.#names
      ? formatReturnValue(value, arch)
      : `0x${value.toString(16)}`;
  }

  #value(pc: number, value: Facts["a"]): string {
    const facts = this.#graph.factsAt(pc);
    return facts === undefined ? "" : renderValue(value, facts, {
      littleEndian: this.#littleEndian,
      names: this.#names,
    });
  }

  #assignment(pc: number): string {
    const instruction = this.#graph.instructionAt(pc);
    const facts = this.#graph.factsAt(pc);
    if (instruction === undefined || facts === undefined) return "";
    const { to, value } = writtenBy(facts, instruction);
    return `${to} = ${this.#value(pc, value)}`;
  }

  #push(depth: number, text: string, pc: number): void {
    this.#lines.push({ depth, text, pc });
  }

  /** Wraps a line at blanks. */
  #format({ depth, text, pc }: Line): string {
    if (text === "") return "\n";
    const indent = INDENT.repeat(Math.min(depth, MAX_DEPTH));
    const prefix = this.#numbers ? `${String(pc).padStart(4, "0")}  ` : "";
    const other = " ".repeat(prefix.length);
    let lines = "";
    let line = prefix + indent;
    let isFresh = true;
    for (const word of text.split(" ")) {
      if (!isFresh && line.length + 1 + word.length > WIDTH) {
        lines += `${line}\n`;
        line = `${other}${indent}${INDENT}${INDENT}`;
        isFresh = true;
      }
      line += isFresh ? word : ` ${word}`;
      isFresh = false;
    }
    return `${lines}${line}\n`.replaceAll(TIE, " ");
  }
}
