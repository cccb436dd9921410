/**
 * A whole policy in words, as text and as JSON.
 *
 * @module
 */

import { isConstAllow } from "../../bpf/const_allow.ts";
import { formatReturnValue } from "../../bpf/return_value.ts";
import type { Explanation } from "../../statements/explain_subject.ts";
import {
  auditOf,
  EVERY_OTHER_CALL,
  EVERYTHING_ELSE,
  placesOf,
  rowsOf,
  type StatementRow,
} from "../../statements/rows.ts";
import type { AbiStatements } from "../../statements/statement.ts";
import {
  type Grouping,
  wrapLine,
  writeDocument,
} from "../../statements/write_document.ts";
import { didYouMean } from "../../tables/suggest.ts";
import type { Arch } from "../../tables/arch.ts";
import { printable, quoteText } from "../../tables/printable.ts";
import { SECCOMP_RET_ALLOW } from "../../tables/uapi.ts";
import { UsageError } from "../error.ts";
import type { LoadedFilter } from "../input/filter.ts";

/** Layout of the text. */
export interface PolicyTextFlags {
  readonly by: Grouping;
  readonly short: boolean;
  readonly all: boolean;
  readonly only?: string;
}

/** Maximum length of a line, unless a single word is longer. */
const COLUMNS = 100;

/**
 * Writes a whole policy. Lines that begin with `#` are comments; the others are
 * read back by `parseDocument`.
 *
 * @param explained The policy.
 * @param filter Its source.
 * @param flags The form.
 * @throws {UsageError} if nothing has the action or the name of `--only`.
 */
export function policyText(
  explained: Explanation,
  filter: LoadedFilter,
  flags: PolicyTextFlags,
): string {
  const { abis } = explained;
  const all = rowsOf(abis, filter.native);
  const rows = flags.only === undefined ? all : chosenRows(all, flags.only);
  const arches = placesOf(abis);
  const text = flags.short
    ? shortText(rows, arches)
    : writeDocument(rows, { by: flags.by, arches, columns: COLUMNS });
  const notes = [
    ...(abis.length === 1
      ? [
        `the filter does not test the architecture; names are those of ${filter.native.name}`,
      ]
      : []),
    ...(flags.only === undefined ? [] : [`only ${flags.only}`]),
    ...(flags.all ? elseNotes(abis, all) : []),
    ...cacheNotes(abis, filter),
  ];
  return text + notes.map((note) => wrapLine("# ", note, COLUMNS))
    .flat().map((line) => `${printable(line)}\n`).join("");
}

/**
 * Makes the JSON of a whole policy.
 *
 * @param explained The policy.
 * @param filter Its source.
 * @param flags The form.
 */
