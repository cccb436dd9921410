/**
 * `test`: checks test cases against a policy, each for all values of the
 * arguments.
 *
 * @module
 */

import { createAnswer } from "../../verify/describe/confirm.ts";
import type { Subject } from "../../verify/core/subject.ts";
import {
  DEFAULT_PROOF_LIMITS,
  LimitReached,
  type ProofLimits,
} from "../../verify/limits.ts";
import { StatementError } from "../../statements/condition.ts";
import {
  CaseJudge,
  type CaseResult,
  type TestedSource,
} from "../../statements/judge_case.ts";
import type { TestCase } from "../../statements/test_case.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { UnprovenError, UsageError } from "../error.ts";
import { EXIT } from "../exit.ts";
import { type PlacedCase, readCases, tell } from "../input/cases.ts";
import {
  type CompiledSource,
  type LoadedFilter,
  readFilterSource,
} from "../input/filter.ts";
import {
  LIMIT_FLAGS,
  type LimitFlags,
  limitsOf,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import { refuseTwoStdins } from "../input/source.ts";
import type { Io } from "../io.ts";
import { type Coverage, uncoveredRules } from "../output/coverage.ts";
import {
  type JudgedCase,
  TEST_FORMS,
  type TestForm,
  testReport,
} from "../output/test_report.ts";
import { subjectOf } from "./explain.ts";
import { loadSubject } from "../input/sides.ts";

/** Flags of `test`. */
export interface TestFlags extends SourceFlags, LimitFlags {
  readonly output: TestForm;
  readonly coverage: boolean;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  TestFlags,
  [source: string, cases: string]
>({
  usage: "[OPTION...] SOURCE CASES",
  examples: [
    "test profile.json cases.txt",
    "test default:docker cases.txt --coverage -o junit",
  ],
  parameters: {
    flags: {
      output: {
        kind: "enum",
        values: TEST_FORMS,
        default: "text",
        brief: "Report format",
      },
      coverage: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Also list the rules that no case decides",
      },
      ...LIMIT_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "tuple",
      parameters: [
        SOURCE_ARGUMENT,
        {
          brief: "File of cases, one per line, such as: deny socket AF_ALG",
          parse: word,
          placeholder: "FILE",
        },
      ],
    },
  },
  run: runTest,
});

/** Checks all cases of a file. */
export async function runTest(
  io: Io,
  flags: TestFlags,
  source: string,
  file: string,
): Promise<number> {
  refuseTwoStdins(source, file);
  const cases = await readCases(io, file);
  const filter = await readFilterSource(io, source, flags, { native: true });
  if (flags.coverage && filter.kind === "programs") {
    throw new UsageError(
      `Cannot use --coverage with ${source}: a filter has no rules; give a profile`,
    );
  }
  const others = await loadOthers(io, flags, cases);
  const limits = { ...DEFAULT_PROOF_LIMITS, ...limitsOf(flags) };
  const judge = createJudge(filter, limits);
  const problems: (readonly [string, string])[] = [];
  const judged: JudgedCase[] = [];
  for (const one of cases) {
    const other = others.get(otherOf(one.test) ?? "");
    try {
      const result = judge(one.test, other);
      judged.push({ ...one, result, ...answerTo(filter, result) });
    } catch (error) {
      if (!(error instanceof StatementError)) throw error;
      problems.push([one.place, error.message]);
    }
  }
  if (problems.length > 0) throw tell(io, problems);
  const coverage = flags.coverage && filter.kind === "profile"
    ? coverageOf(filter, cases, limits)
    : undefined;
  io.out(testReport(judged, filter.name, flags.output, coverage));
  const kinds = new Set(judged.map(({ result }) => result.kind));
  return kinds.has("fail")
    ? EXIT.no
    : kinds.has("unproven")
    ? EXIT.unproven
    : EXIT.ok;
}

/** The other source of a case. */
function otherOf(test: TestCase): string | undefined {
  if (test.kind === "subset") return test.base;
  return test.kind === "same" ? test.other : undefined;
}

/** Loads the sources that cases name. */
async function loadOthers(
  io: Io,
  flags: TestFlags,
  cases: readonly PlacedCase[],
): Promise<ReadonlyMap<string, Subject>> {
  const others = new Map<string, Subject>();
  for (const { test } of cases) {
    const other = otherOf(test);
    if (other === undefined || others.has(other)) continue;
    const { subject } = await loadSubject(io, flags, other);
    others.set(other, subject);
  }
  return others;
}

/** Prepares a source for its judge. */
function testedSource(filter: LoadedFilter): TestedSource {
  const { programs, littleEndian, arches } = filter;
  return { subject: subjectOf(filter), programs, littleEndian, arches };
}

/**
 * Prepares a source; if its diagram is too large in one order, the other is
 * used.
 */
function createJudge(
  filter: LoadedFilter,
  limits: ProofLimits,
): (test: TestCase, other: Subject | undefined) => CaseResult {
  const source = testedSource(filter);
  const made = new Map<string, CaseJudge>();
  return (test, other) => {
    let limit: LimitReached["limit"] = "steps";
    // Many cases together may reach a limit that none of them reaches alone.
    for (const order of ["word", "word", "bit"] as const) {
      try {
        const judge = made.get(order) ?? new CaseJudge(source, order, limits);
        made.set(order, judge);
        return judge.judge(test, other);
      } catch (error) {
        if (!(error instanceof LimitReached)) throw error;
        made.delete(order);
        limit = error.limit;
      }
    }
    return { kind: "unproven", limit };
  };
}

/** Finds the rules that no case decides. */
function coverageOf(
  filter: CompiledSource,
  cases: readonly PlacedCase[],
  limits: ProofLimits,
): Coverage {
  try {
    const judge = new CaseJudge(testedSource(filter), "word", limits);
    for (const { test } of cases) judge.cover(test);
    return uncoveredRules(
      filter,
      (arch, rule, before) => judge.covers(arch, rule, before),
    );
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
    throw new UnprovenError(
      `Cannot list the rules that no case decides: the limit of ${error.limit} was reached; raise --${error.limit}`,
    );
  }
}

/** Runs the source on the witness of a failure. */
function answerTo(
  filter: LoadedFilter,
  result: CaseResult,
): Pick<JudgedCase, "value" | "rule"> {
  if (result.kind !== "fail" || result.witness === undefined) return {};
  const answer = createAnswer(subjectOf(filter), filter.littleEndian);
  const { value, source } = answer(result.witness);
  return { value, ...(source === undefined ? {} : { rule: source }) };
}
