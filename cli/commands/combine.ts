/**
 * `combine`: intersects, merges or subtracts policies, or edits one.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { parseReturnValue } from "../../bpf/return_value.ts";
import { combine } from "../../pipeline/combine/combine.ts";
import type {
  CombineInput,
  CombineOperation,
} from "../../pipeline/combine/result.ts";
import type { PolicyEdit } from "../../pipeline/combine/edits.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { StatementError } from "../../statements/condition.ts";
import { quoteText } from "../../tables/printable.ts";
import { SECCOMP_RET_ALLOW } from "../../tables/uapi.ts";
import { messageOf } from "../../host/reason.ts";
import { ReportedError, UnprovenError, UsageError } from "../error.ts";
import { EXIT, forEachInput, tellDiagnostics } from "../exit.ts";
import {
  LIMIT_FLAGS,
  type LimitFlags,
  limitsOf,
  OUT_FLAG,
  OUTPUT_FLAG,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import type { Io } from "../io.ts";
import { withOwnSemantics } from "../input/semantics.ts";
import { refuseTwoStdins } from "../input/source.ts";
import { nativeArch, targetFor } from "../input/target.ts";
import {
  COMBINED_FORMATS,
  type CombinedFlags,
  loadInput,
  tellInputs,
  writeCombined,
} from "../output/combined.ts";
import { checkOut, refuseTwoOutputs } from "../output/write.ts";

/** Flags of `combine`. */
export interface CombineFlags extends CombinedFlags, LimitFlags {
  readonly intersect: boolean;
  readonly union: boolean;
  readonly minus: boolean;
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly errno?: readonly string[];
  readonly keepOrder: boolean;
}

const BOOLEAN = {
  kind: "boolean",
  default: false,
  withNegated: false,
} as const;

const CALLS = {
  kind: "parsed",
  parse: word,
  variadic: true,
  optional: true,
} as const;

/** The command. */
export const command: CommandDefinition = defineCommand<CombineFlags, string[]>(
  {
    usage: "--intersect|--union|--minus|EDIT... [OPTION...] A...",
    examples: [
      "combine --intersect default:docker profile.json -O both.json",
      "combine --allow keyctl --deny 'socket:domain == AF_ALG' p.json",
    ],
    parameters: {
      flags: {
        intersect: { ...BOOLEAN, brief: "Give each call the strictest answer" },
        union: { ...BOOLEAN, brief: "Give each call the loosest answer" },
        minus: {
          ...BOOLEAN,
          brief: "Deny in the first profile what the others permit",
        },
        allow: {
          ...CALLS,
          placeholder: "CALL[:COND]",
          brief: "Allow a call, or some of its arguments; repeatable",
        },
        deny: {
          ...CALLS,
          placeholder: "CALL[:COND]",
          brief: "Deny a call with the default or EPERM; repeatable",
        },
        errno: {
          ...CALLS,
          placeholder: "ERR:CALL[:COND]",
          brief: "Deny a call with this errno; repeatable",
        },
        keepOrder: {
          ...BOOLEAN,
          brief: "Keep the order of the first profile's calls",
        },
        format: {
          kind: "enum",
          values: COMBINED_FORMATS,
          default: "profile",
          placeholder: "FORMAT",
          brief: "Output format",
        },
        ...OUT_FLAG,
        ...OUTPUT_FLAG,
        ...LIMIT_FLAGS,
        ...SOURCE_FLAGS,
      },
      aliases: { ...TELL_ALIASES, f: "format", O: "out", o: "output" },
      positional: {
        kind: "array",
        parameter: SOURCE_ARGUMENT,
      },
    },
    run: runCombine,
  },
);

/** Combines sources and writes the result. */
export async function runCombine(
  io: Io,
  flags: CombineFlags,
  ...words: readonly string[]
): Promise<number> {
  const operation = operationOf(flags, words);
  const edits = editsOf(flags);
  refuseTwoOutputs(flags);
  checkOut(flags.out);
  refuseTwoStdins(...words);
  return await combineSources(io, flags, words, { operation, edits });
}

/** An operation on sources, and the changes made after it. */
interface CombineRequest {
  readonly operation: CombineOperation;
  readonly edits: readonly PolicyEdit[];
  /** True to write a single profile as it is if that is shorter. */
  readonly orOriginal?: boolean;
}

