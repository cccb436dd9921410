/**
 * The arguments of execve(2): the program that a command names, and the
 * environment with which this process was started.
 *
 * @module
 */

import { SyscallError } from "./error.ts";
import { addressOf, cString, type Libc } from "./libc.ts";

const RLIMIT_NOFILE = 7;
const F_OK = 0;
const X_OK = 1;
const ENOENT = 2;
const EACCES = 13;
/** Shell for a file that has no `#!` line, as in execvp(3). */
const SHELL = "/bin/sh";
/** Used if PATH is not set: confstr(_CS_PATH) of glibc. */
const DEFAULT_PATH = "/bin:/usr/bin";
/** asm-generic/fcntl.h. */
const O_CLOEXEC = 0o2000000;

/** Strings in the form of execve(2). */
export interface CStrings {
  /** Addresses of the strings, then 0. */
  readonly addresses: BigUint64Array<ArrayBuffer>;
  /** Kept here, and therefore alive, while their addresses are in use. */
  readonly strings: readonly Uint8Array<ArrayBuffer>[];
}

/** Arguments of execve(2) except the environment. */
export interface Image {
  readonly path: Uint8Array<ArrayBuffer>;
  readonly argv: CStrings;
}

function image(path: string, args: readonly string[]): Image {
  return { path: cString(path), argv: toStrings(args.map(cString)) };
}

function toStrings(strings: readonly Uint8Array<ArrayBuffer>[]): CStrings {
  const addresses = BigUint64Array.from([...strings.map(addressOf), 0n]);
  return { addresses, strings };
}

/**
 * A command.
 *
 * @category Kernel
 */
export interface CommandWords {
  /** Path of the program, or a name to find in PATH. */
  readonly command: string;
  /** Its arguments, without the program's own name. */
  readonly args?: readonly string[];
}

/**
 * Makes the arguments of execve(2) for a command.
 *
 * @param path Path of its program.
 * @returns Those for a program, and those for a file without a `#!` line.
 */
export function imagesOf(
  path: string,
  { command, args = [] }: CommandWords,
): readonly [Image, Image] {
  return [
    image(path, [command, ...args]),
    image(SHELL, [SHELL, path, ...args]),
  ];
}

/**
 * Reads the environment with which this process was started, byte for byte.
 *
 * @param action The action that fails without it, for the message.
 * @throws {SyscallError} if /proc cannot be read.
 */
export function initialEnvironment(libc: Libc, action: string): CStrings {
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
function getVariable(environment: CStrings, name: string): string | undefined {
  for (const bytes of environment.strings) {
    const text = new TextDecoder().decode(bytes.subarray(0, -1));
    if (text.startsWith(`${name}=`)) return text.slice(name.length + 1);
  }
  return undefined;
}

/**
 * Finds the program of a command; returns a path, or an errno.
 *
 * A folder of PATH that may not be searched is skipped, as in shells:
 * EACCES of execvp(3) would mean that the command exists.
 */
export function resolveCommand(
  libc: Libc,
  command: string,
  environment: CStrings,
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

/**
 * Sets the soft limit on open files, which Deno raises to the hard one, to that
 * of the parent process, from which it was inherited.
 *
 * @param pid The process; 0 for this one.
 */
export function setOpenFiles(libc: Libc, pid: number): void {
  const parents = new BigUint64Array(2);
  const own = new BigUint64Array(2);
  // Neither call is essential: if they fail, the limit stays as Deno set it.
  if (
    libc.symbols.prlimit(Deno.ppid, RLIMIT_NOFILE, null, parents) !== 0 ||
    libc.symbols.prlimit(pid, RLIMIT_NOFILE, null, own) !== 0
  ) return;
  const [soft = 0n] = parents;
  const [current = 0n, hard = 0n] = own;
  if (soft < current) {
    libc.symbols.prlimit(
      pid,
      RLIMIT_NOFILE,
      new BigUint64Array([soft, hard]),
      null,
    );
  }
}
