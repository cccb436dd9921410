/**
 * Calls with expected verdicts, one JSON object per line:
 *
 * ```json
 * {"nr": "socket", "args": ["AF_ALG", "SOCK_STREAM"], "expect": "ERRNO(EPERM)"}
 * ```
 *
 * `nr` may be a number, and `syscall` is accepted in its place; so may the
 * arguments. `arch`, `args` and `expect` are optional.
 *
 * @module
 */

import { messageOf } from "../../host/reason.ts";
import { parseReturnValue } from "../../bpf/return_value.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import type { Arch } from "../../tables/arch.ts";
import { parseArguments, parseCall, parseWord } from "./call.ts";
import { InputError } from "../error.ts";

/** A call and the expected answer of a filter. */
export interface Vector {
  readonly data: SeccompData;
  /** A u32; absent if any answer is accepted. */
  readonly expect?: number;
}

const FIELDS: ReadonlySet<string> = new Set([
  ...["arch", "nr", "syscall", "args", "ip", "expect"],
  // Keys of the output of `simulate` itself.
  ...[
    "schemaVersion",
    "value",
    "arguments",
    "verdict",
    "steps",
    "paths",
    "rule",
    "ok",
  ],
]);

/**
 * Reads one line.
 *
 * @param line The text of a JSON object.
 * @param native The architecture if the line has none.
 * @throws {InputError} if the line cannot be read.
 */
export function readVector(line: string, native: Arch): Vector {
  try {
    return parseVector(line, native);
  } catch (error) {
    throw new InputError(
      `Cannot read vector: ${
        messageOf(error)
      }; write {"arch":"x86_64","nr":41,"args":["0x26"],"expect":"ERRNO(EPERM)"}`,
      { cause: error },
    );
  }
}

function parseVector(line: string, native: Arch): Vector {
  const value = parseLine(line);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError("not an object");
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  const strange = [...fields.keys()].find((key) => !FIELDS.has(key));
  if (strange !== undefined) {
    throw new SyntaxError(`unknown field ${JSON.stringify(strange)}`);
  }
  const args = fields.get("args") ?? [];
  if (!Array.isArray(args) || args.length > 6) {
    throw new SyntaxError("args: not an array of up to six");
  }
  const nr = fields.get("nr") ?? fields.get("syscall");
  if (nr === undefined) throw new SyntaxError("no nr");
  const archText = wordOf(fields.get("arch") ?? native.name).split("+")[0];
  const expect = fields.get("expect");
  const call = parseCall(`${archText}:${wordOf(nr)}`, native);
  return {
    data: {
      ...call,
      instructionPointer: parseWord(wordOf(fields.get("ip") ?? 0)),
      args: parseArguments(args.map(wordOf), call),
    },
    ...(expect === undefined
      ? {}
      : { expect: parseReturnValue(wordOf(expect), call.arch) }),
  };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new SyntaxError("not JSON", { cause: error });
  }
}

function wordOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "number") {
    throw new SyntaxError(
      `${JSON.stringify(value)}: neither a number nor a string`,
    );
  }
  if (!Number.isSafeInteger(value)) {
    throw new SyntaxError(
      `${value}: numbers beyond 2^53 are not exact; write a string`,
    );
  }
  return String(value);
}
