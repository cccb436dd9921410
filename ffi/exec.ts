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
import { addressOf, cString, type Libc, openLibc } from "./libc.ts";
import { loadFilter, type LoadOptions } from "./load.ts";

/** `execve` and `AUDIT_ARCH_*` of the machines that Deno runs on. */
const NATIVE: Readonly<
  Record<typeof Deno.build.arch, { readonly execve: number; arch: number }>
> = {
  "x86_64": { execve: 59, arch: AUDIT_ARCH_X86_64 },
  "aarch64": { execve: 221, arch: AUDIT_ARCH_AARCH64 },
};
const SIGPIPE = 13;
const RLIMIT_NOFILE = 7;
const F_OK = 0;
const X_OK = 1;
const ENOENT = 2;
const ENOEXEC = 8;
const EACCES = 13;
/** Shell for a file that has no `#!` line, as in execvp(3). */
const SHELL = "/bin/sh";
/** Used if PATH is not set: confstr(_CS_PATH) of glibc. */
const DEFAULT_PATH = "/bin:/usr/bin";
/** asm-generic/fcntl.h. */
const O_CLOEXEC = 0o2000000;

/** The program to run, and how. */
export interface ExecOptions extends LoadOptions {
  /** Path of the program, or a name to find in PATH. */
  readonly command: string;
  /** Its arguments, without the program's own name. */
  readonly args?: readonly string[];
}

/**
 * Replaces this process by a command under a filter.
 *
 * Everything that can be checked is checked before the filter is loaded: the
 * command exists, and the filter allows `execve`. Otherwise the process could
 * neither continue nor report why.
 *
 * @throws {SyscallError} if the command is not found (ENOENT) or is not a
 * program (EACCES), if the filter denies `execve`, or if the kernel refuses. A
 * filter that is already loaded stays.
 *
 * @param filter `struct sock_filter[]`.
 * @param options The command; needs `-A`.
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
  const attempts = [
    image(path, [options.command, ...options.args ?? []]),
    image(SHELL, [SHELL, path, ...options.args ?? []]),
  ] as const;
  requireExecve(action, filter, attempts[0], environment);
  restoreProcess(libc);
  loadFilter(filter, options);
  const errno = exec(libc, attempts[0], environment);
  const last = errno === ENOEXEC ? exec(libc, attempts[1], environment) : errno;
  throw new SyscallError(action, {
    syscall: "execve",
    errno: last,
    hint: "the filter is in force already",
  });
}

/** Strings in the form of execve(2). */
interface Strings {
  /** Addresses of the strings, then 0. */
  readonly addresses: BigUint64Array<ArrayBuffer>;
  /** Kept here, and therefore alive, while their addresses are in use. */
  readonly strings: readonly Uint8Array<ArrayBuffer>[];
}

/** Arguments of execve(2) except the environment. */
interface Image {
  readonly path: Uint8Array<ArrayBuffer>;
  readonly argv: Strings;
}

function image(path: string, args: readonly string[]): Image {
  return { path: cString(path), argv: toStrings(args.map(cString)) };
}

function toStrings(strings: readonly Uint8Array<ArrayBuffer>[]): Strings {
  const addresses = BigUint64Array.from([...strings.map(addressOf), 0n]);
  return { addresses, strings };
}

/** Returns errno; it returns only on failure. */
function exec(libc: Libc, { path, argv }: Image, environment: Strings): number {
  held.push(argv, environment);
  libc.symbols.execve(path, argv.addresses, environment.addresses);
  const errno = libc.errno();
  held.length = 0;
  return errno;
}

/** Memory that the kernel has an address of, kept alive during a call. */
const held: Strings[] = [];

/** The environment with which this process was started, byte for byte. */
function initialEnvironment(libc: Libc, action: string): Strings {
  const fd = libc.symbols.open(cString("/proc/self/environ"), O_CLOEXEC, 0);
  if (fd < 0) {
    throw new SyscallError(action, {
      syscall: 'open("/proc/self/environ")',
      errno: libc.errno(),
      hint: "the environment is read from there; mount /proc",
    });
  }
  const strings: Uint8Array<ArrayBuffer>[] = [];
  let rest = new Uint8Array(0);
  const chunk = new Uint8Array(1 << 16);
  for (;;) {
    const count = libc.symbols.read(fd, chunk, BigInt(chunk.length));
    if (count <= 0) break;
    const bytes = new Uint8Array(rest.length + count);
    bytes.set(rest);
    bytes.set(chunk.subarray(0, count), rest.length);
    rest = bytes;
  }
  libc.symbols.close(fd);
  for (let from = 0; from < rest.length;) {
    const nul = rest.indexOf(0, from);
    const end = nul < 0 ? rest.length : nul;
    const text = new Uint8Array(end - from + 1);
    text.set(rest.subarray(from, end));
    if (end > from) strings.push(text);
    from = end + 1;
  }
  return toStrings(strings);
}

/**
 * Reads a variable; the first of several with one name counts, as in getenv(3).
 */
function getVariable(environment: Strings, name: string): string | undefined {
  for (const bytes of environment.strings) {
    const text = new TextDecoder().decode(bytes.subarray(0, -1));
    if (text.startsWith(`${name}=`)) return text.slice(name.length + 1);
  }
  return undefined;
}

/**
 * Returns a path, or an errno.
 *
 * A folder of PATH that may not be searched is skipped, as in shells:
 * EACCES of execvp(3) would mean that the command exists.
 */
function resolveCommand(
  libc: Libc,
  command: string,
  environment: Strings,
): string | number {
  const candidates = command.includes("/")
    ? [command]
    : command === ""
    ? []
    : (getVariable(environment, "PATH") ?? DEFAULT_PATH).split(":")
      .map((folder) => `${folder === "" ? "." : folder}/${command}`);
  let errno = ENOENT;
  for (const path of candidates) {
    if (libc.symbols.access(cString(path), X_OK) === 0) {
      if (isFile(path)) return path;
      errno = EACCES;
    } else if (
      libc.errno() === EACCES &&
      (candidates.length === 1 ||
        libc.symbols.access(cString(path), F_OK) === 0)
    ) {
      errno = EACCES;
    }
  }
  return errno;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    // Without -A, Deno may not read /proc, /dev and /sys: execve reports errors
    // there.
    return true;
  }
}

function requireExecve(
  action: string,
  filter: Uint8Array,
  { path, argv }: Image,
  environment: Strings,
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
  const parents = new BigUint64Array(2);
  const own = new BigUint64Array(2);
  // Neither call is essential: if they fail, the limit stays as Deno set it.
  if (
    libc.symbols.prlimit(Deno.ppid, RLIMIT_NOFILE, null, parents) !== 0 ||
    libc.symbols.prlimit(0, RLIMIT_NOFILE, null, own) !== 0
  ) return;
  const [soft = 0n] = parents;
  const [current = 0n, hard = 0n] = own;
  if (soft < current) {
    libc.symbols.prlimit(
      0,
      RLIMIT_NOFILE,
      new BigUint64Array([soft, hard]),
      null,
    );
  }
}
