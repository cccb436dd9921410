/**
 * `verify`: checks whether a process runs the expected filters.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { printable } from "../../tables/printable.ts";
import { paintVerdicts } from "../output/paint.ts";
import { reportJson } from "../output/json.ts";
import { orderOf, policyOf } from "../../verify/core/subject.ts";
import { messageOf } from "../../host/reason.ts";
import {
  distinctSemantics,
  meaningKey,
  readingOf,
} from "../../profile/semantics/quirks.ts";
import {
  RUNTIME_NAMES,
  type Semantics,
  splitSemantics,
} from "../../profile/semantics/versions.ts";
import { MachineError, ReportedError, UsageError } from "../error.ts";
import { EXIT, messageLine, report } from "../exit.ts";
import {
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import type { Io } from "../io.ts";
import { parsePid } from "../input/sources/pid.ts";
import { withOwnSemantics } from "../input/semantics.ts";
import { type ThreadGroup, threadGroups } from "../input/sources/process.ts";
import { commandLine } from "../output/reproduce.ts";
import {
  exitOf,
  jsonOf,
  type ProcessVerification,
  verify,
} from "./verify_process.ts";
import { loadSubject, type NamedSubject, titleOf } from "../input/sides.ts";
import { witnessText } from "../output/verdict.ts";

/** Flags of `verify`. */
export interface VerifyFlags extends SourceFlags, OutputFlags {
  readonly against?: string;
  readonly all: boolean;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  VerifyFlags,
  [process?: string]
>({
  usage: "[OPTION...] pid:N --against SOURCE | --all",
  examples: [
    "verify pid:1234 --against default:docker --semantics runc",
    "verify --all",
  ],
  parameters: {
    flags: {
      against: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "SOURCE",
        brief: "Source of the expected filter",
      },
      all: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Check or list all processes that have filters",
      },
      ...OUTPUT_FLAG,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "Process id",
        parse: word,
        placeholder: "pid:N",
        optional: true,
      }],
    },
  },
  run: runVerify,
});

/** Verifies one process, or lists all confined ones. */
export async function runVerify(
  io: Io,
  flags: VerifyFlags,
  word?: string,
): Promise<number> {
  if (flags.all === (word !== undefined)) {
    throw new UsageError(
      flags.all
        ? "Cannot use --all with a process; omit one"
        : "Missing argument: pid:N; write a process, or pass --all",
    );
  }
  const against = flags.against === undefined
    ? undefined
    : await loadSubject(io, flags, flags.against, word ?? ANY_PROCESS);
  if (against !== undefined && orderOf(against.subject) === false) {
    throw new UsageError(
      `Cannot verify against ${against.word}: it is for big-endian machines; give a source for this one`,
    );
  }
  if (word === undefined) {
    const { tellAll } = await import("./verify_all.ts");
    return await tellAll(io, flags, against);
  }
  if (against === undefined) {
    throw new UsageError(
      "Missing option --against; pass --against SOURCE",
    );
  }
  const pid = parsePid(word);
  let groups: readonly ThreadGroup[];
  try {
    groups = threadGroups(pid);
  } catch (error) {
    if (flags.output === "json") {
      const reason = messageOf(error);
      io.out(reportJson({ pid, state: "unknown", reason }));
    }
    return report(io, error);
  }
  const found = verify(groups, against);
  const { worst } = found;
  const equalUnder = worst.result === undefined || exitOf(worst) === EXIT.ok
    ? undefined
    : await otherwiseEqual(io, { groups, against, word });
  if (flags.output === "json") {
    io.out(reportJson({
      pid,
      against: against.word,
      ...(policyOf(against.subject) !== undefined
        ? { semantics: against.flags.semantics ?? "crun" }
        : {}),
      ...jsonOf(found),
      ...(equalUnder === undefined ? {} : { equalUnder }),
    }));
  } else if (worst.filters !== undefined) {
    io.out(paintVerdicts(io, textOf(flags, pid, found, against)));
  }
  if (worst.filters === undefined) return report(io, worst.error);
  if (equalUnder !== undefined && !flags.quiet) {
    const options = Object.entries(equalUnder)
      .map(([name, value]) => `--${name} ${value}`).join(" ");
    const hint = `it would be equal with ${options}`;
    io.err(messageLine(io, "note", hint, `pid:${pid}`));
  }
  return exitOf(worst);
}

