/**
 * Reads the system call filter of a systemd unit: `SystemCallFilter=`,
 * `SystemCallErrorNumber=`, `SystemCallArchitectures=` and `SystemCallLog=` of
 * a unit file or a drop-in.
 *
 * systemd attaches one filter for each architecture of the machine, and they
 * permit everything on others. `SystemCallArchitectures=` adds a filter that
 * kills on architectures that it does not list, unless it lists all of the
 * machine.
 *
 * Sources: man systemd.exec(5) of systemd 252, and the filters that its library
 * loads (`tests/cli/systemd_test.ts`).
 *
 * @module
 */

import { type Arch, archByName } from "../../tables/arch.ts";
import { errnoNumber } from "../../tables/errno.ts";
import { didYouMean } from "../../tables/suggest.ts";
import { systemdSet, systemdSetNames } from "../../tables/systemd_sets.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_LOG,
} from "../../tables/uapi.ts";
import type { LinuxSyscall } from "../formats/oci.ts";
import type { ReturnValue } from "../policy.ts";
import { quote } from "../text.ts";
import { assignmentsOf } from "./unit_text.ts";
import {
  type ForeignMachine,
  type ForeignPolicy,
  ForeignReport,
  libseccompPolicy,
  localArches,
  resolvableNames,
} from "./foreign_policy.ts";

/** Names of architectures in `SystemCallArchitectures=`, and ours. */
export const SYSTEMD_ARCHES: ReadonlyMap<string, Arch["name"]> = new Map([
  ["x86-64", "x86_64"],
  ["x86", "x86"],
  ["x32", "x32"],
  ["arm64", "aarch64"],
  ["arm", "arm"],
  ["riscv64", "riscv64"],
  ["s390x", "s390x"],
  ["s390", "s390"],
  ["ppc64-le", "ppc64le"],
  ["ppc64", "ppc64"],
  ["ppc", "ppc"],
  ["loongarch64", "loongarch64"],
  ["mips64-le", "mips64el"],
  ["mips-le", "mipsel"],
  ["mips64-le-n32", "mipsel64n32"],
  ["mips64", "mips64"],
  ["mips", "mips"],
  ["mips64-n32", "mips64n32"],
]);

/** Settings that attach filters of their own, which are not read. */
const OTHER_FILTERS: readonly string[] = [
  ...["RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime"],
  ...["RestrictSUIDSGID", "MemoryDenyWriteExecute", "LockPersonality"],
  ...["ProtectClock", "ProtectHostname", "ProtectKernelLogs", "DynamicUser"],
  ...["ProtectKernelModules", "ProtectKernelTunables", "PrivateDevices"],
];

/** An answer by name; `undefined` for that of `SystemCallErrorNumber=`. */
type Listed = Map<string, ReturnValue | undefined>;

/**
 * Reads a unit.
 *
 * @example Two calls, and an error for a third
 * ```ts
 * import { archByName } from "../../tables/arch.ts";
 * import { readSystemd } from "./systemd.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const native = archByName("x86_64");
 * if (native === undefined) throw new Error("Unreachable: no x86_64");
 * const unit = "[Service]\nSystemCallFilter=~ptrace:ENOSYS\n";
 * const { policy } = readSystemd(unit, { native });
 * assertEquals(policy.defaultValue, 0x7fff_0000);
 * assertEquals(policy.arches[0]?.rules.map(({ first, value }) => [first, value]), [
 *   [101, 0x0005_0026],
 *   [0x4000_0209, 0x0005_0026],
 * ]);
 * ```
 *
 * @param text The unit or drop-in.
 * @param machine The machine.
 * @returns The meaning of its filters together.
 * @throws {ProfileError} if it cannot be used; it has every problem.
 */
export function readSystemd(
  text: string,
  machine: ForeignMachine,
): ForeignPolicy {
  const unit = new UnitReader(text, machine);
  unit.read();
  return unit.settle();
}

class UnitReader {
  readonly #text: string;
  readonly #native: Arch;
  readonly #knows: ForeignMachine["knows"];
  readonly #report: ForeignReport;
  #filter: Listed | undefined;
  #isAllowList = false;
  #log: Listed | undefined;
  #isLogList = false;
  #error: ReturnValue = SECCOMP_RET_KILL_PROCESS;
  #arches: Set<Arch> | undefined;
  /** Offset of each entry of the filter, as it was last stated. */
  readonly #places = new Map<string, number>();

  constructor(text: string, { native, knows }: ForeignMachine) {
    this.#text = text;
    this.#native = native;
    this.#knows = knows;
    this.#report = new ForeignReport(text);
  }

