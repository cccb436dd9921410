/**
 * Writes the programs in other languages into TypeScript modules, so that the
 * program needs no other files.
 *
 * ```sh
 * deno task embed            # writes the modules
 * deno task embed --check    # compares, exits 1 if one differs
 * ```
 *
 * | source                              | module                          |
 * | ----------------------------------- | ------------------------------- |
 * | `hook/dispatcher/*.sh`, `*.awk`     | `hook/dispatcher/dispatcher_code.ts` |
 * | `ffi/stub.s`                        | `ffi/stub_code.ts`              |
 *
 * The stub needs an assembler for x86_64 (binutils). If the machine has none,
 * its module is left unchanged.
 *
 * @module
 */

import { findProgram } from "../host/programs.ts";
import { type Given, type Manual, start } from "./arguments.ts";

/** A generated module. */
export interface Embedded {
  /** Path in the repository. */
  readonly path: string;
  /** Its text; absent if the machine cannot make it. */
  readonly text?: string;
  /** The reason why not, and the remedy. */
  readonly absent?: string;
}

/** Columns of a line of encoded bytes, without quotes. */
const WIDTH = 76;

/** The programs of the dispatcher: exported name, file, meaning. */
const DISPATCHER_PROGRAMS = [
  ["HOOK_SH", "hook.sh", "Podman's `precreate` stage."],
  ["WRAPPER_SH", "wrapper.sh", "The wrapper of a runtime."],
  ["COUNTS_SH", "counts.sh", "Entries that both write to the store."],
  ["DISPATCHER_AWK", "dispatcher.awk", "Reads one configuration."],
] as const;

/** Makes the text of every generated module. */
export async function embed(): Promise<readonly Embedded[]> {
  return [
    {
      path: "hook/dispatcher/dispatcher_code.ts",
      text: await dispatcherModule(),
    },
    await stubModule(),
  ];
}

async function dispatcherModule(): Promise<string> {
  const parts = [
    moduleDoc("the programs of hook/dispatcher/, for dispatcher.ts"),
  ];
  for (const [name, file, brief] of DISPATCHER_PROGRAMS) {
    const source = await read(`hook/dispatcher/${file}`);
    parts.push(`/** ${file}: ${brief} */
export const ${name} =
  ${templateOf(shippedPart(source))};
`);
  }
  return parts.join("\n");
}

/** Removes the parts for readers of the repository and for linters. */
function shippedPart(source: string): string {
  return source.replace(/^#!.*\n/, "").replace(
    /^(?:##|# shellcheck )?.*\n/gm,
    (line) => /^(?:##|# shellcheck )/.test(line) ? "" : line,
  );
}

/** Writes a text as a template literal, which preserves its lines. */
function templateOf(text: string): string {
  return `\`${text.replace(/[\\`]|\$(?=\{)/g, (mark) => `\\${mark}`)}\``;
}

async function stubModule(): Promise<Embedded> {
  const path = "ffi/stub_code.ts";
  const tools = await findAssembler();
  if (tools === undefined) {
    const absent = "no assembler for x86_64 is installed; install binutils";
    return { path, absent };
  }
  const folder = await Deno.makeTempDir({ prefix: "embed-" });
  try {
    const [object, binary] = [`${folder}/stub.o`, `${folder}/stub.bin`];
    await output(tools.as, [
      ...["--64", "--fatal-warnings", "-o", object, pathOf("ffi/stub.s")],
    ]);
    await output(tools.objcopy, [
      ...["-O", "binary", "-j", ".text", object, binary],
    ]);
    const symbols = await output(tools.nm, ["-P", object]);
    return { path, text: stubText(await Deno.readFile(binary), symbols) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The module of the stub: its bytes, two labels, the fields of its context. */
function stubText(code: Uint8Array, symbols: string): string {
  const values = new Map<string, number>();
  for (const line of symbols.split("\n")) {
    const [name = "", , value = ""] = line.split(" ");
    if (name !== "") values.set(name, Number(`0x${value}`));
  }
  const label = (name: string): string => {
    const value = values.get(name);
    if (value === undefined) {
      throw new Error(`Cannot embed ffi/stub.s: it has no label ${name}`);
    }
    return `0x${value.toString(16)}`;
  };
  const fields = [...values].filter(([name]) => name.startsWith("context."))
    .map(([name, value]): [string, number] => [name.slice(8), value])
    .sort(([, a], [, b]) => a - b);
  return `${moduleDoc(`ffi/stub.s as machine code, ${code.length} bytes`)}
/** The code in hexadecimal digits; position independent. */
export const STUB_CODE: string =
${linesOf(code.toHex())};

/** Offset after \`syscall\`: the instruction pointer that the filter sees. */
export const AFTER_SYSCALL = ${label("afterSyscall")};

/** Offset after \`int $0x80\`. */
export const AFTER_INT80 = ${label("afterInt80")};

/** Offsets of the fields of the context, in bytes; stub.s explains them. */
export const CONTEXT = {
${fields.map(([name, value]) => `  ${name}: ${value},\n`).join("")}} as const;
`;
}

/** Finds an assembler for x86_64 and the two programs that read its output. */
async function findAssembler(): Promise<
  { as: string; objcopy: string; nm: string } | undefined
> {
  for (const prefix of ["x86_64-linux-gnu-", ""]) {
    const as = await findProgram(`${prefix}as`);
    const objcopy = await findProgram(`${prefix}objcopy`);
    const nm = await findProgram(`${prefix}nm`);
    if (as === undefined || objcopy === undefined || nm === undefined) continue;
    const version = await output(as, ["--version"]);
    if (/target of [`']?x86_64/.test(version)) return { as, objcopy, nm };
  }
  return undefined;
}

async function output(
  program: string,
  args: readonly string[],
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { LC_ALL: "C" },
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`${program} failed: ${decoder.decode(stderr).trim()}`);
}

function moduleDoc(what: string): string {
  return `/**
 * Holds ${what}. Written by
 * \`deno task embed\`.
 *
 * @module
 */
`;
}

function linesOf(digits: string): string {
  const lines = digits.match(new RegExp(`.{1,${WIDTH}}`, "g")) ?? [];
  return lines.map((line) => `  "${line}"`).join(" +\n");
}

function pathOf(path: string): string {
  return new URL(`../${path}`, import.meta.url).pathname;
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(pathOf(path));
}

const MANUAL: Manual = {
  usage: "deno task embed [OPTION...]",
  brief:
    "Writes the programs in sh, awk and assembler into the TypeScript modules\nthat contain them.",
  options: {
    check: { brief: "Compare only; exit with 1 if a module differs" },
  },
};

async function main(given: Given): Promise<number> {
  let code = 0;
  for (const { path, text, absent } of await embed()) {
    if (text === undefined) {
      report(`${path} is left unchanged: ${absent}`);
    } else if (!given.has("check")) {
      await Deno.writeTextFile(pathOf(path), text);
    } else if (await read(path) !== text) {
      report(`${path} differs from its source: run deno task embed`);
      code = 1;
    }
  }
  return code;
}

function report(message: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.error(message);
}

if (import.meta.main) start(MANUAL, main);
