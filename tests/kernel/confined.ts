/**
 * A process under filters, for the tests in this folder: takes one JSON
 * argument.
 *
 * @module
 */

import { execWithFilter } from "../../ffi/exec.ts";
import { loadFilter } from "../../ffi/load.ts";

/** Command that the process becomes. */
export interface Confined {
  /** Programs in base64, oldest first; the last one is loaded right before the command. */
  readonly filters: readonly string[];
  readonly flags?:
    | readonly ["SECCOMP_FILTER_FLAG_TSYNC"]
    | readonly [
      "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    ];
  readonly command: string;
  readonly args: readonly string[];
}

if (import.meta.main) {
  // The argument comes from `spawnConfined` in this folder.
  const confined = JSON.parse(Deno.args[0] ?? "") as Confined;
  const filters = confined.filters.map((text) => Uint8Array.fromBase64(text));
  const last = filters.pop() ?? new Uint8Array();
  for (const filter of filters) loadFilter(filter);
  execWithFilter(last, confined);
}

/**
 * Starts such a process.
 *
 * @param confined The command and its filters.
 * @param options How its standard streams are connected.
 * @returns The command, to be spawned or awaited.
 */
export function confinedCommand(
  confined: Confined,
  options: Deno.CommandOptions = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-lock",
      import.meta.filename ?? "",
      JSON.stringify(confined),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
  });
}

/**
 * Reads a field of /proc/TID/status.
 *
 * @param tid The thread.
 * @param name Name of the field.
 * @returns Its text without blanks around it.
 */
export function statusField(tid: number, name: string): string {
  const text = Deno.readTextFileSync(`/proc/${tid}/status`);
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
}
