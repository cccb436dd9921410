/**
 * The two sides of a comparison: sources in the form of the prover.
 *
 * @module
 */

import { type Arch, ARCHES } from "../../tables/arch.ts";
import { orderOf, type Subject } from "../../verify/core/subject.ts";
import { ReportedError, UsageError } from "../error.ts";
import { EXIT, forEachInput } from "../exit.ts";
import type { Io } from "../io.ts";
import type { GivenSource } from "../output/reproduce.ts";
import {
  requireAccepted,
  resolveSource,
  tellAssumed,
} from "./resolve_source.ts";
import type { SourceFlags } from "./flags.ts";
import { assumptionWords, machineOf } from "./machine.ts";
import { withOwnSemantics } from "./semantics.ts";
import { loadSource, refuseTwoStdins } from "./source.ts";
import { assumedWords, nativeArch } from "./target.ts";

/** A source in the form of the prover. */
export interface NamedSubject extends GivenSource {
  /** Its name, if that is not the source word. */
  readonly title?: string;
  readonly subject: Subject;
  /** The architecture of its machine. */
  readonly native: Arch;
  /**
   * Assumption about the byte order; empty or absent if there is no assumption.
   */
  readonly assumed?: string;
}

/** Two sides of a comparison. */
export type Sides = readonly [NamedSubject, NamedSubject];

/**
 * Loads two sources for a comparison.
 *
 * @param io Stream for warnings.
 * @param flags Options of profiles.
 * @param words The source words.
 */
export async function loadSubjects(
  io: Io,
  flags: SourceFlags,
  words: readonly [string, string],
): Promise<Sides> {
  refuseTwoStdins(...words);
  const [first, second] = words;
  const loaded: NamedSubject[] = [];
  const load = async (word: string): Promise<void> => {
    const other = word === first ? second : first;
    loaded.push(await loadSubject(io, flags, word, other));
  };
  const { code } = await forEachInput(io, [...new Set(words)], load);
  const [a, b = a] = loaded;
  if (code !== EXIT.ok || a === undefined || b === undefined) {
    throw new ReportedError("sources", { code });
  }
  return comparable(io, [a, b]);
}

/**
 * Loads the annotation of a bundle and its section. Names are those of the
 * host's libseccomp unless others are requested, as with `rewrite`.
 *
 * @param io Stream for warnings.
 * @param flags Options of profiles.
 * @param word The source word, `bundle:DIR`.
 */
export async function loadBundleSubjects(
  io: Io,
  flags: SourceFlags,
  word: string,
): Promise<Sides> {
  if (!word.startsWith("bundle:")) {
    throw new UsageError(
      "Missing argument: B; give a second source, or only bundle:DIR to compare its annotation with its section",
    );
  }
  const made = flags.names === undefined ? await asHook(flags) : flags;
  const a = await loadSubject(io, { ...made, from: "annotation" }, word);
  const b = await loadSubject(io, { ...made, from: "config" }, word);
  return comparable(io, [
    { ...a, title: `${word} (annotation)` },
    { ...b, title: `${word} (linux.seccomp)` },
  ]);
}

/** The options with which `rewrite` reads a section. */
async function asHook(flags: SourceFlags): Promise<SourceFlags> {
  const { openLibseccomp } = await import("../../ffi/libseccomp.ts");
  const names = openLibseccomp() === undefined ? "builtin" : "host";
  const unknown = flags.unknown === "ignore" ? "ignore" : "warn";
  return { ...flags, names, unknown };
}

/**
 * Refuses sides of different byte order, and prints the assumptions about both.
 */
function comparable(io: Io, sides: Sides): Sides {
  const [a, b] = sides;
  const [first, second] = [orderOf(a.subject), orderOf(b.subject)];
  if (first !== undefined && second !== undefined && first !== second) {
    throw new UsageError(
      `Cannot compare ${titleOf(a)} with ${
        titleOf(b)
      }: they are for machines of different byte order`,
    );
  }
  if (first === undefined && second === undefined) {
    for (const { word, flags, assumed = "" } of sides) {
      tellAssumed(io, word, flags, [assumed]);
    }
  }
  return sides;
}

/** Name of a side in text. */
export function titleOf(
  { word, title }: Pick<NamedSubject, "word" | "title">,
): string {
  return title ?? (word === "-" ? "standard input" : word);
}

/**
 * The architectures for a witness: first those of the machines, then any other.
 *
 * @param sides The sides.
 */
export function wantedArches(
  sides: readonly Pick<NamedSubject, "native">[],
): readonly number[] {
  const natives = sides.map(({ native }) => native);
  return [...natives, ...ARCHES].map(({ auditArch }) => auditArch);
}

/**
 * Loads one source: a profile is represented by its meaning, it is not
 * compiled.
 *
 * @param io Stream for warnings.
 * @param flags Options of profiles.
 * @param word The source word.
 * @param other The source to which it is compared.
 */
export async function loadSubject(
  io: Io,
  flags: SourceFlags,
  word: string,
  other?: string,
): Promise<NamedSubject> {
  const source = await loadSource(io, word, flags);
  if (source.kind === "profile") {
    const own = await withOwnSemantics(io, flags, [word, other]);
    const resolved = await resolveSource(io, source, own);
    const { policy, arches: [native = nativeArch()], assumed } = resolved;
    tellAssumed(io, source.name, own, [assumedWords(assumed, own)]);
    return { word, flags: own, native, subject: policy };
  }
  requireAccepted(source);
  const { programs, order } = source;
  const machine = machineOf(source.name, source, flags.arch);
  const { native, littleEndian } = machine;
  const isAssumed = order === "assumed" && flags.arch === undefined;
  return {
    word,
    flags,
    native,
    subject: { programs, ...(isAssumed ? {} : { littleEndian }) },
    assumed: assumptionWords(machine, { native: false }),
  };
}
