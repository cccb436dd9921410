/**
 * The text of a minijail policy: lines, expressions and actions, in the words
 * of either of its readers.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import { parseArgument } from "../../tables/arguments.ts";
import { errnoNumber } from "../../tables/errno.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";
import type { ReturnValue } from "../policy.ts";
import { quote } from "../text.ts";
import type { ForeignReport } from "./foreign_policy.ts";

/** `argN OP VALUE`. */
export interface MinijailAtom {
  readonly arg: number;
  readonly op: string;
  readonly value: bigint;
}

/** An action, for arguments of which one clause is true. */
export interface MinijailFilter {
  /** Clauses, of which all atoms must be true; absent if always. */
  readonly clauses?: readonly (readonly MinijailAtom[])[];
  readonly value: ReturnValue;
}

/** The filters of one call of a line. */
export interface MinijailStatement {
  readonly name: string;
  readonly filters: readonly MinijailFilter[];
  /** Offset of the line. */
  readonly at: number;
}

/** A policy as it was written. */
export interface MinijailPolicy {
  /** The program that can read it. */
  readonly dialect: "minijail0" | "compiler";
  /** The default answer, if the policy has one. */
  readonly fallback?: ReturnValue;
  readonly statements: readonly MinijailStatement[];
}

/** The machine, and the place of problems. */
export interface MinijailContext {
  readonly native: Arch;
  readonly report: ForeignReport;
  /** Reads a file that the policy includes. */
  readonly include?: (path: string) => string;
}

/** A line without its continuations and comments. */
interface Line {
  readonly text: string;
  readonly at: number;
}

const ACTIONS: ReadonlyMap<string, ReturnValue> = new Map([
  ["allow", SECCOMP_RET_ALLOW],
  ["1", SECCOMP_RET_ALLOW],
  ["kill", SECCOMP_RET_KILL_THREAD],
  ["kill-thread", SECCOMP_RET_KILL_THREAD],
  ["kill-process", SECCOMP_RET_KILL_PROCESS],
  ["trap", SECCOMP_RET_TRAP],
  ["trace", SECCOMP_RET_TRACE],
  ["log", SECCOMP_RET_LOG],
  ["user-notify", SECCOMP_RET_USER_NOTIF],
]);

