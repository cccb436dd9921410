/**
 * `lint`: findings about a profile or filters, each with its evidence, and
 * fixes.
 *
 * @module
 */

import {
  LINT_CONTEXTS,
  LINT_IDS,
  type LintContext,
  type LintId,
  type LintLevel,
} from "../../lint/catalog.ts";
import type { LintFinding, LintReport } from "../../lint/finding.ts";
import { isCovered } from "../../lint/covered.ts";
import { lintFilters, lintProfile } from "../../lint/lint.ts";
import { isRefusedText, refusedText } from "../../lint/refused.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import type { ParsedProfile } from "../../profile/formats/parse.ts";
import { splitSemantics } from "../../profile/semantics/versions.ts";
import { didYouMean } from "../../tables/suggest.ts";
import { decodeUtf8 } from "../../profile/text.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { UsageError } from "../error.ts";
import { EXIT } from "../exit.ts";
import {
  requireAccepted,
  tellAssumed,
  tellFindings,
} from "../input/resolve_source.ts";
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
import { fixText, readBaseline, splitKnown } from "../input/lint_fixes.ts";
import { assumptionWords, machineOf } from "../input/machine.ts";
import { withOwnSemantics } from "../input/semantics.ts";
import {
  type BareFilters,
  loadSource,
  type ProfileSource,
  refuseTwoStdins,
  tellingProfile,
} from "../input/source.ts";
import { assumedWords, targetFor } from "../input/target.ts";
import { inputName, type Io, readInputFile } from "../io.ts";
import {
  LINT_FORMS,
  type LintForm,
  lintGithub,
  lintJson,
  type LintOutcome,
  lintText,
} from "../output/lint_report.ts";
import { paintVerdicts } from "../output/paint.ts";
import { writeFileWhole } from "../output/write.ts";

/** Levels, the most severe first. */
const LEVELS = ["error", "warning", "note"] as const;

/** Flags of `lint`. */
export interface LintFlags extends SourceFlags, LimitFlags {
  readonly output: LintForm;
  readonly context?: LintContext;
  readonly level: LintLevel;
  readonly disable?: readonly LintId[];
  readonly baseline?: string;
  readonly fix: boolean;
  readonly fixAll: boolean;
}

const BOOLEAN = {
  kind: "boolean",
  default: false,
  withNegated: false,
} as const;

/** The command. */
export const command: CommandDefinition = defineCommand<
  LintFlags,
  [source: string]
>({
  usage: "[OPTION...] SOURCE",
  examples: [
    "lint profile.json --fix",
    "lint filter.bpf --context ctf --level note",
  ],
  parameters: {
    flags: {
      output: {
        kind: "enum",
        values: LINT_FORMS,
        default: "text",
        brief: "Report format",
      },
      context: {
        kind: "enum",
        values: LINT_CONTEXTS as readonly LintContext[],
        optional: true,
        brief: "Intended use (default: container; filters: sandbox)",
      },
      level: {
        kind: "enum",
        values: LEVELS,
        default: "warning",
        brief: "Lowest severity to report",
      },
      disable: {
        kind: "parsed",
        parse: idsWord,
        optional: true,
        placeholder: "ID,ID",
        brief: "Findings to ignore",
      },
      baseline: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "Known findings to ignore: a report from lint -o json",
      },
      fix: {
        ...BOOLEAN,
        brief: "Apply the fixes that are proved not to change any answer",
      },
      fixAll: { ...BOOLEAN, brief: "Also apply fixes that change the policy" },
      ...LIMIT_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: { kind: "tuple", parameters: [SOURCE_ARGUMENT] },
  },
  run: runLint,
});

/** Reads the ids of findings. */
function idsWord(input: string): readonly LintId[] {
  return input.split(",").map((text) => {
    const id = LINT_IDS.find((known) => known === text.trim());
    if (id !== undefined) return id;
    const near = didYouMean(text.trim(), LINT_IDS);
    throw new Error(
      near === undefined
        ? "not an id of a finding; see docs/lint.md"
        : `not an id of a finding; did you mean ${near}`,
    );
  });
}

/** Checks a source, and fixes it on request. */
export async function runLint(
  io: Io,
  flags: LintFlags,
  source: string,
): Promise<number> {
  refuseTwoStdins(source, flags.baseline);
  const known = flags.baseline === undefined
    ? new Map<string, number>()
    : await readBaseline(io, flags.baseline);
  const outcome = await lintSource(io, flags, source, known);
  io.out(await reportOf(io, flags.output, outcome));
  if (outcome.open.length > 0) return EXIT.unproven;
  return outcome.findings.length > 0 ? EXIT.no : EXIT.ok;
}

async function lintSource(
  io: Io,
  flags: LintFlags,
  word: string,
  known: ReadonlyMap<string, number>,
): Promise<LintOutcome> {
  try {
    const options = { ...flags, leaves: isRefusedText };
    const loaded = await loadSource(io, word, options);
    return loaded.kind === "profile"
      ? await lintProfileSource(io, flags, word, loaded, known)
      : lintFilterSource(io, flags, word, loaded, known);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return refusedSource(flags, word, error, known);
  }
}

