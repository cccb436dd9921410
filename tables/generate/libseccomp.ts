/**
 * Reads all data of a libseccomp through its public functions. A name that it
 * reaches through a multiplexer resolves to a negative number, while the wired
 * number, if there is one, resolves to the name. So both directions are read.
 *
 * @module
 */

/** A library's data on one architecture. */
export interface LibraryTable {
  /** Its token for the architecture, a u32. */
  readonly token: number;
  /** Numbers as in `seccomp_data.nr` by name, wired calls only. */
  readonly syscalls: ReadonlyMap<string, number>;
  /**
   * Calls by name of the multiplexer: value of argument 0 by name of the call.
   */
  readonly multiplexed: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Every name that the library knows, wired here or not. */
  readonly known: ReadonlySet<string>;
}

/** An open libseccomp. */
export interface Library {
  /** Its version, such as `2.5.4`. */
  readonly version: string;
  /** The token of an architecture by its lower-case name; 0 if unknown. */
  token(name: string): number;
  /** The number of a name: see seccomp_syscall_resolve_name(3). */
  number(token: number, name: string): number;
  /** The name of a number. */
  name(token: number, nr: number): string | undefined;
  /** Closes the library. */
  close(): void;
}

/** Pseudo numbers of `socketcall` are −100 less the call's number. */
const SOCKETCALL_BASE = -100;
/** Pseudo numbers of `ipc` are −200 less the call's number. */
const IPC_BASE = -200;
/** Longest stretch of calls that one multiplexer serves. */
const MULTIPLEXED_SPAN = 99;
/** Names that exist only elsewhere are numbered downward from here. */
const ELSEWHERE_BASE = -10000;
/** Last number to search; 2.6.1 ends before −10400. */
const ELSEWHERE_SPAN = 2000;

/**
 * Numbers at which any architecture's calls start, each with the length to
 * search: mips' 4000 to 6999 are in the first; then arm's private calls; then
 * x32.
 */
const RANGES: readonly (readonly [first: number, length: number])[] = [
  [0, 8000],
  [0x000f_0000, 256],
  [0x4000_0000, 2000],
];

/**
 * Opens a libseccomp. The host's must be opened before any other: a library
 * that is already loaded is found again by its short name.
 *
 * @param path File or short name.
 */
export function openLibrary(path: string): Library {
  const library = Deno.dlopen(path, {
    // const struct scmp_version *seccomp_version(void)
    seccomp_version: { parameters: [], result: "pointer" },
    // uint32_t seccomp_arch_resolve_name(const char *arch_name)
    seccomp_arch_resolve_name: { parameters: ["buffer"], result: "u32" },
    // int seccomp_syscall_resolve_name_arch(uint32_t arch_token, const char *name)
    seccomp_syscall_resolve_name_arch: {
      parameters: ["u32", "buffer"],
      result: "i32",
    },
    // char *seccomp_syscall_resolve_num_arch(uint32_t arch_token, int num)
    seccomp_syscall_resolve_num_arch: {
      parameters: ["u32", "i32"],
      result: "pointer",
    },
  });
  const libc = Deno.dlopen("libc.so.6", {
    // void free(void *ptr)
    free: { parameters: ["pointer"], result: "void" },
  });
  const calls = library.symbols;
  const text = (value: string): Uint8Array<ArrayBuffer> =>
    new TextEncoder().encode(`${value}\0`);
  return {
    version: readVersion(calls.seccomp_version()),
    token: (name) => calls.seccomp_arch_resolve_name(text(name)),
    number: (token, name) =>
      calls.seccomp_syscall_resolve_name_arch(token, text(name)),
    name: (token, nr) => {
      const pointer = calls.seccomp_syscall_resolve_num_arch(token, nr);
      if (pointer === null) return undefined;
      const name = Deno.UnsafePointerView.getCString(pointer);
      libc.symbols.free(pointer);
      return name;
    },
    close: () => {
      library.close();
      libc.close();
    },
  };
}

/**
 * Reads a library's table of one architecture.
 *
 * @param library The library.
 * @param name Lower-case name of the architecture.
 * @returns The table, or `undefined` if the library does not know it.
 * @throws {Error} if the library's two directions contradict each other.
 */
export function readLibrary(
  library: Library,
  name: string,
): LibraryTable | undefined {
  const token = library.token(name);
  if (token === 0) return undefined;
  const syscalls = new Map<string, number>();
  for (const [first, length] of RANGES) {
    for (let nr = first; nr < first + length; nr++) {
      const found = library.name(token, nr);
      if (found !== undefined) syscalls.set(found, nr);
    }
  }
  const multiplexed = new Map<string, ReadonlyMap<string, number>>([
    ["socketcall", readCalls(library, token, SOCKETCALL_BASE)],
    ["ipc", readCalls(library, token, IPC_BASE)],
  ]);
  const known = new Set([
    ...syscalls.keys(),
    ...[...multiplexed.values()].flatMap((calls) => [...calls.keys()]),
  ]);
  for (let i = 1; i <= ELSEWHERE_SPAN; i++) {
    const found = library.name(token, ELSEWHERE_BASE - i);
    if (found !== undefined) known.add(found);
  }
  checkDirections(library, name, token, { syscalls, multiplexed });
  return { token, syscalls, multiplexed, known };
}

/** The calls of one multiplexer: value of argument 0 by name. */
function readCalls(
  library: Library,
  token: number,
  base: number,
): Map<string, number> {
  const calls = new Map<string, number>();
  for (let call = 1; call <= MULTIPLEXED_SPAN; call++) {
    const found = library.name(token, base - call);
    // Every library resolves these numbers on every architecture; the other
    // direction shows whether the call is multiplexed here.
    if (found !== undefined && library.number(token, found) === base - call) {
      calls.set(found, call);
    }
  }
  return calls;
}

/** Checks that the name of a number resolves to the same number. */
function checkDirections(
  library: Library,
  arch: string,
  token: number,
  table: Pick<LibraryTable, "syscalls" | "multiplexed">,
): void {
  for (const [name, nr] of table.syscalls) {
    const back = library.number(token, name);
    const hidden = [...table.multiplexed.values()].some((calls) =>
      calls.has(name)
    );
    if (back !== nr && !hidden) {
      throw new Error(
        `Cannot trust libseccomp ${library.version} on ${arch}: ` +
          `${nr} is ${name}, but ${name} is ${back}`,
      );
    }
  }
}

/** Reads `struct scmp_version { unsigned int major, minor, micro; }`. */
function readVersion(pointer: Deno.PointerValue): string {
  if (pointer === null) {
    throw new Error("Unreachable: libseccomp has no version");
  }
  const view = new Deno.UnsafePointerView(pointer);
  return [0, 4, 8].map((offset) => view.getUint32(offset)).join(".");
}
