/**
 * Names of readings: a runtime and its version in one word, such as `crun` or
 * `runc@1.1.5`.
 *
 * @module
 */

/**
 * A runtime whose reading of profiles is known.
 *
 * @category Targets
 */
export type RuntimeName = "crun" | "runc";

/**
 * Name of a reading: a runtime, with its version after the `@`. A name without
 * a version stands for the newest known one.
 *
 * @category Targets
 */
export type Semantics = "crun" | "runc" | `crun@${string}` | `runc@${string}`;

/** All runtimes whose reading is known. */
export const RUNTIME_NAMES: readonly RuntimeName[] = ["crun", "runc"];

/** The numbers of a version. */
type Numbers = readonly [
  major: number,
  minor: number,
  patch: number,
  candidate: number,
];

/** An omitted part sorts after every written one. */
const LAST = Infinity;

const VERSION =
  /^([0-9]{1,5})\.([0-9]{1,5})(?:\.([0-9]{1,5})(?![0-9])(?:[-~.]?rc\.?([0-9]{1,5}))?|(?!\.?[0-9]))/;

/**
 * Reads the name of a reading.
 *
 * @example A release, and its name in a distribution
 * ```ts
 * import { parseSemantics } from "./versions.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSemantics("crun"), "crun");
 * assertEquals(parseSemantics("runc@1.1.5+ds1"), "runc@1.1.5");
 * assertEquals(parseSemantics("runc@new"), undefined);
 * ```
 *
 * @param text A name such as `crun`, `runc@1.1` or `runc@1.0.0-rc93`.
 * @returns The name with its version in one spelling, or `undefined` if the
 * text is not such a name.
 */
export function parseSemantics(text: string): Semantics | undefined {
  const [name, version, ...rest] = text.split("@");
  const runtime = RUNTIME_NAMES.find((known) => known === name);
  if (runtime === undefined || rest.length > 0) return undefined;
  if (version === undefined) return runtime;
  const plain = plainVersion(version);
  return plain === undefined ? undefined : `${runtime}@${plain}`;
}

/**
 * Splits a name.
 *
 * @param semantics The name.
 * @returns The runtime, and the version if the name has one.
 */
export function splitSemantics(
  semantics: Semantics,
): { readonly runtime: RuntimeName; readonly version: string | undefined } {
  const [name, version] = semantics.split("@");
  return { runtime: name === "runc" ? "runc" : "crun", version };
}

/**
 * Normalizes a version.
 *
 * @param text A version as a runtime prints it, such as `1.0.0~rc93+ds1`.
 * @returns A version such as `1.0.0-rc93`, or `undefined` if the text does not
 * begin with a version.
 */
export function plainVersion(text: string): string | undefined {
  const numbers = numbersOf(text);
  if (numbers === undefined) return undefined;
  const [major, minor, patch, candidate] = numbers;
  return [
    `${major}.${minor}`,
    patch === LAST ? "" : `.${patch}`,
    candidate === LAST ? "" : `-rc${candidate}`,
  ].join("");
}

/**
 * Compares two versions. A version without a patch number is the last one of
 * its series: `1.1` comes after `1.1.15`.
 *
 * @param a A version.
 * @param b Another version.
 * @returns A number below 0 if `a` is older, 0 if they are equal.
 * @throws {RangeError} if one of them is malformed.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  if (left === undefined || right === undefined) {
    throw new RangeError(
      `Cannot compare versions: ${
        JSON.stringify(left === undefined ? a : b)
      } is not one: write numbers, such as 1.8.1`,
    );
  }
  for (const [i, part] of left.entries()) {
    const other = right[i] ?? LAST;
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}

function numbersOf(text: string): Numbers | undefined {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, candidate] = match;
  const part = (digits: string | undefined): number =>
    digits === undefined ? LAST : Number(digits);
  return [part(major), part(minor), part(patch), part(candidate)];
}
