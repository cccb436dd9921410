/**
 * Reads constants from kernel headers with the C preprocessor: `gcc -E` as any
 * architecture, without the host's own macros or folders.
 *
 * @module
 */

import type { Abi } from "./abi.ts";

/** Content of the headers of one architecture. */
export interface HeaderTable {
  /** Numbers as in `seccomp_data.nr` by name; aliases included. */
  readonly syscalls: ReadonlyMap<string, number>;
  /** `AUDIT_ARCH_*`, a u32. */
  readonly auditArch: number;
  /** True if the audit value has the 64-bit flag. */
  readonly audit64: boolean;
  /** True if the audit value has the little-endian flag. */
  readonly littleEndian: boolean;
  /** `__X32_SYSCALL_BIT` for x32, 0 elsewhere. */
  readonly syscallBit: number;
}

/**
 * Macros with a syscall's prefix that are not system calls: bases and counts of
 * mips, arm and the generic table, and numbers that are unassigned or
 * withdrawn. A separate rule removes upper case.
 */
const NO_SYSCALL =
  /^(?:syscalls|arch_specific_syscall|reserved\d+|unused\d*|.*[A-Z].*)$/;

/**
 * Reads the table of one architecture.
 *
 * @param root Folder with the unpacked `linux-libc-dev`.
 * @param abi The architecture.
 */
export async function readHeaders(
  root: string,
  abi: Abi,
): Promise<HeaderTable> {
  const flags = compilerFlags(root, abi);
  const source = "#include <asm/unistd.h>\n#include <linux/audit.h>\n";
  const macros = await macroNames(source, flags);
  const wanted: string[] = [
    abi.audit,
    "__AUDIT_ARCH_64BIT",
    "__AUDIT_ARCH_LE",
  ];
  if (abi.name === "x32") wanted.push("__X32_SYSCALL_BIT");
  const names = new Map<string, string>();
  for (const macro of macros) {
    const name = /^__(?:ARM_)?NR_(\w+)$/.exec(macro)?.[1];
    if (name === undefined || NO_SYSCALL.test(name)) continue;
    names.set(macro, name);
    wanted.push(macro);
  }
  const values = await macroValues(source, flags, wanted);
  const value = (macro: string): number => {
    const found = values.get(macro);
    if (found === undefined) {
      throw new Error(`Cannot read ${macro} for ${abi.name}: not a number`);
    }
    return found;
  };
  const syscalls = new Map<string, number>();
  for (const [macro, name] of names) syscalls.set(name, value(macro));
  const auditArch = value(abi.audit);
  const has = (flag: string): boolean => (auditArch & value(flag)) !== 0;
  return {
    syscalls,
    auditArch,
    audit64: has("__AUDIT_ARCH_64BIT"),
    littleEndian: has("__AUDIT_ARCH_LE"),
    syscallBit: abi.name === "x32" ? value("__X32_SYSCALL_BIT") : 0,
  };
}

/** Error numbers, with second names kept apart. */
export interface Errnos {
  /** Numbers by name, one name for each number. */
  readonly names: ReadonlyMap<string, number>;
  /** Macros that stand for another name: numbers by name. */
  readonly aliases: ReadonlyMap<string, number>;
}

/**
 * Reads the errno values of x86, which all architectures with the generic table
 * share: the kernel's asm/errno.h, and the aliases that the host's C library
 * adds to it.
 *
 * @param root Folder with the unpacked `linux-libc-dev`.
 */
export async function readErrnos(root: string): Promise<Errnos> {
  const include = `${root}/usr/include`;
  const flags = ["-I", `${include}/x86_64-linux-gnu`, "-I", include];
  const source = "#include <errno.h>\n";
  const macros = await macroNames(source, flags);
  const errnos = macros.filter((name) => /^E[A-Z0-9]+$/.test(name));
  const values = await macroValues(source, flags, errnos);
  const text = await preprocess(source, ["-dM", ...flags]);
  const names = new Map<string, number>();
  const aliases = new Map<string, number>();
  for (const [name, nr] of values) {
    const own = new RegExp(`^#define ${name} \\d+$`, "m").test(text);
    (own ? names : aliases).set(name, nr);
  }
  return { names, aliases };
}