/** Findings about a profile that the reader refuses. */
function refusedSource(
  flags: LintFlags,
  word: string,
  error: ProfileError,
  known: ReadonlyMap<string, number>,
): LintOutcome {
  const { context = "container" } = flags;
  const disabled = new Set(flags.disable);
  const report = refusedText(error, { context, disabled });
  return {
    source: inputName(word),
    given: { word, flags },
    context,
    ...selected(report, flags, known),
    fixed: [],
    open: report.open,
    canFix: false,
  };
}

async function reportOf(
  io: Io,
  form: LintForm,
  outcome: LintOutcome,
): Promise<string> {
  switch (form) {
    case "text":
      return paintVerdicts(io, lintText(io, outcome));
    case "json":
      return lintJson(outcome);
    case "github":
      return lintGithub(outcome);
    case "sarif": {
      const { sarifReport } = await import("../output/sarif.ts");
      const { default: { version } } = await import("../../deno.json", {
        with: { type: "json" },
      });
      return sarifReport(outcome, version);
    }
  }
}

/** Findings at or above the level that are not in the baseline. */
function selected(
  { findings }: LintReport,
  { level }: LintFlags,
  known: ReadonlyMap<string, number>,
): Pick<LintOutcome, "findings" | "below" | "known"> {
  const split = splitKnown(findings, known);
  const shown = split.fresh.filter((finding) => isAtLevel(finding, level));
  return {
    findings: shown,
    below: split.fresh.length - shown.length,
    known: split.known,
  };
}

function isAtLevel({ severity }: LintFinding, level: LintLevel): boolean {
  return LEVELS.indexOf(severity) <= LEVELS.indexOf(level);
}

async function lintProfileSource(
  io: Io,
  flags: LintFlags,
  word: string,
  source: ProfileSource,
  known: ReadonlyMap<string, number>,
): Promise<LintOutcome> {
  const own = await withOwnSemantics(io, flags, [word]);
  const target = await targetFor(own);
  const context = flags.context ?? "container";
  const options = {
    context,
    limits: limitsOf(flags),
    disabled: new Set(flags.disable),
    ...own.semantics === undefined
      ? {}
      : { runtimes: [splitSemantics(own.semantics).runtime] },
  };
  const lint = (profile: ParsedProfile): LintReport =>
    lintProfile(profile, target, options);
  const { name, profile } = source;
  const isFile = isFixable(word, source);
  const wanted = flags.fix || flags.fixAll;
  if (wanted && !isFile) {
    throw new UsageError(
      `Cannot fix ${word}: only profiles in JSON files can be fixed; omit --fix`,
    );
  }
  tellFindings(
    io,
    name,
    profile.diagnostics.filter((one) => !isCovered(one)),
    flags,
  );
  return await tellingProfile(io, name, () => {
    const { text: given } = profile.document;
    const made = wanted
      ? fixText(given, lint, (finding) =>
        isAtLevel(finding, flags.level) &&
        !known.has(finding.fingerprint) &&
        (flags.fixAll || finding.fix?.effect === "equal"))
      : { text: given, fixed: [], report: lint(profile) };
    if (made.text !== given) writeFileWhole(word, made.text);
    const { assumed } = made.report;
    tellAssumed(io, name, flags, [
      ...assumed === undefined ? [] : [assumedWords(assumed, own)],
      `context ${context}`,
    ]);
    return {
      source: name,
      given: { word, flags: own },
      context,
      ...selected(made.report, flags, known),
      fixed: made.fixed,
      open: made.report.open,
      canFix: isFile,
      ...isFile ? { text: made.text } : {},
    };
  });
}

/** Reports whether a source is a regular file that contains JSON. */
function isFixable(word: string, { profile }: ProfileSource): boolean {
  if (word === "-" || /^(?:default|pid|bundle):/.test(word)) return false;
  if (profile.kind === "config") return false;
  try {
    return decodeUtf8(readInputFile(word)) === profile.document.text &&
      /^\s*\{/.test(profile.document.text);
  } catch {
    // A part of a YAML file, or a pipe.
    return false;
  }
}

function lintFilterSource(
  io: Io,
  flags: LintFlags,
  word: string,
  source: BareFilters,
  known: ReadonlyMap<string, number>,
): LintOutcome {
  if (flags.fix || flags.fixAll) {
    throw new UsageError(
      `Cannot fix ${word}: it is a filter; use optimize for the best equal one`,
    );
  }
  requireAccepted(source);
  const machine = machineOf(source.name, source, flags.arch);
  const context = flags.context ?? "sandbox";
  tellAssumed(io, source.name, flags, [
    assumptionWords(machine, { native: true }),
    `context ${context}`,
  ]);
  const { programs, places } = source;
  const stack = { programs, littleEndian: machine.littleEndian };
  const report = lintFilters(stack, machine, {
    context,
    limits: limitsOf(flags),
    disabled: new Set(flags.disable),
    tests: flags.level === "note",
  });
  // An instruction of assembly text has a line.
  const findings = report.findings.map((finding) => {
    const at = places?.[finding.filter ?? 0]?.[finding.instruction ?? -1];
    return at === undefined ? finding : { ...finding, ...at };
  });
  return {
    source: source.name,
    given: { word, flags },
    context,
    ...selected({ ...report, findings }, flags, known),
    fixed: [],
    open: report.open,
    canFix: false,
    filters: programs.length,
  };
}
