/**
 * Writes the result of a command, completely or not at all.
 *
 * @module
 */

import { dirname } from "@std/path";
import { writeWhole } from "../../host/files.ts";
import { reasonOf } from "../../host/reason.ts";
import { quoteText } from "../../tables/printable.ts";
import { MachineError, UsageError } from "../error.ts";
import type { Io } from "../io.ts";

/**
 * Writes an artifact to a file, or to standard output; binary never goes to a
 * terminal.
 *
 * @param io Streams.
 * @param out The file; standard output if absent or `-`.
 * @param data Content.
 */
export function writeArtefact(
  io: Io,
  out: string | undefined,
  data: string | Uint8Array,
): void {
  if (out !== undefined && out !== "-") {
    writeFileWhole(out, data);
    return;
  }
  if (typeof data !== "string" && io.outIsTerminal) {
    throw new UsageError(
      "Cannot write binary to a terminal; pass -O FILE, or another -f",
    );
  }
  io.out(data);
}

/**
 * Refuses to write both a report and an artifact to standard output.
 *
 * @param flags Destinations of both.
 * @throws {UsageError} if they would mix.
 */
export function refuseTwoOutputs(
  { out, output }: { readonly out?: string; readonly output: "text" | "json" },
): void {
  if (out !== "-" || output !== "json") return;
  throw new UsageError(
    "Cannot write the filter and the report to standard output; omit -O -: the report contains the filter",
  );
}

/**
 * Refuses a file that cannot be written, before the work for it begins.
 *
 * @param out The file to write, if any.
 * @param source The source word, which must not be overwritten.
 * @throws {UsageError} if the path is unsuitable.
 */
export function checkOut(out: string | undefined, source = "-"): void {
  if (out === undefined || out === "-") return;
  const shown = quoteText(out);
  if (source !== "-") {
    if (out === source || identity(out) === (identity(source) ?? "")) {
      throw new UsageError(
        `Cannot write ${shown}: it is the source file; give another one`,
      );
    }
  }
  writing(out, () => targetOf(out));
}

function identity(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/**
 * Writes a file completely or not at all. The mode and owner of an existing
 * file are kept; if the path is a link, its target is replaced.
 *
 * @param path Its path.
 * @param data Content.
 * @throws {UsageError} if the path is a directory, a device or a pipe, or if
 * its folder does not exist.
 * @throws {MachineError} if it cannot be written; an old file is left
 * unchanged.
 */
export function writeFileWhole(path: string, data: string | Uint8Array): void {
  writing(path, () => writeWhole(targetOf(path), data));
}

/** Reports the file that could not be written. */
function writing(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new MachineError(
      `Cannot write ${quoteText(path)}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

/** Finds the target of a path. */
function targetOf(path: string): string {
  const refuse = (seen: string, fix: string): UsageError =>
    new UsageError(`Cannot write ${quoteText(path)}: ${seen}; ${fix}`);
  const info = statOf(path);
  if (info === undefined) {
    if (isLink(path)) {
      throw refuse("a link to a file that does not exist", "give another file");
    }
    const folder = dirname(path);
    if (statOf(folder)?.isDirectory === true) return path;
    throw refuse(
      `there is no folder ${quoteText(folder)}`,
      "create it, or give another path",
    );
  }
  if (!info.isFile) {
    throw refuse(
      info.isDirectory ? "a directory" : "not a regular file",
      "give a file, or omit -O and redirect standard output",
    );
  }
  return Deno.realPathSync(path);
}

/** Reads the state of a path; `undefined` if it does not exist. */
function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return undefined;
    throw error;
  }
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}
