/**
 * `selftest`: compares the kernel's verdicts with the interpreter's.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { paintVerdicts } from "../output/paint.ts";
import { reportJson } from "../output/json.ts";
import { formatReturnValue } from "../../bpf/return_value.ts";
import { prepare, run } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import { selftest, type SelftestReport } from "../../ffi/selftest.ts";
import { errnoText } from "../../tables/errno.ts";
import { decide } from "../../verify/decide.ts";
import { describeCall, jsonOfCall, jsonOfValue } from "../input/call.ts";
import { InputError } from "../error.ts";
import { EXIT } from "../exit.ts";
import { type LoadedFilter, readFilterSource } from "../input/filter.ts";
import {
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import { selftestInputs } from "../input/inputs.ts";
import type { Io } from "../io.ts";
import { orderName } from "../input/machine.ts";
import { type GivenSource, simulateCommand } from "../output/reproduce.ts";
import { loadSource } from "../input/source.ts";

/** Flags of `selftest`. */
export interface SelftestFlags extends SourceFlags, OutputFlags {
  readonly program?: string;
}

/** An input on which the interpreter and the policy disagree. */
interface Disagreement {
  readonly data: SeccompData;
  readonly program: number;
  readonly policy: number;
}

/** Maximum number of mismatches to report. */
const MOST_TOLD = 20;

/** The command. */
export const command: CommandDefinition = defineCommand<
  SelftestFlags,
  [source?: string]
>({
  usage: "[OPTION...] [SOURCE]",
  examples: ["selftest", "selftest profile.json -o json"],
  parameters: {
    flags: {
      program: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "Filter to test instead of the compiled one",
      },
      ...OUTPUT_FLAG,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{ ...SOURCE_ARGUMENT, optional: true }],
    },
  },
  run: runSelftest,
});

/** Tests a filter on this machine's kernel. */
export async function runSelftest(
  io: Io,
  flags: SelftestFlags,
  word = "default:docker",
): Promise<number> {
  const filter = await readFilterSource(io, word, flags, { native: true });
  const programs = flags.program === undefined
    ? filter.programs
    : await programsOf(io, flags.program, filter);
  const policy = filter.kind === "profile" ? filter.resolved.policy : undefined;
  const inputs = selftestInputs(filter, programs);
  const given = givenSources(flags, word);
  let failed = false;
  for (const [i, program] of programs.entries()) {
    const prepared = prepare(program);
    const disagreements: Disagreement[] = [];
    let asked = 0;
    const report = selftest(program, inputs, (data) => {
      const value = run(prepared, toWords(data, filter.littleEndian));
      if (policy === undefined) return value;
      asked++;
      const meant = decide(policy, data).value;
      if (meant !== value && disagreements.length < MOST_TOLD) {
        disagreements.push({ data, program: value, policy: meant });
      }
      return meant;
    }, {
      flags: flagsOf(filter),
      keep: MOST_TOLD,
      littleEndian: filter.littleEndian,
    });
    const wrong = report.loadErrno !== 0 && report.loadErrno !== undefined ||
      report.counts.some(({ mismatches }) => mismatches > 0) ||
      disagreements.length > 0;
    failed ||= wrong;
    const title = programs.length > 1 ? `${filter.name}#${i}` : filter.name;
    io.out(
      flags.output === "json"
        ? jsonLine(title, program.length, report, wrong)
        : paintVerdicts(
          io,
          textOf(title, program.length, { report, asked, given }),
        ),
    );
  }
  return failed ? EXIT.no : EXIT.ok;
}

/** Reads a filter given in place of the source's own. */
async function programsOf(
  io: Io,
  word: string,
  { littleEndian }: LoadedFilter,
): Promise<LoadedFilter["programs"]> {
  const source = await loadSource(io, word);
  if (source.kind === "profile") {
    throw new InputError("Cannot test a profile as a program; give a filter", {
      place: source.name,
    });
  }
  if (source.order !== "assumed" && source.littleEndian !== littleEndian) {
    throw new InputError(
      `Cannot test a ${orderName(source.littleEndian)} filter: the source is ${
        orderName(littleEndian)
      }; give a filter for the same machine`,
      { place: source.name },
    );
  }
  return source.programs;
}

/** The sources of the answers in a mismatch. */
function givenSources(
  flags: SelftestFlags,
  word: string,
): readonly GivenSource[] {
  const { from: _, ...rest } = flags;
  return [
    { word, flags },
    ...(flags.program === undefined
      ? []
      : [{ word: flags.program, flags: rest }]),
  ];
}

function flagsOf(filter: LoadedFilter): readonly string[] {
  return filter.kind === "profile" ? filter.resolved.seccomp.flags ?? [] : [];
}

function jsonLine(
  source: string,
  length: number,
  { counts, mismatches, loadErrno, notes }: SelftestReport,
  wrong: boolean,
): string {
  return reportJson({
    source,
    state: wrong ? "failed" : "passed",
    length,
    accepted: loadErrno === undefined ? null : loadErrno === 0,
    counts,
    mismatches: mismatches.map(({ engine, data, expected, actual }) => ({
      engine,
      ...jsonOfCall(data),
      expected: jsonOfValue(expected, data.arch),
      actual: actual === undefined ? null : jsonOfValue(actual, data.arch),
    })),
    notes,
  });
}

const ENGINES = {
  socket: "the kernel's BPF engine",
  seccomp: "real seccomp",
} as const;

/** Data to print about a filter. */
interface Told {
  readonly report: SelftestReport;
  /** Number of inputs that were also checked against the profile. */
  readonly asked: number;
  /** The sources, for command lines. */
  readonly given: readonly GivenSource[];
}

function textOf(
  source: string,
  length: number,
  { report, asked, given }: Told,
): string {
  const { counts, mismatches, loadErrno, notes } = report;
  const wide = Math.max(...Object.values(ENGINES).map((name) => name.length));
  const lines = [
    `${source}: ${length} instructions`,
    ...counts.map(({ engine, verdicts, mismatches: wrong }) =>
      `  ${
        ENGINES[engine].padEnd(wide)
      }  ${verdicts} verdicts, ${wrong} mismatches`
    ),
    ...(asked === 0 ? [] : ["  compared with the interpreter and the profile"]),
    ...(loadErrno === undefined ? [] : [
      loadErrno === 0
        ? "  accepted unchanged by seccomp(2)"
        : `  refused by seccomp(2): ${errnoText(loadErrno)}`,
    ]),
    ...mismatches.flatMap(({ engine, data, expected, actual }) => [
      `  mismatch: ${describeCall(data)}: ${
        formatReturnValue(expected, data.arch)
      }, ${ENGINES[engine]} says ${
        actual === undefined ? "nothing" : formatReturnValue(actual, data.arch)
      }`,
      ...given.map((one) => `    see  ${simulateCommand(one, data)}`),
    ]),
    ...notes.map((note) => `  note: ${note}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
