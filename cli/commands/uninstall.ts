/**
 * `uninstall`: undoes an installation and restores every changed file.
 *
 * @module
 */

import {
  BOOLEAN,
  DRY_RUN_FLAG,
  PLACE_FLAGS,
  type PlaceFlags,
  placeOf,
  reportInstallErrors,
  TARGET_ARGUMENT,
} from "../input/manager.ts";
import { type CommandDefinition, defineCommand, NAME } from "../command.ts";
import { readManifest } from "../../install/changes/installed.ts";
import { uninstall } from "../../install/uninstall.ts";
import { type ManagerName, targetsOf } from "../../install/changes/manifest.ts";
import { EXIT, messageLine } from "../exit.ts";
import type { Io } from "../io.ts";
import { formatChanges, summary } from "../output/changes.ts";

/** Flags of `uninstall`. */
export interface UninstallFlags extends PlaceFlags {
  readonly dryRun: boolean;
  readonly force: boolean;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  UninstallFlags,
  [...targets: ManagerName[]]
>({
  usage: "[OPTION...] [podman|docker|containerd|crio...]",
  examples: ["uninstall podman --dry-run", "uninstall docker"],
  parameters: {
    flags: {
      ...DRY_RUN_FLAG,
      ...PLACE_FLAGS,
      force: {
        ...BOOLEAN,
        brief: "Leave a stub for containers that depend on a wrapper",
      },
    },
    positional: { kind: "array", parameter: TARGET_ARGUMENT },
  },
  run: (io, flags, ...targets) => runUninstall(io, flags, targets),
});

/** Undoes installations: those of the given targets, or all of them. */
export async function runUninstall(
  io: Io,
  flags: UninstallFlags,
  named: readonly ManagerName[],
): Promise<number> {
  return await reportInstallErrors(io, async () => {
    const place = placeOf(flags, named);
    const { dryRun, force } = flags;
    const installed = targetsOf(await readManifest(place));
    const targets = named.length === 0 ? installed : named;
    const { changes } = await uninstall(targets, place, {
      dryRun,
      force,
    });
    io.out(
      dryRun
        ? formatChanges(changes)
        : summary(changes, "Nothing to do: nothing is installed\n"),
    );
    const gone = targets.filter((t) => installed.includes(t));
    for (const step of gone.flatMap((target) => STEPS[target])) {
      io.err(messageLine(io, "note", step));
    }
    if (dryRun) return EXIT.ok;
    const left = targetsOf(await readManifest(place));
    for (const target of targets.filter((name) => left.includes(name))) {
      const text =
        `A stub of the wrapper for ${target} remains: run "${NAME} uninstall ${target}" when its containers are gone`;
      io.err(messageLine(io, "note", text));
    }
    if (left.length > 0 && gone.length > 0) {
      const text = `The filters in "${place.layout.store}" remain: ${
        left.join(", ")
      } may use them`;
      io.err(messageLine(io, "note", text));
    }
    return EXIT.ok;
  });
}

const STEPS: Readonly<Record<ManagerName, readonly string[]>> = {
  podman: [],
  docker: [
    'Make dockerd read its settings: "systemctl reload docker"; containers made with the runtime seccomp-tree have to be made again',
  ],
  containerd: [
    'Make containerd read its settings: "systemctl restart containerd"',
  ],
  crio: ['Make CRI-O read its settings: "systemctl reload crio"'],
};
