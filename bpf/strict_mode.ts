/**
 * Strict mode of seccomp(2) as a filter.
 *
 * @module
 */

import { archByName, type ArchName } from "../tables/arch.ts";
import { SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_THREAD } from "../tables/uapi.ts";
import type { Instruction, Program } from "./instruction.ts";
import { ARCH_OFFSET, NR_OFFSET } from "./seccomp_data.ts";

/** Architectures of one kernel: the native one, and that of its 32-bit programs. */
const COMPAT: Readonly<Record<"x86_64" | "aarch64", ArchName>> = {
  "x86_64": "x86",
  "aarch64": "arm",
};

/**
 * Makes the filter that answers as strict mode does: read, write, exit and
 * sigreturn are allowed, in the numbers of the native architecture and of
 * 32-bit programs; all other calls kill the thread (kernel/seccomp.c:
 * mode1_syscalls, Linux 6.1). Strict mode kills by SIGKILL, a filter by SIGSYS.
 *
 * @param native The kernel's architecture.
 * @returns The program.
 */
export function strictModeProgram(native: "x86_64" | "aarch64"): Program {
  const lists = [
    [native, ["read", "write", "exit", "rt_sigreturn"]],
    [COMPAT[native], ["read", "write", "exit", "sigreturn"]],
  ] as const;
  return [
    make("ld.abs", ARCH_OFFSET),
    ...lists.flatMap(([name, calls]) => {
      const arch = archByName(name);
      const numbers = calls.map((call) => arch?.syscalls.get(call) ?? 0);
      // The test of `arch`, the load of `nr`, the tests, two answers.
      return [
        make("jeq.k", arch?.auditArch ?? 0, 0, numbers.length + 3),
        make("ld.abs", NR_OFFSET),
        ...numbers.map((nr, i) => make("jeq.k", nr, numbers.length - i, 0)),
        make("ret.k", SECCOMP_RET_KILL_THREAD),
        make("ret.k", SECCOMP_RET_ALLOW),
      ];
    }),
    make("ret.k", SECCOMP_RET_KILL_THREAD),
  ];
}

function make(op: Instruction["op"], k: number, jt = 0, jf = 0): Instruction {
  return { op, jt, jf, k };
}
