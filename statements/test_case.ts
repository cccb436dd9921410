/**
 * Test cases of a policy, one per line: the required answers to calls, for all
 * values of their arguments. docs/test.md has the grammar.
 *
 * ```text
 * allow mmap prot ⊆ PROT_READ|PROT_WRITE
 * errno EPERM clone CLONE_NEWUSER on x86_64
 * same-as default:docker except mount, umount2
 * ```
 *
 * @module
 */

import { errnoNumber } from "../tables/errno.ts";
import { quoteText } from "../tables/printable.ts";
import { didYouMean } from "../tables/suggest.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../tables/uapi.ts";
import { StatementError, type WrittenCondition } from "./condition.ts";
import { parseCondition } from "./parse_condition.ts";

/** Answers with given bits under a mask. */
export interface AnswerPattern {
  readonly mask: number;
  readonly value: number;
}

/** Calls that a case is about. */
export interface CaseCalls {
  /** Names or numbers, with the architecture before a colon if it is given. */
  readonly calls: readonly string[];
  /**
   * Names of architectures; `undefined` for all architectures of the source.
   */
  readonly arches: readonly string[] | undefined;
}

/** The answers to calls. */
export interface AnswerCase extends CaseCalls {
  readonly kind: "answer";
  /** One of them must match; an errno is given by name or number. */
  readonly patterns: readonly AnswerPattern[];
  /** The error that `errno` names, whose number depends on the architecture. */
  readonly errno: string | undefined;
  readonly condition: WrittenCondition | undefined;
}

/** A requirement on a source. */
export type TestCase =
  | AnswerCase
  | CaseCalls & { readonly kind: "cached"; readonly cached: boolean }
  | { readonly kind: "subset"; readonly base: string }
  | {
    readonly kind: "same";
    readonly other: string;
    /** Calls that may differ. */
    readonly except: readonly string[];
  };

/** Actions by the word of a case. */
const ACTIONS: Readonly<Record<string, readonly number[]>> = {
  allow: [SECCOMP_RET_ALLOW],
  log: [SECCOMP_RET_LOG],
  trace: [SECCOMP_RET_TRACE],
  notify: [SECCOMP_RET_USER_NOTIF],
  errno: [SECCOMP_RET_ERRNO],
  trap: [SECCOMP_RET_TRAP],
  kill: [SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS],
  "kill-thread": [SECCOMP_RET_KILL_THREAD],
  "kill-process": [SECCOMP_RET_KILL_PROCESS],
  deny: [
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_TRAP,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_KILL_PROCESS,
  ],
};

/** First words of cases. */
const WORDS: readonly string[] = [
  ...Object.keys(ACTIONS),
  "cached",
  "uncached",
  "subset-of",
  "same-as",
];

/** Characters that distinguish a condition from values. */
const COMPARES = /[=<>≤≥≠∈∉⊆⊈∋∌&]|\b(?:in|subset|has|lacks|not)\b/u;

/**
 * Reads a case.
 *
 * @throws {StatementError} if it is not one.
 *
 * @param line The text, without a comment.
 * @returns The case.
 */
export function parseCase(line: string): TestCase {
  const [, word = "", rest = ""] = /^\s*(\S+)\s*(.*)$/su.exec(line.trimEnd()) ??
    [];
  const start = line.length - line.trimStart().length;
  if (!WORDS.includes(word)) {
    const near = didYouMean(word, WORDS);
    throw new StatementError(
      `Cannot read case ${quoteText(word)}: ${
        near === undefined
          ? `write one of ${WORDS.join(", ")}`
          : `did you mean ${near}`
      }`,
      start,
    );
  }
  if (rest === "") {
    throw new StatementError(
      `Cannot read case: ${word} of nothing; write a ${
        word.includes("-") && !word.startsWith("kill") ? "source" : "call"
      } after it`,
      start + word.length,
    );
  }
  switch (word) {
    case "subset-of":
      return { kind: "subset", base: rest };
    case "same-as": {
      const [other = "", except = ""] = rest.split(/\s+except\s+/);
      return { kind: "same", other, except: listOf(except) };
    }
    case "cached":
    case "uncached":
      return {
        kind: "cached",
        cached: word === "cached",
        ...callsOf(rest, line).calls,
      };
    default:
      return answerCase(word, rest, line);
  }
}

function answerCase(word: string, rest: string, line: string): AnswerCase {
  const named = word === "errno"
    ? /^(E[A-Z0-9]+|[0-9]+)\s+(?=\S)(.*)$/s.exec(rest)
    : null;
  const errno = named?.[1];
  if (errno !== undefined && !isErrno(errno)) {
    throw new StatementError(
      `Cannot read case: unknown error ${
        quoteText(errno)
      }; write a name such as EPERM`,
      line.indexOf(errno),
    );
  }
  const { calls, args, offset } = callsOf(named?.[2] ?? rest, line);
  const condition = args === "" ? undefined : conditionOf(args, line, offset);
  return {
    kind: "answer",
    ...calls,
    errno,
    patterns: (ACTIONS[word] ?? []).map((value) => ({
      mask: SECCOMP_RET_ACTION_FULL,
      value,
    })),
    condition,
  };
}

function isErrno(text: string): boolean {
  return /^[0-9]+$/.test(text)
    ? Number(text) <= 4095
    : errnoNumber(text) !== undefined;
}

/** Calls, architectures, and the remaining text between them. */
function callsOf(
  text: string,
  line: string,
): {
  readonly calls: CaseCalls;
  readonly args: string;
  readonly offset: number;
} {
  const on = /\son\s+([\w,\s]+)$/.exec(text);
  const before = on === null ? text : text.slice(0, on.index);
  const names = /^[\w:-]+(?:\s*,\s*[\w:-]+)*/.exec(before);
  if (names === null) {
    throw new StatementError(
      `Cannot read case: ${quoteText(before)} instead of a call`,
      Math.max(0, line.indexOf(before)),
    );
  }
  const rest = before.slice(names[0].length);
  const args = rest.trim().replace(/^if\s+/, "");
  return {
    calls: {
      calls: listOf(names[0]),
      arches: on === null ? undefined : listOf(on[1] ?? ""),
    },
    args,
    offset: line.lastIndexOf(args),
  };
}

/** A condition as written, or values of the first arguments; `*` is any value. */
function conditionOf(
  args: string,
  line: string,
  offset: number,
): WrittenCondition | undefined {
  if (COMPARES.test(args)) {
    // Keeps the positions of the line.
    const text = line.slice(0, offset + args.length);
    return parseCondition(text, offset);
  }
  const tests = args.split(/\s+/).flatMap((value, arg) =>
    value === "*" ? [] : [`arg${arg} == ${value}`]
  );
  return tests.length === 0 ? undefined : parseCondition(tests.join(" and "));
}

function listOf(text: string): readonly string[] {
  return text.split(",").map((word) => word.trim())
    .filter((word) => word !== "");
}