/**
 * Reads the errno values of an architecture from the kernel's asm/errno.h.
 *
 * @param root Folder with the unpacked `linux-libc-dev`.
 * @param abi The architecture.
 * @returns Numbers by name, second names included.
 */
export async function readOwnErrnos(
  root: string,
  abi: Abi,
): Promise<ReadonlyMap<string, number>> {
  const flags = compilerFlags(root, abi);
  const source = "#include <asm/errno.h>\n";
  const macros = await macroNames(source, flags);
  const errnos = macros.filter((name) => /^E[A-Z0-9]+$/.test(name));
  return await macroValues(source, flags, errnos);
}

/**
 * Lists the flags that make gcc read as an architecture and ignore the host.
 *
 * @param root Folder with the unpacked `linux-libc-dev`.
 * @param abi The architecture.
 */
export function compilerFlags(root: string, abi: Abi): string[] {
  const include = `${root}/usr/include`;
  const size = abi.bits / 8;
  const defines = [
    ...abi.defines,
    `__SIZEOF_LONG__=${size}`,
    `__SIZEOF_POINTER__=${size}`,
    "__CHAR_BIT__=8",
    ...(abi.bits === 64 ? ["__LP64__"] : []),
  ];
  return [
    "-undef",
    "-nostdinc",
    ...["-I", `${include}/${abi.triplet}`, "-I", include],
    ...defines.map((define) => `-D${define}`),
  ];
}

/** The names of all macros without parameters that a source defines. */
async function macroNames(
  source: string,
  flags: readonly string[],
): Promise<string[]> {
  const text = await preprocess(source, ["-dM", ...flags]);
  return [...text.matchAll(/^#define (\w+) /gm)].map((match) => match[1] ?? "");
}

/** The values of macros, expanded by the preprocessor. */
async function macroValues(
  source: string,
  flags: readonly string[],
  names: readonly string[],
): Promise<Map<string, number>> {
  // A name in quotes is not expanded.
  const lines = names.map((name) => `\nVALUE_OF "${name}" ${name}`);
  const text = await preprocess(source + lines.join(""), ["-P", ...flags]);
  const values = new Map<string, number>();
  for (const match of text.matchAll(/^VALUE_OF "(\w+)" (.*)$/gm)) {
    values.set(match[1] ?? "", evaluate(match[2] ?? ""));
  }
  return values;
}

/**
 * Evaluates numbers joined by `+` or by `|`, with or without parentheses: these
 * headers contain no other operators.
 *
 * @throws {SyntaxError} if there is anything else.
 */
export function evaluate(expression: string): number {
  const plain = expression.replace(/[()\s]/g, "");
  const number = "(?:0[xX][0-9a-fA-F]+|\\d+)[uUlL]*";
  const either = new RegExp(
    `^${number}(?:(?:\\+${number})*|(?:\\|${number})*)$`,
  );
  if (!either.test(plain)) {
    throw new SyntaxError(
      `Cannot evaluate "${expression}": not a sum or union`,
    );
  }
  const terms = plain.split(/[+|]/).map((term) =>
    Number(term.replace(/[uUlL]+$/, ""))
  );
  return plain.includes("|")
    ? terms.reduce((a, b) => (a | b) >>> 0, 0)
    : terms.reduce((a, b) => a + b, 0);
}

/**
 * Runs `gcc -E` on a source.
 *
 * @param source Text in C.
 * @param flags Further arguments.
 * @returns Output of the preprocessor.
 */
export async function preprocess(
  source: string,
  flags: readonly string[],
): Promise<string> {
  const child = new Deno.Command("gcc", {
    args: ["-E", "-x", "c", ...flags, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const output = await child.output();
  if (!output.success) {
    const reason = new TextDecoder().decode(output.stderr);
    throw new Error(`Cannot preprocess headers: ${reason}`);
  }
  return new TextDecoder().decode(output.stdout);
}
