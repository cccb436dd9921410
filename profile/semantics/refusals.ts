/**
 * Finds the constructs that keep one version of a runtime from starting a
 * container, before the start.
 *
 * @module
 */

import { returnValue } from "./action.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { takesData } from "../formats/oci_fields.ts";
import type { LinuxSeccomp, ScmpAction } from "../formats/oci.ts";
import type { Refusal, RuntimeReading } from "./quirks.ts";

/** One refused construct. */
interface Refused {
  /** Lists the paths of its occurrences. */
  readonly find: (seccomp: LinuxSeccomp) => readonly string[];
  /** Description, as the object of "refuses". */
  readonly what: string;
  /** Remedy. */
  readonly fix: string;
}

const KILLS: readonly ScmpAction[] = [
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
];

const WAIT_KILLABLE = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";

const REFUSED: Readonly<Record<Refusal, Refused>> = {
  "refuses-empty-name": {
    find: (seccomp) =>
      seccomp.syscalls.flatMap(({ names, path }) =>
        names.flatMap((name, i) => name === "" ? [`${path}.names[${i}]`] : [])
      ),
    what: "an empty name",
    fix: "remove it",
  },
  "refuses-idle-errno": {
    find: idleErrnos,
    what: "an errno for an action without data",
    fix: "remove it, or use SCMP_ACT_ERRNO",
  },
  "refuses-redundant-rule": {
    find: (seccomp) => {
      const { defaultAction, defaultErrnoRet } = seccomp;
      const defaultValue = returnValue(defaultAction, defaultErrnoRet);
      return seccomp.syscalls.flatMap(({ names, action, errnoRet, path }) =>
        names.length > 0 && returnValue(action, errnoRet) === defaultValue
          ? [path]
          : []
      );
    },
    what: "a rule with the default action",
    fix: "remove it",
  },
  "refuses-notify": {
    find: (seccomp) => placesOf(seccomp, ["SCMP_ACT_NOTIFY"]),
    what: "SCMP_ACT_NOTIFY",
    fix: "use another action, or a newer version",
  },
  "refuses-notify-on-write": {
    find: (seccomp) => [
      ...(seccomp.defaultAction === "SCMP_ACT_NOTIFY" ? ["defaultAction"] : []),
      ...seccomp.syscalls.flatMap(({ names, action, path }) =>
        action === "SCMP_ACT_NOTIFY" && names.includes("write") ? [path] : []
      ),
    ],
    what: 'SCMP_ACT_NOTIFY by default and on "write"',
    fix: "name other calls",
  },
  "refuses-kill-process": {
    find: (seccomp) => placesOf(seccomp, KILLS),
    what: "SCMP_ACT_KILL_PROCESS and SCMP_ACT_KILL_THREAD",
    fix: "use SCMP_ACT_KILL, or a newer version",
  },
  "refuses-flags": {
    find: ({ flags = [] }) => flags.length > 0 ? ["flags"] : [],
    what: "flags",
    fix: "remove them, or use a newer version",
  },
  "refuses-wait-killable": {
    find: ({ flags = [] }) =>
      flags.flatMap((flag, i) => flag === WAIT_KILLABLE ? [`flags[${i}]`] : []),
    what: WAIT_KILLABLE,
    fix: "remove it, or use a newer version",
  },
};

/**
 * Finds constructs that a runtime refuses, and constructs that it accepts
 * although others refuse them.
 *
 * @param seccomp The section as the runtime reads it.
 * @param reading The runtime and its version.
 * @returns Errors `runtime-refuses` for the former, warnings for the latter.
 */
export function checkRefusals(
  seccomp: LinuxSeccomp,
  { runtime, version, quirks }: RuntimeReading,
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const name of Object.keys(REFUSED) as Refusal[]) { // its own keys
    if (!quirks.has(name)) continue;
    const { find, what, fix } = REFUSED[name];
    for (const path of find(seccomp)) {
      diagnostics.push({
        severity: "error",
        code: "runtime-refuses",
        path,
        message:
          `Cannot start a container: ${runtime} ${version} refuses ${what}`,
        fix,
      });
    }
  }
  if (!quirks.has("refuses-idle-errno")) {
    for (const path of idleErrnos(seccomp)) {
      diagnostics.push({
        severity: "warning",
        code: "idle-errno",
        path,
        message:
          `An errno for an action without data: ${runtime} ${version} ignores it, crun since 0.19 refuses it`,
        fix: "remove it, or use SCMP_ACT_ERRNO",
      });
    }
  }
  return diagnostics;
}

/** Paths of errno values for actions without data. */
function idleErrnos(seccomp: LinuxSeccomp): readonly string[] {
  const { defaultAction, defaultErrnoRet, syscalls } = seccomp;
  return [
    ...(defaultErrnoRet === undefined || takesData(defaultAction)
      ? []
      : ["defaultErrnoRet"]),
    ...syscalls.flatMap(({ action, errnoRet, path }) =>
      errnoRet === undefined || takesData(action) ? [] : [`${path}.errnoRet`]
    ),
  ];
}

/** Paths of actions. */
function placesOf(
  seccomp: LinuxSeccomp,
  actions: readonly ScmpAction[],
): readonly string[] {
  return [
    ...(actions.includes(seccomp.defaultAction) ? ["defaultAction"] : []),
    ...seccomp.syscalls.flatMap(({ action, path }) =>
      actions.includes(action) ? [`${path}.action`] : []
    ),
  ];
}