  read(): void {
    let found = false;
    for (const { key, value, at } of assignmentsOf(this.#text)) {
      found = this.#assign(key, value, at) || found;
      if (OTHER_FILTERS.includes(key) && !/^(?:no|false|off|0|)$/.test(value)) {
        this.#report.add(
          "warning",
          at,
          `${key}= adds a filter of its own, which is left out`,
          "dump the filters of the running unit",
        );
      }
    }
    if (found) return;
    this.#report.add(
      "error",
      0,
      "Cannot find a system call filter in this unit",
      "give a unit with SystemCallFilter=",
    );
  }

  #assign(key: string, value: string, at: number): boolean {
    switch (key) {
      case "SystemCallFilter":
        this.#list(value, at, "filter");
        return true;
      case "SystemCallLog":
        this.#list(value, at, "log");
        return true;
      case "SystemCallErrorNumber":
        this.#error = value === ""
          ? SECCOMP_RET_KILL_PROCESS
          : this.#errno(value, at, 1) ?? this.#error;
        return true;
      case "SystemCallArchitectures":
        this.#architectures(value, at);
        return true;
      default:
        return false;
    }
  }

  /** Reads the words of `SystemCallFilter=` or `SystemCallLog=`. */
  #list(value: string, at: number, which: "filter" | "log"): void {
    if (value === "") {
      if (which === "filter") this.#filter = undefined;
      else this.#log = undefined;
      return;
    }
    const isInverted = value.startsWith("~");
    const list: Listed = this.#begun(which, isInverted);
    const adds = which === "filter" ? this.#isAllowList : this.#isLogList;
    const shift = isInverted ? 1 : 0;
    for (const match of value.slice(shift).matchAll(/\S+/g)) {
      const place = at + shift + match.index;
      const [, name = "", error] = /^([^:]*)(?::(.*))?$/s.exec(match[0]) ?? [];
      const data = error === undefined
        ? undefined
        : this.#errno(error, place, 0);
      if (error !== undefined && (!isInverted || which === "log")) {
        this.#report.add(
          "error",
          place,
          `An error has no effect here: ${quote(match[0])}`,
          "systemd reads it after ~ in SystemCallFilter= only",
        );
      }
      for (const call of this.#callsOf(name, place)) {
        this.#places.set(call, place);
        if (isInverted !== adds || data !== undefined) list.set(call, data);
        else list.delete(call);
      }
    }
  }

  /** Returns the list, which its first line makes one of either kind. */
  #begun(which: "filter" | "log", isInverted: boolean): Listed {
    if (which === "log") {
      if (this.#log === undefined) this.#isLogList = !isInverted;
      return this.#log ??= new Map();
    }
    if (this.#filter !== undefined) return this.#filter;
    this.#isAllowList = !isInverted;
    const always = isInverted ? [] : systemdSet("@default") ?? [];
    return this.#filter = new Map(always.map((name) => [name, undefined]));
  }

  #callsOf(name: string, at: number): readonly string[] {
    if (!name.startsWith("@")) {
      if (resolvableNames().has(name)) return [name];
      const near = didYouMean(name, [...this.#native.syscalls.keys()]);
      this.#report.add(
        "warning",
        at,
        `Unknown system call ${quote(name)}, which systemd ignores`,
        near === undefined ? "remove it" : `did you mean ${quote(near)}`,
      );
      return [];
    }
    const calls = systemdSet(name);
    if (calls !== undefined) {
      return calls.filter((call) => resolvableNames().has(call));
    }
    const near = didYouMean(name, systemdSetNames());
    this.#report.add(
      "error",
      at,
      `Unknown set of system calls ${quote(name)}`,
      near === undefined
        ? "list its calls, as systemd-analyze syscall-filter prints them"
        : `did you mean ${quote(near)}`,
    );
    return [];
  }

  #errno(text: string, at: number, least: number): ReturnValue | undefined {
    if (text === "kill") return SECCOMP_RET_KILL_PROCESS;
    const number = /^[0-9]{1,4}$/.test(text)
      ? Number(text)
      : errnoNumber(text, this.#native.auditArch);
    if (number !== undefined && number >= least && number <= 4095) {
      return SECCOMP_RET_ERRNO + number;
    }
    this.#report.add(
      "error",
      at,
      `Unknown error ${quote(text)}`,
      "write a name such as EPERM, a number up to 4095, or kill",
    );
    return undefined;
  }

  #architectures(value: string, at: number): void {
    if (value === "") {
      this.#arches = undefined;
      return;
    }
    const listed = this.#arches ??= new Set();
    for (const { 0: word, index } of value.matchAll(/\S+/g)) {
      const name = SYSTEMD_ARCHES.get(word);
      const arch = word === "native" ? this.#native : name && archByName(name);
      if (arch !== undefined) {
        if (localArches(this.#native).includes(arch)) listed.add(arch);
        continue;
      }
      this.#report.add(
        "error",
        at + index,
        `Unknown architecture ${quote(word)}`,
        `write ${[...SYSTEMD_ARCHES.keys()].join(", ")} or native`,
      );
    }
  }

  settle(): ForeignPolicy {
    const local = localArches(this.#native);
    const filter = this.#filterAnswers();
    const diagnostics = this.#report.settle();
    // The filter of architectures always permits the native one.
    const arches = this.#arches === undefined
      ? local
      : local.filter((arch) =>
        arch === this.#native || this.#arches?.has(arch) === true
      );
    const { action, errnoRet } = actionOf(filter.fallback);
    const policy = libseccompPolicy(
      {
        defaultAction: action,
        ...(errnoRet === undefined ? {} : { defaultErrnoRet: errnoRet }),
        architectures: [],
        syscalls: entriesOf(filter),
      },
      arches,
      this.#knows,
    );
    // Filters for the architectures of the machine permit all on others, and
    // systemd adds none that would refuse nothing on this machine.
    return {
      policy: arches.length === local.length
        ? { ...policy, badArchValue: SECCOMP_RET_ALLOW }
        : policy,
      arches,
      diagnostics,
    };
  }

  /** The answers of the filters of both lists, by name. */
  #filterAnswers(): Answers {
    const listed = this.#filter ?? new Map();
    const fallback = this.#isAllowList && this.#filter !== undefined
      ? this.#error
      : SECCOMP_RET_ALLOW;
    const usual = fallback === SECCOMP_RET_ALLOW
      ? this.#error
      : SECCOMP_RET_ALLOW;
    const answers = new Map<string, ReturnValue>();
    for (const [name, given] of listed) {
      const value = given ?? usual;
      if (value === fallback) {
        this.#report.add(
          "error",
          this.#places.get(name) ?? 0,
          `systemd cannot load a filter in which ${name} gets the answer of all others`,
          `remove ${name}, which changes nothing`,
        );
      }
      answers.set(name, value);
    }
    return this.#logged({ fallback, answers });
  }

  /** Calls that are permitted and listed are logged. */
  #logged({ fallback, answers }: Answers): Answers {
    const log = this.#log;
    const isIgnored = log?.size === 0 && !this.#isLogList;
    if (log === undefined || isIgnored) return { fallback, answers };
    const under = (value: ReturnValue, isListed: boolean): ReturnValue =>
      value === SECCOMP_RET_ALLOW && isListed === this.#isLogList
        ? SECCOMP_RET_LOG
        : value;
    const logged = new Map<string, ReturnValue>();
    for (const name of new Set([...answers.keys(), ...log.keys()])) {
      logged.set(name, under(answers.get(name) ?? fallback, log.has(name)));
    }
    return { fallback: under(fallback, false), answers: logged };
  }
}

/** Answers by name. */
interface Answers {
  readonly fallback: ReturnValue;
  readonly answers: ReadonlyMap<string, ReturnValue>;
}

/** The names with each answer that is not the default. */
function entriesOf({ fallback, answers }: Answers): readonly LinuxSyscall[] {
  const names = new Map<ReturnValue, string[]>();
  for (const [name, value] of answers) {
    if (value === fallback) continue;
    const list = names.get(value);
    if (list === undefined) names.set(value, [name]);
    else list.push(name);
  }
  return [...names].map(([value, list]) => ({
    names: list,
    ...actionOf(value),
    args: [],
    path: "SystemCallFilter",
  }));
}

function actionOf(
  value: ReturnValue,
): Pick<LinuxSyscall, "action" | "errnoRet"> {
  switch (value) {
    case SECCOMP_RET_ALLOW:
      return { action: "SCMP_ACT_ALLOW" };
    case SECCOMP_RET_LOG:
      return { action: "SCMP_ACT_LOG" };
    case SECCOMP_RET_KILL_PROCESS:
      return { action: "SCMP_ACT_KILL_PROCESS" };
    default:
      return { action: "SCMP_ACT_ERRNO", errnoRet: value - SECCOMP_RET_ERRNO };
  }
}
