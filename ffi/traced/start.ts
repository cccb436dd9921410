/**
 * Starts a command as a traced process, from before its first instruction on.
 *
 * Deno cannot stop a child before it becomes its program. So a copy of this
 * process is made whose only task is to sleep; once it is traced, it makes the
 * calls that turn it into the command. Process group, terminal, descriptors,
 * environment and limits are those with which this process was started.
 *
 * @module
 */

import { SyscallError } from "../error.ts";
import {
  type CommandWords,
  imagesOf,
  initialEnvironment,
  resolveCommand,
  setOpenFiles,
} from "../image.ts";
import { addressOf, type Libc } from "../libc.ts";
import { Puppet } from "./inject.ts";
import type { Stops } from "./stops.ts";

/** Numbers of calls: asm/unistd_64.h, asm-generic/unistd.h. */
const CALLS: Readonly<
  Record<
    typeof Deno.build.arch,
    { readonly execve: number; dup3: number; sigaction: number }
  >
> = {
  "x86_64": { execve: 59, dup3: 292, sigaction: 13 },
  "aarch64": { execve: 221, dup3: 24, sigaction: 134 },
};

const SIGCHLD = 17;
const SIGPIPE = 13;
const SIGKILL = 9;
const ENOENT = 2;
const ENOEXEC = 8;
const EACCES = 13;
/** Bytes of `struct kernel_sigaction`; zeros mean SIG_DFL. */
const SIGACTION_BYTES = 32;
const SIGSET_BYTES = 8;
/** Stack of the copy, of which only the first page is used. */
const STACK_BYTES = 1 << 16;
const PROT_READ_WRITE = 3;
/** MAP_PRIVATE | MAP_ANONYMOUS. */
const MAP_OPTIONS = 0x22;
/** Seconds that a copy waits to be traced. */
const PATIENCE_S = 60;

/** The command to trace. */
export interface TracedCommand extends CommandWords {
  /** True if its standard output is this process's standard error. */
  readonly outToErr?: boolean;
}

/**
 * Starts a process that sleeps and ends.
 *
 * @param seconds Seconds to sleep.
 * @throws {SyscallError} if there is no memory or too many processes exist.
 * @returns Its id.
 */
export function startSleeper(libc: Libc, seconds: number): number {
  const { mmap, munmap, clone, sleepFunction } = libc.symbols;
  const length = BigInt(STACK_BYTES);
  const stack = mmap(null, length, PROT_READ_WRITE, MAP_OPTIONS, -1, 0n);
  const top = Deno.UnsafePointer.create(
    Deno.UnsafePointer.value(stack) + length - 16n,
  );
  // Memory is copied, so the child keeps its stack.
  const pid = clone(
    sleepFunction as Deno.PointerValue,
    top,
    SIGCHLD,
    BigInt(seconds),
  );
  const errno = pid < 0 ? libc.errno() : 0;
  munmap(stack, length);
  if (pid > 0) return pid;
  throw new SyscallError("Cannot start a process", {
    syscall: "clone",
    errno,
    hint: "memory or the number of processes is limited",
  });
}

/**
 * Starts a command under this thread as its tracer.
 *
 * @param command The command.
 * @throws {SyscallError} if there is no such program (execve, ENOENT), if it
 * cannot be executed, or if the kernel forbids to trace.
 * @returns Its process id; it is stopped before its first instruction.
 */
export function startTraced(
  libc: Libc,
  stops: Stops,
  command: TracedCommand,
): number {
  const action = `Cannot run ${JSON.stringify(command.command)}`;
  const environment = initialEnvironment(libc, action);
  const path = resolveCommand(libc, command.command, environment);
  if (typeof path === "number") throw notExecuted(action, path);
  const images = imagesOf(path, command);
  const defaults = new Uint8Array(SIGACTION_BYTES);
  const calls = CALLS[Deno.build.arch];
  const pid = startSleeper(libc, PATIENCE_S);
  try {
    stops.seize(pid);
    setOpenFiles(libc, pid);
    const puppet = new Puppet(libc, stops, pid);
    puppet.reachCall();
    puppet.make(calls.sigaction, [
      ...[SIGPIPE, addressOf(defaults), 0, SIGSET_BYTES],
    ]);
    if (command.outToErr === true) puppet.make(calls.dup3, [2, 1, 0]);
    let errno = 0;
    for (const { path, argv } of images) {
      // The child has copies of these buffers at the same addresses.
      const value = puppet.make(calls.execve, [
        ...[path, argv.addresses, environment.addresses].map(addressOf),
      ]);
      if (value === undefined) return pid;
      errno = -value;
      if (errno !== ENOEXEC) break;
    }
    throw notExecuted(action, errno);
  } catch (error) {
    libc.symbols.kill(pid, SIGKILL);
    stops.wait(pid);
    throw error;
  }
}

function notExecuted(action: string, errno: number): SyscallError {
  return new SyscallError(action, {
    syscall: "execve",
    errno,
    hint: errno === ENOENT
      ? "no such program"
      : errno === EACCES
      ? "it is not executable"
      : "",
  });
}
