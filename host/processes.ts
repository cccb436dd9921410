/**
 * Processes of this machine, as /proc shows them.
 *
 * @module
 */

import { foldersIn } from "./state_folders.ts";

/** A process. */
export interface Process {
  readonly pid: number;
  /** Its command line. */
  readonly words: readonly string[];
}

/**
 * Lists the processes of a program.
 *
 * @param isMeant Predicate on the name of the program, without its folder.
 */
export async function findProcesses(
  isMeant: (name: string) => boolean,
): Promise<readonly Process[]> {
  const found: Process[] = [];
  for (const name of await foldersIn("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    const words = await commandLine(pid);
    if (isMeant(programOf(words))) found.push({ pid, words });
  }
  return found;
}

/**
 * Finds the parent of a process if it is a given program.
 *
 * @param pid The process.
 * @param program Name of the program.
 * @returns The parent's command line; `undefined` if it is another program.
 */
export async function parentCommand(
  pid: number,
  program: string,
): Promise<readonly string[] | undefined> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? 0);
    const words = await commandLine(parent);
    return programOf(words) === program ? words : undefined;
  } catch {
    return undefined;
  }
}

async function commandLine(pid: number): Promise<readonly string[]> {
  try {
    return (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
  } catch {
    // The process has just ended, or is not visible to this user.
    return [];
  }
}

function programOf([first = ""]: readonly string[]): string {
  return first.slice(first.lastIndexOf("/") + 1);
}
