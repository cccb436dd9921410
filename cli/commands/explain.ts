/**
 * `explain`: states a whole policy in words, or explains the answer to one call
 * and what would change it.
 *
 * @module
 */

import { explainSubject } from "../../statements/explain_subject.ts";
import type { Grouping } from "../../statements/write_document.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { UnprovenError, UsageError } from "../error.ts";
import { EXIT } from "../exit.ts";
import { type LoadedFilter, readFilterSource } from "../input/filter.ts";
import {
  LIMIT_FLAGS,
  type LimitFlags,
  limitsOf,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import type { Io } from "../io.ts";
import { jsonOfPolicy, policyText } from "../output/policy_text.ts";
import { paintVerdicts } from "../output/paint.ts";
import { reportJson } from "../output/json.ts";

/** Flags of `explain`. */
export interface ExplainFlags extends SourceFlags, OutputFlags, LimitFlags {
  readonly by: Grouping;
  readonly short: boolean;
  readonly all: boolean;
  readonly only?: string;
}

const BOOLEAN = {
  kind: "boolean",
  default: false,
  withNegated: false,
} as const;

/** The command. */
export const command: CommandDefinition = defineCommand<
  ExplainFlags,
  string[]
>({
  usage: "[OPTION...] SOURCE [SYSCALL [ARG...]]",
  examples: [
    "explain default:docker --only ERRNO",
    "explain default:docker socket AF_VSOCK",
  ],
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      by: {
        kind: "enum",
        values: ["action", "call", "arch"],
        default: "action",
        brief: "Grouping of the policy",
      },
      short: { ...BOOLEAN, brief: "Count calls instead of listing them" },
      all: {
        ...BOOLEAN,
        brief: "Also list the calls covered by everything else",
      },
      only: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "ACTION|CALL",
        brief: "Show only this action or call, such as ERRNO or clone",
      },
      ...LIMIT_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "array",
      parameter: {
        brief:
          "Source, a call as [ARCH:]NAME or [ARCH:]NUMBER, and its arguments",
        parse: (input: string): string => input,
        placeholder: "SOURCE SYSCALL ARG",
      },
    },
  },
  run: runExplain,
});

/** Explains a policy, or a call. */
export async function runExplain(
  io: Io,
  flags: ExplainFlags,
  ...words: readonly string[]
): Promise<number> {
  const [source, call, ...args] = words;
  if (source === undefined) {
    throw new UsageError(
      "Missing argument: SOURCE; write a source, such as default:docker",
    );
  }
  if (args.length > 6) {
    throw new UsageError(
      `Too many arguments: ${args.length} for the call; a call has at most 6`,
    );
  }
  if (call !== undefined) {
    refuseListOptions(flags, call);
    const { reportCall } = await import("../output/call/report.ts");
    const { callText } = await import("../output/call/text.ts");
    const { jsonOfReport } = await import("../output/call/json.ts");
    const report = await reportCall(io, flags, {
      source,
      call,
      args,
      limits: limitsOf(flags),
    });
    io.out(
      flags.output === "json"
        ? reportJson(jsonOfReport(report))
        : paintVerdicts(io, callText(report)),
    );
    return EXIT.ok;
  }
  if (flags.short && flags.all) {
    throw new UsageError("Cannot use --short with --all; omit one");
  }
  const filter = await readFilterSource(io, source, flags, { native: true });
  const explained = explainSubject(subjectOf(filter), {
    littleEndian: filter.littleEndian,
    limits: limitsOf(flags),
  });
  if (explained.kind === "not-explained") {
    throw new UnprovenError(
      `Cannot explain ${filter.name} completely: ${explained.reason}`,
    );
  }
  io.out(
    flags.output === "json"
      ? reportJson(jsonOfPolicy(explained, filter, flags))
      : paintVerdicts(io, policyText(explained, filter, flags)),
  );
  return EXIT.ok;
}

/** The meaning of a source; for a profile, its policy. */
export function subjectOf(filter: LoadedFilter): Subject {
  return filter.kind === "profile" ? filter.resolved.policy : {
    programs: filter.programs,
    littleEndian: filter.littleEndian,
  };
}

function refuseListOptions(flags: ExplainFlags, call: string): void {
  const given = [
    flags.short ? "--short" : "",
    flags.all ? "--all" : "",
    flags.only === undefined ? "" : "--only",
    flags.by === "action" ? "" : "--by",
  ].find((option) => option !== "");
  if (given === undefined) return;
  throw new UsageError(
    `Cannot use ${given} with the call "${call}": it applies to a whole policy; omit one`,
  );
}
