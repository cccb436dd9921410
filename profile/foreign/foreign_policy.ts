/**
 * Parts that the readers of other tools' policies share: a policy in numbers,
 * and problems with their places.
 *
 * These policies are no profiles: they have no conditions on containers and no
 * runtime that reads them. Each belongs to one program, whose rules its reader
 * follows.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import { archByName, type ArchName } from "../../tables/arch.ts";
import { didYouMean } from "../../tables/suggest.ts";
import { type Diagnostic, ProfileError } from "../diagnostic.ts";
import type { LinuxSeccomp } from "../formats/oci.ts";
import type { Policy } from "../policy.ts";
import type { KnownCalls } from "../semantics/names.ts";
import { resolve } from "../semantics/resolve.ts";
import { diagnosticAt, lineStartsOf, quote } from "../text.ts";

/** The meaning of another tool's policy. */
export interface ForeignPolicy {
  /** The meaning. */
  readonly policy: Policy;
  /** Architectures that the tool filters, the native one first. */
  readonly arches: readonly Arch[];
  /** Warnings and notes. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The machine for which a policy is read. */
export interface ForeignMachine {
  /** Its architecture. */
  readonly native: Arch;
  /**
   * Test for calls that libseccomp knows, for tools that use it; all of our
   * tables by default.
   */
  readonly knows?: KnownCalls;
}

/** Collects the problems of one text. */
export class ForeignReport {
  readonly #lineStarts: readonly number[];
  readonly #diagnostics: Diagnostic[] = [];

  /** @param text The text, to which offsets refer. */
  constructor(text: string) {
    this.#lineStarts = lineStartsOf(text);
  }

  /**
   * Adds a problem.
   *
   * @param severity How bad it is.
   * @param offset Offset in the text.
   * @param message The problem, without a final period.
   * @param fix The remedy, without a final period.
   */
  add(
    severity: Diagnostic["severity"],
    offset: number,
    message: string,
    fix?: string,
  ): void {
    this.#diagnostics.push({
      severity,
      code: "foreign-policy",
      path: "",
      message,
      ...(fix === undefined ? {} : { fix }),
      ...diagnosticAt(this.#lineStarts, offset),
    });
  }

  /**
   * Adds a name that no architecture has.
   *
   * @param offset Offset in the text.
   * @param name The name.
   * @param arches The architectures.
   */
  unknownCall(offset: number, name: string, arches: readonly Arch[]): void {
    const near = didYouMean(
      name,
      arches.flatMap(({ syscalls }) => [...syscalls.keys()]),
    );
    this.add(
      "error",
      offset,
      `Unknown system call ${quote(name)} on ${
        arches.map((arch) => arch.name).join(", ")
      }`,
      near === undefined ? "remove it" : `did you mean ${quote(near)}`,
    );
  }

  /**
   * Returns the problems.
   *
   * @throws {ProfileError} if one is an error.
   */
  settle(): readonly Diagnostic[] {
    if (this.#diagnostics.some(({ severity }) => severity === "error")) {
      throw new ProfileError(this.#diagnostics);
    }
    return this.#diagnostics;
  }
}

/** Architectures that a kernel runs beside its own, by the native one. */
const COMPANIONS: Readonly<Partial<Record<ArchName, readonly ArchName[]>>> = {
  "x86_64": ["x86", "x32"],
  "aarch64": ["arm"],
  "s390x": ["s390"],
  "ppc64": ["ppc"],
  "mips64": ["mips", "mips64n32"],
  "mips64el": ["mipsel", "mipsel64n32"],
};

/**
 * Lists the architectures whose calls a machine serves, as systemd and LXC
 * assume.
 *
 * @param native The architecture of the machine.
 * @returns The architectures, the native one first.
 */
export function localArches(native: Arch): readonly Arch[] {
  const others = COMPANIONS[native.name] ?? [];
  return [native, ...others.flatMap((name) => archByName(name) ?? [])];
}

/**
 * Makes the policy of rules that a tool hands to libseccomp. Names without a
 * number have no effect, as in the library.
 *
 * @throws {ProfileError} if the library would refuse the rules.
 *
 * @param section The rules.
 * @param arches The architectures of the library's filter.
 * @param knows Test for calls that the library knows.
 */
export function libseccompPolicy(
  section: LinuxSeccomp,
  arches: readonly Arch[],
  knows?: KnownCalls,
): Policy {
  const target = { arches, semantics: "crun", unknown: "ignore" } as const;
  return resolve(section, { ...target, ...knows && { knows } }).policy;
}

/** Architectures that together have nearly all names that libseccomp knows. */
const NAMED_ON: readonly ArchName[] = [
  ...["x86_64", "x86", "aarch64", "arm", "riscv64"] as const,
  ...["s390x", "s390", "ppc", "mips"] as const,
];

/**
 * Lists the names that libseccomp resolves on any machine, each once.
 */
export function resolvableNames(): ReadonlySet<string> {
  names ??= new Set(
    NAMED_ON.flatMap((name) => [...archByName(name)?.syscalls.keys() ?? []]),
  );
  return names;
}

let names: ReadonlySet<string> | undefined;
