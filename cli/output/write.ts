/**
 * Writing what a command made: whole or not at all.
 *
 * @module
 */

import { dirname, join } from "@std/path";
import { MachineError, reasonOf, UsageError } from "../error.ts";
import type { Io } from "../io.ts";

/** Mode of a new file, before the umask. */
const NEW_MODE = 0o666;

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
 * Writes a file so that it is there whole or not at all: a temporary file
 * beside it, then a rename. Mode and owner of an old file stay; where the path
 * is a link, the file behind it is replaced.
 *
 * @param path Its path.
 * @param data What it will hold.
 * @throws {UsageError} when the path is a directory, a device or a pipe.
 * @throws {MachineError} when it cannot be written; an old file is left as it was.
 */
export function writeFileWhole(path: string, data: string | Uint8Array): void {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  let temporary: string | undefined;
  try {
    const old = statOld(path);
    const target = old === undefined ? path : Deno.realPathSync(path);
    const name = join(
      dirname(target),
      `.seccomp-tree.${crypto.randomUUID()}.tmp`,
    );
    {
      using file = Deno.openSync(name, {
        write: true,
        createNew: true,
        mode: old?.mode ?? NEW_MODE,
      });
      temporary = name;
      for (let rest = bytes; rest.length > 0;) {
        rest = rest.subarray(file.writeSync(rest));
      }
      file.syncDataSync();
    }
    if (old !== undefined) takeOver(name, old);
    Deno.renameSync(name, target);
    temporary = undefined;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new MachineError(
      `Cannot write ${JSON.stringify(path)}: ${reasonOf(error)}`,
      { cause: error },
    );
  } finally {
    if (temporary !== undefined) remove(temporary);
  }
}

/** What a new file takes from the one that it replaces. */
interface Old {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

function statOld(path: string): Old | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (isLink(path)) throw new Error("a link to a file that does not exist");
    return undefined;
  }
  if (!info.isFile) {
    throw new UsageError(
      `Cannot write ${JSON.stringify(path)}: ${
        info.isDirectory ? "a directory" : "not a regular file"
      }: give a file, or leave -O out and redirect standard output`,
    );
  }
  return {
    mode: (info.mode ?? NEW_MODE) & 0o777,
    uid: info.uid ?? 0,
    gid: info.gid ?? 0,
  };
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}

function takeOver(path: string, old: Old): void {
  const { uid, gid } = Deno.statSync(path);
  if (uid !== old.uid || gid !== old.gid) {
    Deno.chownSync(path, old.uid, old.gid);
  }
  // The umask has taken its bits off, and chown may have.
  Deno.chmodSync(path, old.mode);
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It was never there.
  }
}