/** Braces, words, brackets and comments after text, which minijail0 refuses. */
const COMPILER_ONLY =
  /^\s*(?:@(?:default|denylist)\b|\{|[^:#@]*\[|[^#]*\S\s*#|[^:]*:\s*\{|[^:]*:(?:.*;)?\s*(?:allow|kill|kill-process|kill-thread|trap|trace|log|user-notify)\s*$)/m;

/**
 * Parses a policy.
 *
 * @param text The policy.
 * @param context The machine, and where problems go.
 */
export function parseMinijail(
  text: string,
  context: MinijailContext,
): MinijailPolicy {
  const dialect = COMPILER_ONLY.test(text) ? "compiler" : "minijail0";
  return new MinijailParser(context, dialect).parse(text);
}

class MinijailParser {
  readonly #context: MinijailContext;
  readonly #dialect: MinijailPolicy["dialect"];
  readonly #statements: MinijailStatement[] = [];
  #fallback: ReturnValue | undefined;

  constructor(context: MinijailContext, dialect: MinijailPolicy["dialect"]) {
    this.#context = context;
    this.#dialect = dialect;
  }

  parse(text: string): MinijailPolicy {
    for (const line of linesOf(text)) this.#line(line, false);
    return {
      dialect: this.#dialect,
      ...(this.#fallback === undefined ? {} : { fallback: this.#fallback }),
      statements: this.#statements,
    };
  }

  #error(at: number, message: string, fix: string): undefined {
    this.#context.report.add("error", at, message, fix);
    return undefined;
  }

  #line(line: Line, isIncluded: boolean): void {
    const text = this.#dialect === "compiler"
      ? line.text.replace(/\s*#.*$/, "")
      : line.text;
    const [, word, rest = ""] = /^@([a-z]+)\s*:?\s*(.*)$/.exec(text) ?? [];
    switch (word) {
      case undefined:
        this.#statement(text, line.at);
        return;
      case "frequency":
        return;
      case "include":
        this.#include(rest, line.at, isIncluded);
        return;
      case "default": {
        const value = ACTIONS.get(rest);
        const isDenial = value !== undefined && value < SECCOMP_RET_TRACE ||
          value === SECCOMP_RET_KILL_PROCESS ||
          value === SECCOMP_RET_USER_NOTIF;
        if (rest !== "1" && isDenial) this.#fallback = value;
        else {
          this.#error(
            line.at,
            `Cannot read the default ${quote(rest)}`,
            "write kill-process, kill-thread, trap or user-notify",
          );
        }
        return;
      }
      case "denylist":
        this.#fallback = SECCOMP_RET_ALLOW;
        return;
      default:
        this.#error(line.at, `Unknown statement @${word}`, "remove it");
    }
  }

  #include(path: string, at: number, isIncluded: boolean): void {
    const { include } = this.#context;
    if (include === undefined || isIncluded) {
      this.#error(
        at,
        isIncluded
          ? "An included file includes another one"
          : `Cannot include ${quote(path)}`,
        "write its lines in place of @include",
      );
      return;
    }
    let text: string;
    try {
      text = include(path);
    } catch (error) {
      this.#error(
        at,
        `Cannot include ${quote(path)}: ${
          error instanceof Error ? error.message : String(error)
        }`,
        "give the file there, or write its lines here",
      );
      return;
    }
    // Problems of an included line have the place of @include.
    for (const line of linesOf(text)) this.#line({ ...line, at }, true);
  }

  #statement(text: string, at: number): void {
    const { native, report } = this.#context;
    const [, left, right = ""] = /^([^:]*):(.*)$/s.exec(text) ?? [];
    if (left === undefined || right.trim() === "") {
      this.#error(at, "Cannot read this line", "write CALL: EXPRESSION");
      return;
    }
    const names = left.trim().replace(/^\{(.*)\}$/s, "$1").split(
      /,(?![^[]*\])/,
    );
    for (const word of names) {
      const [, name, metadata] = /^\s*([\w@-]+)\s*(?:\[([^\]]*)\])?\s*$/
        .exec(word) ?? [];
      if (name === undefined) {
        this.#error(at, `Cannot read the name ${quote(word)}`, "name a call");
        continue;
      }
      if (metadata !== undefined && !isFor(metadata, native)) continue;
      if (!native.syscalls.has(name)) {
        report.unknownCall(at, name, [native]);
        continue;
      }
      const filters = this.#filters(right.trim(), name, at);
      if (filters !== undefined) this.#statements.push({ name, filters, at });
    }
  }

  #filters(
    text: string,
    call: string,
    at: number,
  ): readonly MinijailFilter[] | undefined {
    const [, inner] = /^\{(.*)\}$/s.exec(text) ?? [];
    const parts = inner === undefined ? [text] : inner.split(",");
    const filters = parts.map((part) => this.#filter(part.trim(), call, at));
    if (filters.some((one) => one === undefined)) return undefined;
    const list = filters.flatMap((one) => one ?? []);
    if (list.slice(0, -1).some(({ clauses }) => clauses === undefined)) {
      return this.#error(at, "An action hides those after it", "remove them");
    }
    return list;
  }

  #filter(
    text: string,
    call: string,
    at: number,
  ): readonly MinijailFilter[] | undefined {
    if (!/^\(?\s*arg/.test(text)) {
      const value = this.#action(text, at);
      return value === undefined ? undefined : [{ value }];
    }
    const [expression = "", action, more] = text.split(";");
    if (more !== undefined) {
      return this.#error(at, "Two actions follow an expression", "keep one");
    }
    const clauses = expression.split("||").map((clause) =>
      clause.split("&&").map((atom) => this.#atom(atom.trim(), call, at))
    );
    const value = action === undefined
      ? SECCOMP_RET_ALLOW
      : this.#action(action.trim(), at);
    if (value === undefined) return undefined;
    const read = clauses.map((clause) => clause.flatMap((one) => one ?? []));
    if (clauses.some((clause) => clause.includes(undefined))) return undefined;
    if (this.#dialect === "compiler" || action === undefined) {
      return [{ clauses: read, value }];
    }
    return [{ clauses: read, value: SECCOMP_RET_ALLOW }, { value }];
  }

  #action(text: string, at: number): ReturnValue | undefined {
    const [, error] = /^return\s+(\S+)$/.exec(text) ?? [];
    const number = error === undefined ? undefined : this.#errno(error);
    if (number !== undefined) return SECCOMP_RET_ERRNO + number;
    const value = ACTIONS.get(text);
    const isRead = this.#dialect === "compiler" || text === "1";
    if (value !== undefined && isRead) return value;
    return this.#error(
      at,
      `Cannot read the action ${quote(text)}`,
      "write 1, an expression with arg0 to arg5, or return ERROR",
    );
  }

  #errno(text: string): number | undefined {
    const integer = integerOf(text);
    const number = integer === undefined
      ? errnoNumber(text, this.#context.native.auditArch)
      : Number(integer);
    return number === undefined || number < 0 || number > 0xffff
      ? undefined
      : number;
  }

  #atom(text: string, call: string, at: number): MinijailAtom | undefined {
    const [, index, op, constant = ""] =
      /^arg([0-5])\s+(==|!=|<=|>=|<|>|&|in)\s+(.+)$/.exec(text) ?? [];
    if (index === undefined || op === undefined) {
      return this.#error(
        at,
        `Cannot read the comparison ${quote(text)}`,
        "write arg0 to arg5, an operator such as ==, and a constant",
      );
    }
    const arg = Number(index);
    const value = this.#constant(constant.trim(), call, arg);
    if (value === undefined) {
      return this.#error(
        at,
        `Unknown constant ${quote(constant)}`,
        "write its number",
      );
    }
    return { arg, op, value: BigInt.asUintN(64, value) };
  }

  /** Reads constants joined by `|`, in brackets, or after `~`. */
  #constant(text: string, call: string, arg: number): bigint | undefined {
    const parts = splitOutside(text);
    let value = 0n;
    for (const part of parts) {
      const [, tilde = "", rest = ""] = /^(~?)\s*(.*)$/s.exec(part.trim()) ??
        [];
      const [, inner] = /^\((.*)\)$/s.exec(rest) ?? [];
      const one = inner === undefined
        ? this.#single(rest, call, arg)
        : this.#constant(inner, call, arg);
      if (one === undefined) return undefined;
      value |= tilde === "" ? one : ~one;
    }
    return value;
  }

  #single(text: string, call: string, arg: number): bigint | undefined {
    const integer = integerOf(text);
    if (integer !== undefined || !/^[A-Za-z_]\w*$/.test(text)) return integer;
    try {
      return parseArgument(this.#context.native, call, arg, text);
    } catch {
      return undefined;
    }
  }
}

