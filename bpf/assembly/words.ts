/**
 * Names in statements that stand for numbers: architectures and actions.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import { archByAnyName } from "../../tables/arch_names.ts";
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

/**
 * Finds an architecture by a name that this tool or another one uses.
 *
 * @param word Name in any case, such as `i386` or `ARCH_X86_64`.
 * @returns The architecture, or `undefined` if the name is unknown.
 */
export function archOfWord(word: string): Arch | undefined {
  return archByAnyName(word.replace(/^arch_/i, ""));
}

/** An action of a `return`. */
export interface ActionWord {
  /** The return value without data. */
  readonly value: number;
  /** True if the action uses its data. */
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
