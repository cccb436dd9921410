/**
 * Process ids as users write them.
 *
 * @module
 */

import { MachineError, UsageError } from "../../error.ts";

/** Largest process id of a kernel: PID_MAX_LIMIT of include/linux/threads.h. */
const MAX_PID = 2 ** 22;

/**
 * Reads a process id.
 *
 * @param text The number, with or without `pid:`.
 * @throws {UsageError} if the text is not a number.
 * @throws {MachineError} if no process can have it.
 */
export function parsePid(text: string): number {
  const digits = text.replace(/^pid:/, "");
  if (!/^-?[0-9]+$/.test(digits)) {
    throw new UsageError(
      `Cannot read source "${text}": not a process; write pid: and a number`,
    );
  }
  const pid = Number(digits);
  if (pid < 1 || pid > MAX_PID) {
    throw new MachineError(
      `Cannot read filters of ${digits}: no process has this ID; IDs range from 1 to ${MAX_PID}`,
    );
  }
  return pid;
}
