/**
 * Writes a drop-in for a systemd unit. Its filters have names, errors and
 * architectures, and compare no arguments; a name has one answer on all
 * architectures.
 *
 * @module
 */

import {
  readSystemd,
  SYSTEMD_ARCHES,
} from "../../../profile/foreign/systemd.ts";
import type { ReturnValue } from "../../../profile/policy.ts";
import type { Arch } from "../../../tables/arch.ts";
import { errnoName } from "../../../tables/errno.ts";
import { systemdSet } from "../../../tables/systemd_sets.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_USER_NOTIF,
} from "../../../tables/uapi.ts";
import { strictest } from "../../../verify/pointwise.ts";
import { permissionOf, type SourceView } from "../source_view.ts";
import type { WrittenPolicy } from "./written.ts";

const ENOSYS = 38;
const MOST_ERRNO = 4094;
/** Characters of a line, beyond which the list continues on another. */
const WIDTH = 76;

/** A call that an architecture does not have. */
const FOREIGN_CALLS: ReadonlyMap<string, string> = new Map([
  ["s390x", "riscv_flush_icache"],
  ["s390", "riscv_flush_icache"],
]);

/** Answers by name, and that of all others. */
interface NamedAnswers {
  readonly fallback: ReturnValue;
  readonly answers: ReadonlyMap<string, ReturnValue>;
}

/**
 * Writes a drop-in.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param view The source.
 */
export function writeSystemd(view: SourceView): WrittenPolicy {
  const reasons = new Map<string, string>();
  const named = namedAnswers(view, reasons);
  const text = [
    "# A drop-in, such as /etc/systemd/system/UNIT.service.d/seccomp.conf",
    "[Service]",
    "SystemCallFilter=",
    "SystemCallLog=",
    "SystemCallArchitectures=",
    ...filterLines(named),
    ...logLines(named, view.native),
    ...architectureLines(view),
  ].map((line) => `${line}\n`).join("");
  const { policy, arches } = readSystemd(text, { native: view.native });
  return {
    text,
    policy,
    arches,
    reasons: {
      calls: reasons,
      fallback:
        "a filter of systemd allows, logs, kills the process or gives an error from 1 to 4094",
      arch:
        "systemd kills on architectures that SystemCallArchitectures= does not list",
    },
  };
}

/** The nearest answer on the safe side that systemd has. */
function sayable(value: ReturnValue): ReturnValue {
  const data = value & SECCOMP_RET_DATA;
  switch ((value & SECCOMP_RET_ACTION_FULL) >>> 0) {
    case SECCOMP_RET_ALLOW:
      return SECCOMP_RET_ALLOW;
    case SECCOMP_RET_LOG:
      return SECCOMP_RET_LOG;
    case SECCOMP_RET_ERRNO:
      return SECCOMP_RET_ERRNO + Math.min(data, MOST_ERRNO);
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_USER_NOTIF:
      // The kernel's own answer if nobody listens.
      return SECCOMP_RET_ERRNO + ENOSYS;
    default:
      return SECCOMP_RET_KILL_PROCESS;
  }
}

function namedAnswers(
  view: SourceView,
  reasons: Map<string, string>,
): NamedAnswers {
  const { arches, functions } = view;
  const whole = sayable(
    arches.map((arch) => view.fallbackOf(arch)).reduce(strictest),
  );
  // SystemCallErrorNumber= has no error 0.
  const fallback = whole === SECCOMP_RET_ERRNO
    ? SECCOMP_RET_KILL_PROCESS
    : whole;
  const answers = new Map<string, ReturnValue>();
  const names = new Set(arches.flatMap(({ syscalls }) => [...syscalls.keys()]));
  for (const name of [...names].sort()) {
    const values: ReturnValue[] = [];
    for (const arch of arches) {
      const nr = arch.syscalls.get(name);
      if (nr === undefined) continue;
      const f = functions.at(arch, nr);
      const isServed = arch.multiplexed.some((call) => call.nr === nr);
      const only = functions.constantOf(f);
      // Rules for the calls behind it also make its rules.
      if (only === undefined && isServed) continue;
      if (only === undefined) {
        reasons.set(name, "a filter of systemd compares no arguments");
      }
      values.push(view.safeOf(f));
    }
    if (new Set(values).size > 1 && !reasons.has(name)) {
      reasons.set(name, "a name has one answer on all architectures");
    }
    const value = values.length === 0
      ? fallback
      : sayable(values.reduce(strictest));
    if (value !== fallback) answers.set(name, value);
  }
  return { fallback, answers };
}

/** `SystemCallFilter=` and the error of calls that it does not name. */
function filterLines({ fallback, answers }: NamedAnswers): readonly string[] {
  const named = (test: (value: ReturnValue) => boolean): readonly string[] =>
    [...answers].flatMap(([name, value]) => test(value) ? [name] : []);
  const denied = [...answers].flatMap(([name, value]) =>
    permissionOf(value) === 0 ? [`${name}:${errorWord(value)}`] : []
  );
  if (permissionOf(fallback) > 0) {
    return listLines("SystemCallFilter=~", denied);
  }
  const permitted = named((value) => permissionOf(value) > 0);
  const always = (systemdSet("@default") ?? []).filter((name) =>
    !answers.has(name)
  );
  const error = fallback === SECCOMP_RET_KILL_PROCESS
    ? "kill"
    : errorWord(fallback);
  return [
    `SystemCallErrorNumber=${error}`,
    ...permitted.length === 0
      ? ["SystemCallFilter=@default"]
      : listLines("SystemCallFilter=", permitted),
    ...listLines("SystemCallFilter=~", denied),
    // An allow list begins with the calls of @default.
    ...listLines("SystemCallFilter=~", always),
  ];
}

/** `SystemCallLog=`: calls that are permitted and logged. */
function logLines(
  { fallback, answers }: NamedAnswers,
  native: Arch,
): readonly string[] {
  const having = (wanted: ReturnValue): readonly string[] =>
    [...answers].flatMap(([name, value]) => value === wanted ? [name] : []);
  if (fallback !== SECCOMP_RET_LOG) {
    return listLines("SystemCallLog=", having(SECCOMP_RET_LOG));
  }
  const silent = having(SECCOMP_RET_ALLOW);
  // systemd ignores a list without names, so it names a call that is not here.
  return listLines(
    "SystemCallLog=~",
    silent.length === 0
      ? [FOREIGN_CALLS.get(native.name) ?? "s390_sthyi"]
      : silent,
  );
}

function architectureLines(view: SourceView): readonly string[] {
  if (permissionOf(view.badArch) > 0) return [];
  const words = view.arches.flatMap(({ name }) =>
    [...SYSTEMD_ARCHES].flatMap(([word, own]) => own === name ? [word] : [])
  );
  return listLines("SystemCallArchitectures=", words);
}

function errorWord(value: ReturnValue): string {
  if (value === SECCOMP_RET_KILL_PROCESS) return "kill";
  const errno = value & SECCOMP_RET_DATA;
  return errnoName(errno) ?? String(errno);
}

/** One setting on as many lines as its words take. */
function listLines(key: string, words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(`${key}${word}`);
  }
  return lines;
}
