/**
 * `bench`: measures the cost of filters on this machine; draws charts.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { messageOf, reasonOf } from "../../host/reason.ts";
import { basename } from "@std/path";
import {
  AGREEMENT,
  compareReports,
  formatComparison,
  readReport,
} from "../../bench/report/compare.ts";
import type { Report } from "../../bench/report.ts";
import type { Draw } from "../../bench/report/charts.ts";
import { formatReport } from "../../bench/report/text.ts";
import type { BenchSubject } from "../../bench/engine/variants.ts";
import type { Histogram } from "../../bench/experiments/workloads.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import { openLibseccomp } from "../../ffi/libseccomp.ts";
import { parseWeights } from "../../profile/formats/weights.ts";
import { InputError, MachineError, UsageError } from "../error.ts";
import { EXIT } from "../exit.ts";
import {
  OUT_FLAG,
  type OutFlags,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import { type Io, readInputFile } from "../io.ts";
import { commandLine, givenOptions } from "../output/reproduce.ts";
import { loadProfile, tellingProfile } from "../input/source.ts";
import { targetFor } from "../input/target.ts";
import { checkOut, writeArtefact } from "../output/write.ts";

/** Flags of `bench`. */
export interface BenchFlags extends SourceFlags, OutputFlags, OutFlags {
  /** True for a short run of less than 20 seconds. */
  readonly quick: boolean;
  /** Files of histograms. */
  readonly weights?: readonly string[];
  /** True if the arguments are two documents to compare. */
  readonly compare: boolean;
  /** Earlier report to use instead of measuring. */
  readonly report?: string;
  /** Folder for `benchmarks.md` and its charts. */
  readonly page?: string;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  BenchFlags,
  string[]
>({
  usage: "[OPTION...] [SOURCE...] | --compare A.json B.json",
  examples: ["bench --quick default:docker", "bench -o json -O run.json"],
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      ...OUT_FLAG,
      quick: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Finish within 20 seconds, with less precision",
      },
      weights: {
        kind: "parsed",
        parse: word,
        variadic: true,
        optional: true,
        placeholder: "FILE",
        brief: "File of call counts, such as strace -c output; repeatable",
      },
      compare: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Compare the JSON reports of two runs",
      },
      report: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "JSON report to print instead of measuring",
      },
      page: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "DIR",
        brief: "Folder for benchmarks.md and its charts",
      },
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output", O: "out" },
    positional: {
      kind: "array",
      parameter: SOURCE_ARGUMENT,
    },
  },
  run: runBench,
});

/**
 * Measures a profile, or works with earlier measurements.
 *
 * @param io Streams.
 * @param flags Options.
 * @param words The source, or two documents with `--compare`.
 */
export async function runBench(
  io: Io,
  flags: BenchFlags,
  ...words: readonly string[]
): Promise<number> {
  if (flags.compare) return compare(io, flags, words);
  if (words.length > 1) {
    throw new UsageError(
      `Cannot measure ${words.length} sources; give one, or --compare`,
    );
  }
  checkOut(flags.out);
  // If charts cannot be drawn, this is reported before minutes of measurement.
  const draw = flags.page === undefined ? undefined : await drawing();
  const report = flags.report === undefined
    ? await measure(io, flags, words[0] ?? "default:docker")
    : reportOf(flags.report);
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (flags.page !== undefined && draw !== undefined) {
    const { writePage } = await import("../../bench/report/page.ts");
    try {
      await writePage(flags.page, report, json, draw);
    } catch (error) {
      throw new MachineError(
        `Cannot write the page to ${JSON.stringify(flags.page)}: ${
          reasonOf(error)
        }`,
        { cause: error },
      );
    }
  }
  writeArtefact(
    io,
    flags.out,
    flags.output === "json" ? json : formatReport(report),
  );
  return EXIT.ok;
}

async function drawing(): Promise<Draw> {
  const { loadDrawing } = await import("../../bench/report/charts.ts");
  try {
    return await loadDrawing();
  } catch (error) {
    throw new MachineError(messageOf(error), { cause: error });
  }
}

function compare(
  io: Io,
  { output, out }: BenchFlags,
  words: readonly string[],
): number {
  const [first, second] = words;
  if (first === undefined || second === undefined || words.length > 2) {
    throw new UsageError(
      `Cannot compare ${words.length} ${
        words.length === 1 ? "report" : "reports"
      }; give two that bench -o json wrote`,
    );
  }
  const [a, b] = [reportOf(first), reportOf(second)];
  const ratios = compareReports(a, b);
  writeArtefact(
    io,
    out,
    output === "json"
      ? `${JSON.stringify({ schemaVersion: 1, ratios }, null, 1)}\n`
      : formatComparison(a, b),
  );
  return ratios.every(({ apart }) => apart <= AGREEMENT) ? EXIT.ok : EXIT.no;
}

function reportOf(path: string): Report {
  const text = new TextDecoder().decode(readInputFile(path));
  try {
    return readReport(text, path);
  } catch (error) {
    throw new InputError(messageOf(error), { cause: error });
  }
}

async function measure(
  io: Io,
  flags: BenchFlags,
  word: string,
): Promise<Report> {
  const { runBenchmark } = await import("../../bench/run.ts");
  const { FULL, QUICK } = await import("../../bench/effort.ts");
  const subject = await subjectOf(io, flags, word);
  const histograms: Histogram[] = [];
  for (const file of flags.weights ?? []) {
    const text = new TextDecoder().decode(readInputFile(file));
    const { counts } = await tellingProfile(
      io,
      file,
      () => parseWeights(text),
    );
    histograms.push({ name: basename(file).replace(/\.[^.]*$/, ""), counts });
  }
  const line = progressLine(io);
  try {
    return await runBenchmark({
      subject,
      histograms,
      efforts: flags.quick ? QUICK : FULL,
      quick: flags.quick,
      command: commandOf(flags, word),
      progress: line.show,
    });
  } finally {
    line.clear();
  }
}

async function subjectOf(
  io: Io,
  flags: BenchFlags,
  word: string,
): Promise<BenchSubject> {
  const source = await loadProfile(
    io,
    word,
    flags,
    ({ name }) =>
      new UsageError(
        `Cannot measure ${name}: libseccomp cannot build a filter again; give a profile`,
      ),
  );
  // Both sides use the same syscall names, so that both filters mean the same.
  const names = openLibseccomp() === undefined
    ? flags.names ?? "builtin"
    : "host";
  const unknown = names === "host" ? "ignore" : flags.unknown;
  const target = await targetFor({ ...flags, names, unknown });
  const { policy, seccomp, arches } = await tellingProfile(
    io,
    source.name,
    () => resolveParsed(source.profile, target),
  );
  return { name: source.name, policy, seccomp, arches };
}

/** The command, without the machine's paths. */
function commandOf(flags: BenchFlags, word: string): string {
  const { quick, weights } = flags;
  return commandLine([
    "bench",
    word,
    ...givenOptions(flags),
    ...(quick ? ["--quick"] : []),
    ...(weights ?? []).flatMap((file) => ["--weights", basename(file)]),
    ...["--output", "json"],
  ]);
}

/** One line on a terminal that shows the progress; nothing elsewhere. */
function progressLine(io: Io): {
  readonly show: (part: string, share: number) => void;
  readonly clear: () => void;
} {
  if (!Deno.stderr.isTerminal()) {
    return { show: (): void => {}, clear: (): void => {} };
  }
  return {
    show: (part, share): void =>
      io.err(`\r\x1b[K${part}: ${Math.round(share * 100)} %`),
    clear: (): void => io.err("\r\x1b[K"),
  };
}
