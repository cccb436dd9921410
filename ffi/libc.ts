/**
 * The C library: one table of signatures, opened on first use.
 *
 * Results are declared `i32` even if C has `long`: all values in use fit, and a
 * 64-bit result would allocate a bigint between the call and the read of errno.
 * The engine may overwrite errno in that time. For the same reason, `errno()`
 * must be the next expression that a caller evaluates.
 *
 * A buffer whose address is stored in another buffer (an iovec, a `sock_fprog`)
 * is not kept alive by the outer one: keep it in an object that outlives the
 * call.
 *
 * @module
 */

import { SyscallError } from "./error.ts";

const SYMBOLS = {
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },
  // long syscall(long nr, long, long, long, long, long, long)
  syscall: {
    parameters: ["i64", "u64", "u64", "u64", "u64", "u64", "u64"],
    result: "i32",
  },
  // int prctl(int option, unsigned long, unsigned long, unsigned long, unsigned long)
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  // int memfd_create(const char *name, unsigned flags)
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // int open(const char *path, int flags, mode_t mode)
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int fcntl(int fd, int cmd, long arg)
  fcntl: { parameters: ["i32", "i32", "i64"], result: "i32" },
  // off_t lseek(int fd, off_t offset, int whence)
  lseek: { parameters: ["i32", "i64", "i32"], result: "i32" },
  // ssize_t read(int fd, void *buf, size_t count)
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t pread(int fd, void *buf, size_t count, off_t offset)
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // int ftruncate(int fd, off_t length)
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  // void free(void *ptr)
  free: { parameters: ["pointer"], result: "void" },
  // int socketpair(int domain, int type, int protocol, int sv[2])
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  // int sendmmsg(int fd, struct mmsghdr *vec, unsigned n, int flags)
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  // int recvmmsg(int fd, struct mmsghdr *vec, unsigned n, int flags, struct timespec *timeout)
  recvmmsg: {
    parameters: ["i32", "buffer", "u32", "i32", "pointer"],
    result: "i32",
  },
  // void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
  mmap: {
    parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"],
    result: "pointer",
  },
  // int mprotect(void *addr, size_t length, int prot)
  mprotect: { parameters: ["pointer", "usize", "i32"], result: "i32" },
  // int munmap(void *addr, size_t length)
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  // long ptrace(enum request, pid_t pid, void *addr, void *data)
  ptrace: { parameters: ["i32", "i32", "usize", "usize"], result: "i32" },
  // int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
  waitid: { parameters: ["i32", "u32", "buffer", "i32"], result: "i32" },
  // pid_t waitpid(pid_t pid, int *status, int options)
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
  clone: { parameters: ["pointer", "pointer", "i32", "usize"], result: "i32" },
  // int kill(pid_t pid, int sig)
  kill: { parameters: ["i32", "i32"], result: "i32" },
  // int ioctl(int fd, unsigned long request, void *data)
  ioctl: { parameters: ["i32", "u64", "usize"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout)
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  // ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long n, const struct iovec *remote, unsigned long m, unsigned long flags)
  process_vm_readv: {
    parameters: ["i32", "buffer", "u64", "buffer", "u64", "u64"],
    result: "i32",
  },
  // int siginterrupt(int sig, int flag)
  siginterrupt: { parameters: ["i32", "i32"], result: "i32" },
  // Addresses of functions, for clone() and signal().
  sleepFunction: { name: "sleep", type: "pointer" },
  absFunction: { name: "abs", type: "pointer" },
  // int usleep(useconds_t microseconds)
  usleep: { parameters: ["u32"], result: "i32" },
  // sighandler_t signal(int signum, sighandler_t handler); SIG_DFL is NULL
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  // int prlimit(pid_t pid, enum resource, const struct rlimit *new, struct rlimit *old)
  prlimit: { parameters: ["i32", "i32", "buffer", "buffer"], result: "i32" },
  // int access(const char *path, int mode)
  access: { parameters: ["buffer", "i32"], result: "i32" },
  // int execve(const char *path, char *const argv[], char *const envp[])
  execve: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
} as const;

/** The functions of the C library that this folder calls. */
export type LibcSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The opened C library. */
export interface Libc {
  /** Its functions. */
  readonly symbols: LibcSymbols;
  /** Reads errno of this thread; evaluate it right after the call. */
  readonly errno: () => number;
}

const ENCODER = new TextEncoder();

let opened: Libc | undefined;

/**
 * Opens the C library, once.
 *
 * @throws {SyscallError} if there is no `libc.so.6`, as on musl systems.
 * @returns The library; needs `--allow-ffi`.
 */
export function openLibc(): Libc {
  opened ??= open();
  return opened;
}

/**
 * Writes a string in the form of C.
 *
 * @param text Text without NUL characters.
 * @throws {TypeError} if the text has a NUL, at which C would cut it.
 * @returns Its UTF-8 bytes and a NUL.
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(
      `Cannot pass ${JSON.stringify(text)} to C: it contains a NUL`,
    );
  }
  return ENCODER.encode(`${text}\0`);
}

/**
 * Returns the address of a buffer. The caller keeps the buffer alive as long as
 * the address is in use.
 *
 * @param buffer The buffer, not empty.
 * @returns Its address.
 */
export function addressOf(buffer: BufferSource): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}

function open(): Libc {
  let symbols: LibcSymbols;
  try {
    symbols = Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new SyscallError("Cannot open the C library", {
      syscall: `dlopen("libc.so.6"): ${
        error instanceof Error ? error.message : String(error)
      }`,
      errno: 0,
      hint: "a glibc system is needed",
    });
  }
  const location = symbols.__errno_location();
  if (location === null) {
    throw new Error("Unreachable: errno has no address");
  }
  const view = new Int32Array(
    Deno.UnsafePointerView.getArrayBuffer(location, 4),
  );
  const errno = (): number => view[0] ?? 0;
  // Compiles the closure now: compiling it after a call could change errno.
  errno();
  return { symbols, errno };
}
