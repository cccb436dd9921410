/**
 * `verify`: does a process run what it should.
 *
 * @module
 */

import type { Program } from "../bpf/instruction.ts";
import {
  type Counterexample,
  type Proof,
  proveEquivalent,
  type Subject,
  type Unproven,
} from "../verify/equivalence.ts";
import { messageOf, UsageError } from "./error.ts";
import { EXIT, messageLine, report } from "./exit.ts";
import type { OutputFlags, SourceFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { parsePid } from "./pid.ts";
import { liveFilters } from "./process.ts";
import {
  jsonOfResult,
  loadSubject,
  type NamedSubject,
  recognizable,
  witnessText,
} from "./prove.ts";

/** Flags of `verify`. */
export interface VerifyFlags extends SourceFlags, OutputFlags {
  readonly against?: string;
  readonly all: boolean;
}

/**
 * What was found: one filter that is equal or not, several of which the
 * combination is compared, none, or nothing that could be told.
 */
export type State =
  | "equivalent"
  | "different"
  | "stacked"
  | "unconfined"
  | "unknown";

/** An answer about one process. */
export interface Verification {
  readonly state: State;
  /** Filters in force. */
  readonly filters: readonly Program[];
  /** What the comparison gave; absent where there was none. */
  readonly result?: Proof | Counterexample | Unproven;
}

/** Verifies one process, or lists all that are confined. */
export async function runVerify(
  io: Io,
  flags: VerifyFlags,
  word?: string,
): Promise<number> {
  if (flags.all === (word !== undefined)) {
    throw new UsageError(
      flags.all
        ? "Cannot verify one process and all of them: leave one out"
        : "Cannot verify: no process: write pid:N, or pass --all",
    );
  }
  const against = flags.against === undefined
    ? undefined
    : await loadSubject(io, flags, flags.against);
  if (word === undefined) {
    const { tellAll } = await import("./verify_all.ts");
    return tellAll(io, flags, against);
  }
  if (against === undefined) {
    throw new UsageError(
      "Cannot verify: nothing to compare with: pass --against SOURCE",
    );
  }
  const pid = parsePid(word);
  let found: Verification;
  try {
    found = verify(liveFilters(pid), against);
  } catch (error) {
    if (flags.output === "json") {
      const reason = messageOf(error);
      io.out(
        `${
          JSON.stringify({ schemaVersion: 1, pid, state: "unknown", reason })
        }\n`,
      );
    }
    return report(io, error);
  }
  const equalUnder = found.result?.kind === "different"
    ? await otherSemantics(io, flags, found.filters, against)
    : undefined;
  io.out(
    flags.output === "json"
      ? `${
        JSON.stringify({
          schemaVersion: 1,
          pid,
          against: against.word,
          ...jsonOf(found),
          ...(equalUnder === undefined ? {} : { equalUnder }),
        })
      }\n`
      : textOf(pid, found, against),
  );
  if (equalUnder !== undefined && !flags.quiet) {
    const hint = `it would be equal with --semantics ${equalUnder}`;
    io.err(messageLine(io, "note", hint, `pid:${pid}`));
  }
  return exitOf(found);
}

/** Whether the profile is what the other runtime would have made of it. */
async function otherSemantics(
  io: Io,
  flags: VerifyFlags,
  filters: readonly Program[],
  { word, subject }: NamedSubject,
): Promise<VerifyFlags["semantics"] | undefined> {
  if (subject.kind !== "policy" || word === "-") return undefined;
  const semantics = flags.semantics === "crun" ? "runc" : "crun";
  const silent = { ...flags, semantics, quiet: true, verbose: false } as const;
  const { result } = verify(filters, await loadSubject(io, silent, word));
  return result?.kind === "equal" ? semantics : undefined;
}

/** Compares what is in force with what should be. */
export function verify(
  filters: readonly Program[],
  against: NamedSubject,
): Verification {
  if (filters.length === 0) return { state: "unconfined", filters };
  const stack: Subject = { kind: "stack", programs: filters };
  const result = recognizable(
    proveEquivalent(stack, against.subject),
    [{ word: "", subject: stack }, against],
  );
  if (result.kind === "unproven") return { state: "unknown", filters, result };
  const state = filters.length > 1
    ? "stacked"
    : result.kind === "equal"
    ? "equivalent"
    : "different";
  return { state, filters, result };
}

/** Exit code of an answer. */
export function exitOf({ result }: Verification): number {
  switch (result?.kind) {
    case "equal":
      return EXIT.ok;
    case "unproven":
      return EXIT.unproven;
    default:
      return EXIT.no;
  }
}

/** An answer for machines. */
export function jsonOf(
  { state, filters, result }: Verification,
): Readonly<Record<string, unknown>> {
  const { state: combination, ...rest } = result === undefined
    ? { state: undefined }
    : jsonOfResult(result);
  return {
    state,
    filters: filters.length,
    lengths: filters.map((program) => program.length),
    ...(state === "stacked"
      ? { combination: combination === "equal" ? "equivalent" : combination }
      : {}),
    ...rest,
  };
}

function textOf(
  pid: number,
  { state, filters, result }: Verification,
  against: NamedSubject,
): string {
  const sizes = filters.map((program) => program.length).join(" + ");
  const what = filters.length === 0
    ? "no filter"
    : `${filters.length} filter${
      filters.length === 1 ? "" : "s"
    }, ${sizes} instructions`;
  const head = `${state}: pid:${pid}, ${what}`;
  switch (result?.kind) {
    case "equal":
      return `${head}: ${
        state === "stacked" ? "the combination is " : ""
      }equal to ${against.word} for every input\n`;
    case "different":
      return witnessText(
        `${head}: ${
          state === "stacked" ? "the combination is " : ""
        }not equal to ${against.word}`,
        result,
        // The process is no word that `simulate` could read after it has ended,
        // but as long as it lives.
        [{ word: `pid:${pid}`, subject: against.subject }, against],
      );
    case "unproven":
      return `${head}: cannot tell: the limit of ${result.limit} was reached\n`;
    default:
      return `${head}\n`;
  }
}
