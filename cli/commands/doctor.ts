/**
 * `doctor`: prints findings, each with its remedy.
 *
 * @module
 */

import {
  placeOf,
  reportInstallErrors,
  STATUS_FLAGS,
  type StatusFlags,
} from "../input/manager.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { reportJson } from "../output/json.ts";
import { type Advice, diagnose } from "../../install/doctor.ts";
import { gatherStatus } from "../../install/status.ts";
import { EXIT, messageLine } from "../exit.ts";
import type { Io } from "../io.ts";

/** The command. */
export const command: CommandDefinition = defineCommand<
  StatusFlags,
  []
>({
  usage: "[OPTION...]",
  examples: ["doctor", "doctor -o json"],
  parameters: { flags: STATUS_FLAGS, aliases: { o: "output" } },
  run: runDoctor,
});

/** Prints findings; the exit code is 1 if any of them is an error. */
export async function runDoctor(io: Io, flags: StatusFlags): Promise<number> {
  return await reportInstallErrors(io, async () => {
    const status = await gatherStatus(
      placeOf(flags, []),
      flags.state === undefined ? {} : { states: flags.state },
    );
    const findings = diagnose(status);
    io.out(
      flags.output === "json"
        ? reportJson({ findings })
        : formatFindings(io, findings),
    );
    return findings.some((f) => f.severity === "error") ? EXIT.no : EXIT.ok;
  });
}

function formatFindings(io: Io, findings: readonly Advice[]): string {
  if (findings.length === 0) return "Nothing found\n";
  return findings.map(({ severity, code, message, remedy }) =>
    messageLine(io, severity, `${message}: ${remedy} [${code}]`)
  ).join("");
}
