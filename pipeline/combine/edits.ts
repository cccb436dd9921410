/**
 * Changes to a meaning by the name of a call: calls that get an answer under a
 * condition.
 *
 * @module
 */

import type { ReturnValue } from "../../profile/policy.ts";
import { StatementError } from "../../statements/condition.ts";
import { ALWAYS_TRUE, type Formula } from "../../statements/formula.ts";
import { parseCondition } from "../../statements/parse_condition.ts";
import { callsNode, formulaNode } from "../../statements/prove_statements.ts";
import { resolveCondition } from "../../statements/resolve_condition.ts";
import type { Arch } from "../../tables/arch.ts";
import { quoteText } from "../../tables/printable.ts";
import { didYouMean } from "../../tables/suggest.ts";
import { ALWAYS, type Node } from "../../verify/core/diagram.ts";
import type { Symbols } from "../../verify/core/symbols.ts";
import { constant } from "../../verify/core/word.ts";

/** Calls that get an answer. */
export interface PolicyEdit {
  /** Name of the call. */
  readonly call: string;
  /** Condition on its arguments, as in docs/explain.md; always true if absent. */
  readonly condition?: string;
  /**
   * The answer; `deny` stands for the default answer, or EPERM if the default
   * permits.
   */
  readonly answer: ReturnValue | "deny";
}

/**
 * Builds the changed meaning.
 *
 * @throws {StatementError} if a call, an argument or a value is unknown.
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param symbols The inputs.
 * @param meaning The meaning.
 * @param edits The changes, in order.
 * @param options The architectures, and the answer of `deny`.
 */
export function editMeaning(
  symbols: Symbols,
  meaning: Node,
  edits: readonly PolicyEdit[],
  { arches, denial, skipUnknown = false }: {
    readonly arches: readonly Arch[];
    readonly denial: ReturnValue;
    /** True to skip calls that no architecture has. */
    readonly skipUnknown?: boolean;
  },
): Node {
  const { diagram: d, leaf } = symbols;
  let edited = meaning;
  for (const edit of edits) {
    const value = edit.answer === "deny" ? denial : edit.answer;
    const having = arches.filter(({ syscalls }) => syscalls.has(edit.call));
    if (having.length === 0 && !skipUnknown) {
      throw unknownCall(edit.call, arches);
    }
    for (const arch of having) {
      const nr = arch.syscalls.get(edit.call) ?? 0;
      const audit = { first: arch.auditArch, last: arch.auditArch };
      const calls = callsNode(symbols, { audit, arch }, [
        { first: nr, last: nr },
      ]);
      const where = edit.condition === undefined ? ALWAYS : formulaNode(
        symbols,
        conditionOn(edit.condition, edit.call, arch),
        arch.littleEndian,
      );
      edited = d.choose(d.and(calls, where), leaf(constant(value)), edited);
    }
  }
  return edited;
}

/**
 * The condition with the names of the call's arguments, or with plain names.
 */
function conditionOn(text: string, name: string, arch: Arch): Formula {
  if (text.trim() === "") return ALWAYS_TRUE;
  return resolveCondition(parseCondition(text), { arch, name });
}

function unknownCall(call: string, arches: readonly Arch[]): StatementError {
  const names = arches.flatMap(({ syscalls }) => [...syscalls.keys()]);
  const near = didYouMean(call, names);
  return new StatementError(
    `Cannot find the call ${quoteText(call)} on ${
      arches.map(({ name }) => name).join(", ")
    }${near === undefined ? "" : `; did you mean ${near}`}`,
    0,
  );
}
