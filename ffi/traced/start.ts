/**
 * Starts a command as a traced process, from before its first instruction on.
 *
 * Deno cannot stop a child before it becomes its program. So this process makes
 * a copy that only sleeps. Once the copy is traced, it makes the calls that
 * turn it into the command. Process group, terminal, descriptors, environment
 * and limits are those with which this process was started.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { AUDIT_ARCH_AARCH64, AUDIT_ARCH_X86_64 } from "../../tables/uapi.ts";
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
    Readonly<
      Record<"execve" | "dup3" | "sigaction" | "prctl" | "seccomp", number>
    >
  >
> = {
  "x86_64": {
    ...{ execve: 59, dup3: 292, sigaction: 13, prctl: 157, seccomp: 317 },
  },
  "aarch64": {
    ...{ execve: 221, dup3: 24, sigaction: 134, prctl: 167, seccomp: 277 },
  },
};
/** `AUDIT_ARCH_*` of this machine. */
const NATIVE = Deno.build.arch === "x86_64"
  ? AUDIT_ARCH_X86_64
  : AUDIT_ARCH_AARCH64;
/** The same number on both machines; Linux 5.6. */
const PIDFD_OPEN = 434n;
const PIDFD_GETFD = 438n;

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
  /** Filter to load with a listener, `struct sock_filter[]`. */
  readonly observer?: Uint8Array<ArrayBuffer>;
  /** Reports whether the filter allows the execve that starts the command. */
  readonly permits?: (data: SeccompData) => boolean;
}

/** A process that has just become a command. */
export interface StartedCommand {
  /** Its process id; it is stopped before its first instruction. */
  readonly pid: number;
  /** Descriptor of the listener; -1 if it has none. */
  readonly listener: number;
}

/**
 * Starts a process that sleeps and then ends.
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
 * cannot be executed, or if the kernel forbids tracing.
 */
export function startTraced(
  libc: Libc,
  stops: Stops,
  command: TracedCommand,
): StartedCommand {
  const action = `Cannot run ${JSON.stringify(command.command)}`;
  const environment = initialEnvironment(libc, action);
  const path = resolveCommand(libc, command.command, environment);
  if (typeof path === "number") throw notExecuted(action, path);
  const images = imagesOf(path, command);
  const defaults = new Uint8Array(SIGACTION_BYTES);
  const observer = command.observer && sockFprog(command.observer);
  // The copy has buffers only at addresses that they have before it is made.
  const defaultAction = addressOf(defaults);
  const fprogAddress = observer === undefined ? 0n : addressOf(observer);
  const programs = images.map(({ path, argv }) =>
    [path, argv.addresses, environment.addresses].map(addressOf)
  );
  const calls = CALLS[Deno.build.arch];
  for (const args of programs) {
    const data = {
      nr: calls.execve,
      arch: NATIVE,
      instructionPointer: 0n,
      args,
    };
    if (command.permits?.(data) !== false) continue;
    throw new SyscallError(action, {
      syscall: "execve: the filter denies it",
      errno: EACCES,
      hint: "allow execve for the process that starts the command",
    });
  }
  const pid = startSleeper(libc, PATIENCE_S);
  let listener = -1;
  try {
    stops.seize(pid, { ends: command.observer !== undefined });
    setOpenFiles(libc, pid);
    const puppet = new Puppet(libc, stops, pid);
    puppet.reachCall();
    puppet.make(calls.sigaction, [
      ...[SIGPIPE, defaultAction, 0, SIGSET_BYTES],
    ]);
    if (command.outToErr === true) puppet.make(calls.dup3, [2, 1, 0]);
    if (command.observer !== undefined) {
      listener = loadObserver(libc, puppet, pid, fprogAddress);
    }
    let errno = 0;
    for (const program of programs) {
      const value = puppet.make(calls.execve, program);
      if (value === undefined) return { pid, listener };
      errno = -value;
      if (errno !== ENOEXEC) break;
    }
    throw notExecuted(action, errno);
  } catch (error) {
    if (listener >= 0) libc.symbols.close(listener);
    libc.symbols.kill(pid, SIGKILL);
    // The stop before the copy ends, and its end.
    while (typeof stops.wait(pid) !== "number") stops.resume(pid);
    throw error;
  }
}

const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
/** SECCOMP_FILTER_FLAG_NEW_LISTENER, and WAIT_KILLABLE_RECV (Linux 5.19). */
const NEW_LISTENER = 8;
const WAIT_KILLABLE = 0x20;
const EINVAL = 22;
const SOCK_FILTER_SIZE = 8;

/** Makes the `struct sock_fprog` of a filter. */
function sockFprog(filter: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  const fprog = new DataView(new ArrayBuffer(16));
  fprog.setUint16(0, filter.length / SOCK_FILTER_SIZE, true);
  fprog.setBigUint64(8, addressOf(filter), true);
  return fprog;
}

/**
 * Loads a filter with a listener into the process that will become the command,
 * and takes over the listener; the descriptor in that process closes at execve.
 */
function loadObserver(
  libc: Libc,
  puppet: Puppet,
  pid: number,
  fprog: bigint,
): number {
  const { prctl, seccomp } = CALLS[Deno.build.arch];
  const load = (flags: number): number =>
    puppet.make(seccomp, [
      ...[SECCOMP_SET_MODE_FILTER, flags, fprog],
    ]) ?? 0;
  const loadNewest = (): number => {
    const fd = load(NEW_LISTENER | WAIT_KILLABLE);
    return fd === -EINVAL ? load(NEW_LISTENER) : fd;
  };
  let fd = loadNewest();
  if (fd === -EACCES) {
    puppet.make(prctl, [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
    fd = loadNewest();
  }
  const refuse = (syscall: string, errno: number): SyscallError =>
    new SyscallError("Cannot observe a command", {
      syscall,
      errno,
      hint: "Linux 5.6 or later is needed, and no other listener",
    });
  if (fd < 0) throw refuse("seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER)", -fd);
  const { syscall, close } = libc.symbols;
  const pidfd = syscall(PIDFD_OPEN, BigInt(pid), 0n, 0n, 0n, 0n, 0n);
  if (pidfd < 0) throw refuse("pidfd_open", libc.errno());
  const own = syscall(PIDFD_GETFD, BigInt(pidfd), BigInt(fd), 0n, 0n, 0n, 0n);
  const errno = own < 0 ? libc.errno() : 0;
  close(pidfd);
  if (own < 0) throw refuse("pidfd_getfd", errno);
  return own;
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
