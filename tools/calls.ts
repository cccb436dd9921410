/**
 * Finds the functions of a program that are called in use, by running it and
 * reading V8's log.
 *
 * @module
 */

import type { Node } from "acorn";

/** Events of V8's log that report a called function, by its start. */
const CALLED = /^function,(?:first-execution|parse-function),(\d+),(\d+),/;
/** Events that report the number of a script. */
const SCRIPT = /^script-details,(\d+),([^,]+),/;

/** A run of a program. */
export interface Use {
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its standard input; empty if absent. */
  readonly input?: string;
}

/**
 * A node of a program; acorn's types contain more than is needed.
 */
export interface Syntax extends Node {
  /** Of an identifier. */
  readonly name?: string;
  /** Of a declaration, or a function with a name. */
  readonly id?: Syntax | null;
  /** Of a block, or a function. */
  readonly body?: Syntax | readonly Syntax[];
  /** Of a property of an object. */
  readonly key?: Node;
  /** Of a statement of declarations. */
  readonly declarations?: readonly Syntax[];
  /** `var`, `let` or `const`. */
  readonly kind?: string;
  /** Value of a declaration. */
  readonly init?: Syntax | null;
  /** Of a statement. */
  readonly expression?: Syntax | boolean;
  /** Of a call. */
  readonly callee?: Syntax;
  readonly arguments?: readonly Syntax[];
}

/**
 * Runs a program as it is used.
 *
 * @param program Text of a module; its imports are left as they are.
 * @param uses The runs; all of them must succeed.
 * @returns The places of the called functions, see `placeOf`.
 * @throws {Error} if a run fails.
 */
export async function findCalls(
  program: string,
  uses: readonly Use[],
): Promise<ReadonlySet<number>> {
  const scratch = await Deno.makeTempDir({ prefix: "calls-" });
  try {
    const file = `${scratch}/program.js`;
    await Deno.writeTextFile(file, program);
    const called = new Set<number>();
    for (const use of uses) {
      const log = `${scratch}/v8.log`;
      await run(file, log, use);
      const text = await Deno.readTextFile(log);
      for (const place of placesIn(text, file)) called.add(place);
    }
    return called;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Place of a function, as V8 counts it: the start of its parameters. */
export function placeOf({ type, start, id }: Syntax, program: string): number {
  return type === "ArrowFunctionExpression"
    ? start
    : program.indexOf("(", id?.end ?? start);
}

/** The children of a node, in the order of the text. */
export function* childrenOf(node: Syntax): Generator<Syntax> {
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === "string") yield child;
    }
  }
}

async function run(
  file: string,
  log: string,
  { args, input = "" }: Use,
): Promise<void> {
  const flags = [
    ...["--log-function-events", "--no-logfile-per-isolate"],
    `--logfile=${log}`,
  ].join(",");
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-config", "--no-code-cache"],
      ...[`--v8-flags=${flags}`, file, ...args],
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writing = new Blob([input]).stream().pipeTo(child.stdin)
    // The program may end without reading all of its input.
    .catch(() => {});
  const { success, stderr } = await child.output();
  await writing;
  if (success) return;
  const told = new TextDecoder().decode(stderr);
  throw new Error(`Cannot run the program with ${args.join(" ")}: ${told}`);
}

/** Places of the called functions of a file. */
function placesIn(log: string, file: string): readonly number[] {
  const lines = log.split("\n");
  const script = lines.map((line) => SCRIPT.exec(line))
    .find((found) => found?.[2] === `file://${file}`)?.[1];
  return lines.map((line) => CALLED.exec(line))
    .filter((found) => found?.[1] === script)
    .map((found) => Number(found?.[2]));
}