/**
 * Combines sources, and reports problems of each.
 *
 * @param io Streams.
 * @param flags Options.
 * @param words The source words.
 * @param request The operation and the changes.
 */
export async function combineSources(
  io: Io,
  flags: CombinedFlags & LimitFlags & { readonly keepOrder: boolean },
  words: readonly string[],
  { operation, edits, orOriginal = false }: CombineRequest,
): Promise<number> {
  const inputs: CombineInput[] = [];
  const { code } = await forEachInput(io, words, async (one) => {
    inputs.push(await loadInput(io, one, flags));
  });
  if (code !== EXIT.ok) throw new ReportedError("sources", { code });
  const own = await withOwnSemantics(io, flags, words);
  const target = await targetFor(own);
  const limits = limitsOf(flags);
  const { arch, caps, kernel, keepOrder } = flags;
  const keepConditions = [arch, caps, kernel].every((one) => one === undefined);
  const form = { keepOrder, keepConditions, orOriginal };
  const options = { operation, edits, ...form, limits };
  try {
    const result = combine(inputs, target, options);
    if (result.kind === "unproved") {
      throw new UnprovenError(
        `Cannot prove the result: the limit of ${result.limit} was reached; raise --${result.limit}`,
      );
    }
    tellInputs(io, words, result, own);
    const facts = { operation, sources: words };
    return await writeCombined(io, result, { ...flags, ...own }, facts);
  } catch (error) {
    if (error instanceof StatementError) throw new UsageError(error.message);
    if (!(error instanceof ProfileError)) throw error;
    tellDiagnostics(io, words.join(", "), error.diagnostics);
    throw new ReportedError("profile", { cause: error });
  }
}

/** Finds the operation, and refuses options that it does not take. */
function operationOf(
  { intersect, union, minus, allow, deny, errno }: CombineFlags,
  words: readonly string[],
): CombineOperation {
  const asked = Object.entries({ intersect, union, minus })
    .flatMap(([name, isAsked]) => isAsked ? [name as CombineOperation] : []);
  if (asked.length > 1) {
    throw new UsageError(
      `Cannot use --${asked[0]} with --${asked[1]}; give only one`,
    );
  }
  const [operation] = asked;
  const edits = [allow, deny, errno].some((list) => list !== undefined);
  if (operation === undefined && !edits) {
    throw new UsageError(
      "Missing operation: give --intersect, --union or --minus, or --allow, --deny or --errno",
    );
  }
  if (words.length === 0) {
    throw new UsageError("Missing argument: SOURCE; give a profile");
  }
  if (operation !== undefined && words.length < 2) {
    throw new UsageError(
      `Missing argument: B; --${operation} takes two sources or more`,
    );
  }
  if (operation === undefined && words.length > 1) {
    throw new UsageError(
      "Too many arguments: give --intersect, --union or --minus for several sources",
    );
  }
  return operation ?? "intersect";
}

/** The changes in order: first allow, then errno, then deny. */
function editsOf(
  { allow = [], errno = [], deny = [] }: CombineFlags,
): readonly PolicyEdit[] {
  return [
    ...allow.map((text): PolicyEdit => ({
      ...callOf(text),
      answer: SECCOMP_RET_ALLOW,
    })),
    ...errno.map((text): PolicyEdit => {
      const [, name = "", rest = ""] = /^([^:]*):(.*)$/s.exec(text) ?? [];
      if (rest === "") {
        throw new UsageError(
          `Cannot read --errno ${
            quoteText(text)
          }: write ERRNO:CALL, such as ENOSYS:clone3`,
        );
      }
      return { ...callOf(rest), answer: errnoValue(name) };
    }),
    ...deny.map((text): PolicyEdit => ({ ...callOf(text), answer: "deny" })),
  ];
}

function callOf(text: string): Pick<PolicyEdit, "call" | "condition"> {
  const colon = text.indexOf(":");
  return colon < 0
    ? { call: text }
    : { call: text.slice(0, colon), condition: text.slice(colon + 1) };
}

function errnoValue(name: string): number {
  try {
    return parseReturnValue(`ERRNO(${name})`, nativeArch().auditArch);
  } catch (error) {
    throw new UsageError(
      `Cannot read --errno ${quoteText(name)}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