/** Reports whether `arch=…` of a name lists a machine. */
function isFor(metadata: string, { name }: Arch): boolean {
  const [, list] = /(?:^|;)\s*arch\s*=\s*([^;]*)/.exec(metadata) ?? [];
  if (list === undefined) return true;
  return list.split(",").some((word) => {
    const own = word.trim();
    return own === name || own === ARCH_WORDS[name];
  });
}

/** Names of machines in policies, where they differ from ours. */
const ARCH_WORDS: Readonly<Record<string, string>> = {
  "aarch64": "arm64",
  "x86": "i386",
};

/** Splits at `|` outside of brackets. */
function splitOutside(text: string): readonly string[] {
  const parts = [""];
  let depth = 0;
  for (const char of text) {
    if (char === "(") depth++;
    if (char === ")") depth--;
    if (char === "|" && depth === 0) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** Reads an integer as strtol(3) does: decimal, hex, or octal after 0. */
function integerOf(text: string): bigint | undefined {
  const [, sign, digits = ""] =
    /^(-?)(0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})$/.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const isOctal = /^0[0-7]+$/.test(digits);
  if (/^0[0-9]+$/.test(digits) && !isOctal) return undefined;
  const value = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  if (value >= 1n << 64n) return undefined;
  return sign === "-" ? -value : value;
}

/** The lines with text; one that ends in a backslash continues. */
function linesOf(text: string): readonly Line[] {
  const lines: Line[] = [];
  let open: Line | undefined;
  for (const match of text.matchAll(/[^\n]*(?:\n|$)/g)) {
    const part = match[0].replace(/\r?\n$/, "");
    const whole: Line = open === undefined
      ? { text: part, at: match.index }
      : { ...open, text: `${open.text} ${part}` };
    if (part.endsWith("\\")) {
      open = { ...whole, text: whole.text.slice(0, -1) };
      continue;
    }
    open = undefined;
    const trimmed = whole.text.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const blanks = whole.text.length - whole.text.trimStart().length;
    lines.push({ text: trimmed, at: whole.at + blanks });
  }
  if (open !== undefined) lines.push(open);
  return lines;
}
