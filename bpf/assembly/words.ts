/**
 * Words of statements that stand for numbers: architectures, actions, errors.
 *
 * @module
 */

import { type Arch, archByName, ARCHES } from "../../tables/arch.ts";
import { errnoNumber } from "../../tables/errno.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";

/** Names of other tools for architectures. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["amd64", "x86_64"],
  ["i386", "x86"],
  ["i686", "x86"],
  ["arm64", "aarch64"],
  ["armhf", "arm"],
  ["armv7l", "arm"],
  ["armv8l", "arm"],
  ["mipsel64", "mips64el"],
]);

/**
 * Finds an architecture by a name of this or another tool.
 *
 * @param word Name in any case, such as `i386` or `AUDIT_ARCH_X86_64`.
 * @returns The architecture, or `undefined` if the name is unknown.
 */
export function archOfWord(word: string): Arch | undefined {
  const name = word.toLowerCase().replace(/^(?:audit_|scmp_)?arch_/, "");
  return archByName(ALIASES.get(name) ?? name);
}

/** Names of architectures, for suggestions. */
export function archWords(): readonly string[] {
  return [...ARCHES.map(({ name }) => name), ...ALIASES.keys()];
}

/** An action of a `return`. */
export interface ActionWord {
  /** The return value without data. */
  readonly value: number;
  /** True if the data has a use. */
  readonly takesData: boolean;
}

const ACTIONS: ReadonlyMap<string, ActionWord> = new Map([
  ["KILL_PROCESS", { value: SECCOMP_RET_KILL_PROCESS, takesData: false }],
  ["KILL_THREAD", { value: SECCOMP_RET_KILL_THREAD, takesData: false }],
  ["KILL", { value: SECCOMP_RET_KILL_THREAD, takesData: false }],
  ["TRAP", { value: SECCOMP_RET_TRAP, takesData: true }],
  ["ERRNO", { value: SECCOMP_RET_ERRNO, takesData: true }],
  ["USER_NOTIF", { value: SECCOMP_RET_USER_NOTIF, takesData: false }],
  ["NOTIFY", { value: SECCOMP_RET_USER_NOTIF, takesData: false }],
  ["TRACE", { value: SECCOMP_RET_TRACE, takesData: true }],
  ["LOG", { value: SECCOMP_RET_LOG, takesData: false }],
  ["ALLOW", { value: SECCOMP_RET_ALLOW, takesData: false }],
]);

/** Names of actions, for suggestions. */
export const ACTION_WORDS: readonly string[] = [...ACTIONS.keys()];

/**
 * Finds an action.
 *
 * @param word Name in any case, with or without `SECCOMP_RET_`.
 * @returns The action, or `undefined` if the name is unknown.
 */
export function actionOfWord(word: string): ActionWord | undefined {
  return ACTIONS.get(word.toUpperCase().replace(/^SECCOMP_RET_/, ""));
}

/**
 * Finds an error number.
 *
 * @param word Name such as `EPERM`.
 * @returns The number, or `undefined` if the name is unknown.
 */
export function errnoOfWord(word: string): number | undefined {
  return errnoNumber(word.toUpperCase());
}