/** Placeholder for any process on this machine. */
const ANY_PROCESS = "pid:";

/** Options that name the origin of the filter. */
type Makers = Partial<Pick<VerifyFlags, "names" | "semantics">>;

/** The standard to which a process is compared. */
interface Comparison {
  readonly groups: readonly ThreadGroup[];
  readonly against: NamedSubject;
  /** The source word of the process. */
  readonly word: string;
}

/**
 * Finds another runtime, another version of it, or the host's libseccomp, whose
 * filter for the profile would be the live one.
 */
async function otherwiseEqual(
  io: Io,
  { groups, against, word: process }: Comparison,
): Promise<Makers | undefined> {
  const { word, subject, flags } = against;
  if (policyOf(subject) === undefined || word === "-") return undefined;
  const names = flags.names === "host" ? "builtin" : "host";
  const silent: Io = { ...io, err: () => {} };
  const others = otherSemantics(flags.semantics ?? "crun");
  const makers: readonly Makers[] = [
    { names },
    ...others.map((semantics) => ({ semantics })),
    ...others.map((semantics) => ({ names, semantics } as const)),
  ];
  for (const changed of makers) {
    let other: NamedSubject;
    try {
      const asked = { ...flags, ...changed };
      const own = await withOwnSemantics(silent, asked, [process]);
      const isSame = own.names === flags.names &&
        meaningKey(own.semantics ?? "crun") ===
          meaningKey(flags.semantics ?? "crun");
      if (isSame) continue;
      other = await loadSubject(silent, own, word, process);
    } catch (error) {
      // The host has no libseccomp, or the profile cannot be read with its
      // names.
      if (error instanceof MachineError || error instanceof ReportedError) {
        continue;
      }
      throw error;
    }
    if (exitOf(verify(groups, other).worst) === EXIT.ok) return changed;
  }
  return undefined;
}

/**
 * Each other meaning, most likely first: the same runtime as installed and in
 * other versions, then the other runtime.
 */
function otherSemantics(current: Semantics): readonly Semantics[] {
  const { runtime } = splitSemantics(current);
  const versions = distinctSemantics()
    .filter((semantics) => meaningKey(semantics) !== meaningKey(current))
    .map((semantics): Semantics => {
      const { runtime, version } = readingOf(semantics);
      return `${runtime}@${version}`;
    });
  return [runtime, ...RUNTIME_NAMES.filter((name) => name !== runtime)]
    .flatMap((name) => [
      name,
      ...versions.filter((other) => splitSemantics(other).runtime === name),
    ]);
}

function textOf(
  flags: VerifyFlags,
  pid: number,
  { all, worst }: ProcessVerification,
  against: NamedSubject,
): string {
  const { state, tids, filters = [], result } = worst;
  const [tid = pid] = tids;
  const threads = all.reduce((sum, one) => sum + one.tids.length, 0);
  const who = all.length === 1
    ? ""
    : `, thread ${tid} (and ${tids.length - 1} like it, of ${threads})`;
  const sizes = filters.map((program) => program.length).join(" + ");
  const what = filters.length === 0
    ? "no filter"
    : `${filters.length} filter${
      filters.length === 1 ? "" : "s"
    }, ${sizes} instructions`;
  const head = `${state}: pid:${pid}${who}, ${what}`;
  const subject = state === "stacked" ? "the combination is " : "";
  switch (result?.kind) {
    case "equal":
      return `${head}: ${subject}equal to ${
        printable(titleOf(against))
      } for every input\n`;
    case "different":
      return witnessText(
        `${head}: ${subject}not equal to ${titleOf(against)}`,
        result,
        [
          {
            word: `pid:${tid}`,
            flags,
            ...(tid === pid
              ? {}
              : { see: commandLine(["dump", "--thread", `pid:${tid}`]) }),
          },
          against,
        ],
      );
    case "unproven":
      return `${head}: unknown: the limit of ${result.limit} was reached\n`;
    default:
      return `${head}\n`;
  }
}