export function jsonOfPolicy(
  { abis }: Explanation,
  filter: LoadedFilter,
  flags: PolicyTextFlags,
): Readonly<Record<string, unknown>> {
  const all = rowsOf(abis, filter.native);
  const rows = flags.only === undefined ? all : chosenRows(all, flags.only);
  const groups = new Map<string, { row: StatementRow; calls: string[] }>();
  for (const row of rows) {
    const { action, condition, arches, call } = row;
    const key = JSON.stringify([action, condition, arches, isCatchAll(call)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { row, calls: [call] });
    else group.calls.push(call);
  }
  return {
    source: filter.name,
    complete: flags.only === undefined,
    statements: [...groups.values()].map(({ row, calls }) => ({
      action: row.action,
      value: row.value,
      arches: row.arches,
      calls: isCatchAll(row.call) ? row.call : calls,
      condition: row.condition === "" ? null : row.condition,
    })),
    cache: cacheOf(abis, filter).map(({ arch, allowed, missed }) => ({
      arch: arch.name,
      allowed: allowed.length,
      cached: allowed.length - missed.length,
      uncached: missed,
    })),
  };
}

function isCatchAll(call: string): boolean {
  return call === EVERYTHING_ELSE || call === EVERY_OTHER_CALL;
}

/** The rows of one action or one call. */
function chosenRows(
  rows: readonly StatementRow[],
  only: string,
): readonly StatementRow[] {
  const word = only.toUpperCase().replace(/^(?:SECCOMP_RET_|SCMP_ACT_)/, "");
  const chosen = rows.filter(({ action, call }) =>
    call === only || action === word || action.replace(/\(.*/, "") === word
  );
  if (chosen.length > 0) return chosen;
  const names = new Set(
    rows.flatMap(({ call, action }) => [call, action]),
  );
  const near = didYouMean(only, names);
  throw new UsageError(
    `Cannot use --only ${
      quoteText(only)
    }: no statement has this action or names this call; ${
      near === undefined ? "omit it to list all" : `did you mean ${near}`
    }`,
  );
}

/** Counts of calls instead of their names; calls with conditions are named. */
function shortText(
  rows: readonly StatementRow[],
  arches: readonly string[],
): string {
  const counted: StatementRow[] = [];
  const counts = new Map<string, { row: StatementRow; count: number }>();
  for (const row of rows) {
    const isListed = isCatchAll(row.call) || /^[0-9]/.test(row.call);
    if (row.condition !== "" || isListed) {
      counted.push({
        ...row,
        condition: "",
        call: row.condition === "" ? row.call : `${row.call} (conditions)`,
      });
      continue;
    }
    const key = JSON.stringify([row.action, row.arches]);
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { row, count: 1 });
    else known.count++;
  }
  for (const { row, count } of counts.values()) {
    counted.push({
      ...row,
      call: `${count} ${count === 1 ? "call" : "calls"}`,
    });
  }
  return writeDocument(counted, { by: "action", arches, columns: COLUMNS }) +
    "# counts only; omit --short for the whole policy\n";
}

/** Names of the calls that no statement of an architecture lists. */
function elseNotes(
  abis: readonly AbiStatements[],
  rows: readonly StatementRow[],
): readonly string[] {
  return abis.flatMap(({ abi, rest }) => {
    const { arch } = abi;
    if (arch === undefined) return [];
    const listed = new Set(
      rows.filter(({ arches }) => arches.includes(arch.name))
        .map(({ call }) => call),
    );
    const names = [...arch.syscalls.keys()]
      .filter((name) => !listed.has(name)).sort();
    return names.length === 0 ? [] : [
      `everything else on ${arch.name}, ${
        formatReturnValue(rest, auditOf(abi))
      }: ${names.join(", ")}`,
    ];
  });
}

/** Calls of an architecture that are always allowed. */
interface CachedCalls {
  readonly arch: Arch;
  readonly allowed: readonly string[];
  /** Calls for which the kernel runs the filter anyway. */
  readonly missed: readonly string[];
}

/** Kernels for mips have no cache; numbers of x32 have no place in it. */
function cacheOf(
  abis: readonly AbiStatements[],
  { programs }: LoadedFilter,
): readonly CachedCalls[] {
  return abis.flatMap(({ abi: { arch }, statements, rest }) => {
    if (arch === undefined || arch.syscallBit !== 0) return [];
    if (arch.name.startsWith("mips")) return [];
    const always = (nr: number): boolean => {
      const own = statements.filter(({ numbers }) =>
        numbers !== "other" &&
        numbers.some(({ first, last }) => first <= nr && nr <= last)
      );
      const found = own.length > 0
        ? own
        : statements.filter(({ numbers }) => numbers === "other");
      if (found.length === 0) return rest === SECCOMP_RET_ALLOW;
      return found.every(({ value, formula }) =>
        value === SECCOMP_RET_ALLOW && formula.kind === "and" &&
        formula.parts.length === 0
      );
    };
    const allowed = [...arch.syscalls].filter(([, nr]) => always(nr));
    const missed = allowed.filter(([, nr]) =>
      !programs.every((program) => isConstAllow(program, arch.auditArch, nr))
    );
    return [{
      arch,
      allowed: allowed.map(([name]) => name),
      missed: missed.map(([name]) => name),
    }];
  });
}

function cacheNotes(
  abis: readonly AbiStatements[],
  filter: LoadedFilter,
): readonly string[] {
  return cacheOf(abis, filter).map(({ arch, allowed, missed }) => {
    const all = allowed.length;
    const cached = all - missed.length;
    const never = missed.length > 0
      ? `; the filter runs for ${missed.toSorted().join(", ")}`
      : "";
    return `${arch.name}: the kernel caches ${cached} of ${all} calls that are always allowed${never}`;
  });
}
