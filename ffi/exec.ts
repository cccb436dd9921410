/**
 * Replaces this process by another program under a filter.
 *
 * The process is replaced in place: process id, descriptors and working
 * directory stay, and the exit status of the program is that of the process.
 * Changes that Deno made at its own start are undone:
 *
 * - The environment, because Deno may add a folder of its own to the front of
 *   PATH: it is read from /proc/self/environ, which keeps the original.
 * - SIGPIPE, which Deno ignores, gets its default action. (It is unknown
 *   whether it was ignored before Deno started.)
 * - The soft limit on open files, which Deno raises to the hard one, is set to
 *   that of the parent process, from which it was inherited.
 *
 * @module
 */

import { decode } from "../bpf/encode.ts";
import { actionOf, formatReturnValue } from "../bpf/return_value.ts";
import { prepare, run } from "../bpf/run.ts";
import { toWords } from "../bpf/seccomp_data.ts";
import {
  AUDIT_ARCH_AARCH64,
  AUDIT_ARCH_X86_64,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_LOG,
} from "../tables/uapi.ts";
import { SyscallError } from "./error.ts";
import {
  type CommandWords,
  type CStrings,
  type Image,
  imagesOf,
  initialEnvironment,
  resolveCommand,
  setOpenFiles,
} from "./image.ts";
import { addressOf, type Libc, openLibc } from "./libc.ts";
import { loadFilter, type LoadOptions } from "./load.ts";

/** `execve` and `AUDIT_ARCH_*` of the machines that Deno runs on. */
const NATIVE: Readonly<
  Record<typeof Deno.build.arch, { readonly execve: number; arch: number }>
> = {
  "x86_64": { execve: 59, arch: AUDIT_ARCH_X86_64 },
  "aarch64": { execve: 221, arch: AUDIT_ARCH_AARCH64 },
};
const SIGPIPE = 13;
const ENOENT = 2;
const ENOEXEC = 8;

/**
 * The program to run, and how.
 *
 * @category Kernel
 */
export interface ExecOptions extends LoadOptions, CommandWords {}

/**
 * Replaces this process by a command under a filter.
 *
 * Everything that can be checked is checked before the filter is loaded: that
 * the command exists, and that the filter allows `execve`. Otherwise the
 * process could neither continue nor report why.
 *
 * @throws {SyscallError} if the command is not found (ENOENT) or is not a
 * program (EACCES), if the filter denies `execve`, or if the kernel refuses. A
 * filter that is already loaded stays.
 *
 * @param filter `struct sock_filter[]`.
 * @param options The command; needs `-A`.
 * @category Kernel
 */
export function execWithFilter(
  filter: Uint8Array,
  options: ExecOptions,
): never {
  const libc = openLibc();
  const action = `Cannot run ${JSON.stringify(options.command)}`;
  const environment = initialEnvironment(libc, action);
  const path = resolveCommand(libc, options.command, environment);
  if (typeof path === "number") {
    throw new SyscallError(action, {
      syscall: "execve",
      errno: path,
      hint: path === ENOENT ? "no such program" : "it is not executable",
    });
  }
  const attempts = imagesOf(path, options);
  requireExecve(action, filter, attempts[0], environment);
  restoreProcess(libc);
  loadFilter(filter, options);
  const errno = exec(libc, attempts[0], environment);
  const last = errno === ENOEXEC ? exec(libc, attempts[1], environment) : errno;
  throw new SyscallError(action, {
    syscall: "execve",
    errno: last,
    hint: "the filter is already in force",
  });
}

/** Returns errno; it returns only on failure. */
function exec(
  libc: Libc,
  { path, argv }: Image,
  environment: CStrings,
): number {
  held.push(argv, environment);
  libc.symbols.execve(path, argv.addresses, environment.addresses);
  const errno = libc.errno();
  held.length = 0;
  return errno;
}

/**
 * Memory that stays alive during a call, because the kernel has its address.
 */
const held: CStrings[] = [];

function requireExecve(
  action: string,
  filter: Uint8Array,
  { path, argv }: Image,
  environment: CStrings,
): void {
  const { execve, arch } = NATIVE[Deno.build.arch];
  const data = {
    nr: execve,
    arch,
    instructionPointer: 0n,
    args: [
      addressOf(path),
      addressOf(argv.addresses),
      addressOf(environment.addresses),
    ],
  };
  const value = run(prepare(decode(filter)), toWords(data, true));
  const kind = actionOf(value);
  if (kind !== SECCOMP_RET_ALLOW && kind !== SECCOMP_RET_LOG) {
    throw new SyscallError(action, {
      syscall: `the filter answers ${formatReturnValue(value)} to execve`,
      errno: 0,
      hint: "allow execve for the process that starts the command",
    });
  }
}

function restoreProcess(libc: Libc): void {
  libc.symbols.signal(SIGPIPE, null);
  setOpenFiles(libc, 0);
}
