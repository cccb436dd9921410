/**
 * Writing what a command made: whole or not at all.
 *
 * @module
 */

import { writeWhole } from "../../host/files.ts";
import { reasonOf } from "../../host/reason.ts";
import { MachineError, UsageError } from "../error.ts";
import type { Io } from "../io.ts";

/**
 * Writes an artefact to a file, or to standard output; binary never goes to a
 * terminal.
 *
 * @param io Where standard output is.
 * @param out The file; standard output where absent or `-`.
 * @param data What is written.
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
      "Cannot write binary to a terminal: pass -O FILE, or another -f",
    );
  }
  io.out(data);
}

/**
 * Refuses to replace a source by what is made of it.
 *
 * @param out The file to write, if any.
 * @param word The source word.
 */
export function refuseOverwrite(out: string | undefined, word: string): void {
  if (out === undefined || out === "-" || word === "-") return;
  if (out === word || identity(out) === (identity(word) ?? "")) {
    throw new UsageError(
      `Cannot write to ${
        JSON.stringify(out)
      }: it is the source: give another file`,
    );
  }
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
 * Writes a file so that it is there whole or not at all. Mode and owner of an old
 * file stay; if the path is a link, the file that it leads to is replaced.
 *
 * @param path Its path.
 * @param data What it will hold.
 * @throws {UsageError} when the path is a directory, a device or a pipe.
 * @throws {MachineError} when it cannot be written; an old file is left as it was.
 */
export function writeFileWhole(path: string, data: string | Uint8Array): void {
  try {
    writeWhole(targetOf(path), data);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new MachineError(
      `Cannot write ${JSON.stringify(path)}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

/** The file that a path leads to. */
function targetOf(path: string): string {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (isLink(path)) throw new Error("a link to a file that does not exist");
    return path;
  }
  if (!info.isFile) {
    throw new UsageError(
      `Cannot write ${JSON.stringify(path)}: ${
        info.isDirectory ? "a directory" : "not a regular file"
      }: give a file, or leave -O out and redirect standard output`,
    );
  }
  return Deno.realPathSync(path);
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}
