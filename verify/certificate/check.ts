/**
 * Checks a certificate: a text from which a claim about every input follows by
 * local steps. docs/certificate.md defines the text and the steps; this file,
 * like the checkers in `checkers/`, can be written from that page alone.
 *
 * The checker does not search, and needs no limits. It follows the splits of
 * the certificate, which cut the set of all inputs exactly. On each part that
 * is left, it follows both sides, and every test on the way has to be decided
 * by the splits. It shares nothing with the prover in `core/`.
 *
 * @module
 */

import {
  boundsOf,
  cutPart,
  decideTest,
  EVERYTHING,
  type InputPart,
  isEmptyPart,
  type SplitTest,
} from "./part.ts";

/**
 * `equal`: both sides have the same effect for every input; `within`: the first
 * permits nothing that the second denies.
 */
export type CertifiedClaim = "equal" | "within";

/** A certificate does not show its claim. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";

  /**
   * Records the reason and its place.
   *
   * @param message The reason.
   * @param line Number of the line, from 1.
   */
  constructor(message: string, readonly line: number) {
    super(message);
  }
}

/**
 * Checks a certificate.
 *
 * @example "A filter is equal to itself" as a certificate
 * ```ts
 * import { checkCertificate } from "./check.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const allow = new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
 * const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", allow));
 * const text = `seccomp-certificate 1
 * order little
 * a program 1 ${hash.toHex()}
 * b program 1 ${hash.toHex()}
 * claim equal
 * 7fff0000 | 7fff0000
 * end
 * `;
 * assertEquals(await checkCertificate(text, [allow, allow]), "equal");
 * ```
 *
 * @throws {CertificateError} if the certificate does not show its claim, which
 * may still be true.
 *
 * @param text The certificate.
 * @param programs Those of its sides that are programs, in its order, as
 * `struct sock_filter[]` in its byte order.
 * @returns The claim, which is true.
 */
export async function checkCertificate(
  text: string,
  programs: readonly Uint8Array<ArrayBuffer>[],
): Promise<CertifiedClaim> {
  const named: NamedProgram[] = [];
  for (const bytes of programs) {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const digits = Array.from(hash, (b) => b.toString(16).padStart(2, "0"));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const length = (bytes.length / 8).toString(16);
    named.push([`program ${length} ${digits.join("")}`, view]);
  }
  return new Checker(text, named).check();
}

/** A program with its words in a certificate. */
type NamedProgram = readonly [words: string, bytes: DataView];
/** A side: the values that it may return in a part, for a stated reason. */
type Side = (part: InputPart, reason: string) => readonly number[];
/** A condition: its result for all inputs of a part, if the part shows it. */
type Holds = (part: InputPart) => boolean | undefined;

interface Rule {
  readonly first: number;
  readonly last: number;
  readonly value: number;
  readonly conditions: readonly Holds[];
}

const ALL_BITS = 0xffff_ffff;
/** Indices of words. */
const [NR, ARCH, FIRST_ARG] = [0, 1, 4];
/** Codes of instructions, linux/bpf_common.h. */
const [LD_ABS, AND_K, JA, RET_K] = [0x20, 0x54, 0x05, 0x06];
const [JEQ_K, JGT_K, JGE_K, JSET_K] = [0x15, 0x25, 0x35, 0x45];

const PATTERNS = new Map<string, RegExp>();

/** Reads and checks from the first line to the last. */
class Checker {
  readonly #lines: readonly string[];
  readonly #programs: NamedProgram[];
  /** Number of the line that was read last. */
  #line = 0;
  #littleEndian = true;

  constructor(text: string, programs: NamedProgram[]) {
    this.#lines = text.split("\n");
    this.#programs = programs;
  }

  check(): CertifiedClaim {
    this.#read("seccomp-certificate 1");
    this.#littleEndian = this.#read("order (little|big)")[1] === "little";
    const [a, b] = [this.#side("a"), this.#side("b")];
    const isEqual = this.#read("claim (equal|within)")[1] === "equal";
    if (this.#programs.length > 0) this.#refuse("A program is not part of it");
    const agree = isEqual ? haveSameEffect : isNotLooser;
    const parts = [EVERYTHING];
    for (let line = this.#next(); line !== "end"; line = this.#next()) {
      const part = parts.pop() ?? this.#refuse("All parts are shown already");
      if (line.startsWith("w")) {
        const test = this.#test(line);
        parts.push(cutPart(part, test, false), cutPart(part, test, true));
      } else if (line === "none") {
        if (!isEmptyPart(part)) this.#refuse("This part may have inputs");
      } else {
        const [, x = "", y = ""] = this.#match("([^|]+) \\| ([^|]+)", line);
        const [values, others] = [a(part, x), b(part, y)];
        if (!values.every((v) => others.every((w) => agree(v, w)))) {
          this.#refuse("The answers do not agree");
        }
      }
    }
    if (parts.length > 0) this.#refuse("A part is not shown");
    if (this.#next() !== "" || this.#line < this.#lines.length) {
      this.#refuse("There is text after the end");
    }
    return isEqual ? "equal" : "within";
  }

  #refuse(why: string): never {
    throw new CertificateError(why, this.#line);
  }

  #next(): string {
    return this.#lines[this.#line++] ?? this.#refuse("The text ends");
  }

  #read(form: string): readonly string[] {
    return this.#match(form, this.#next());
  }

  /** Reads a text, in whose form `#` is a u32 and `%` is a u64. */
  #match(form: string, text: string): readonly string[] {
    let pattern = PATTERNS.get(form);
    if (pattern === undefined) {
      const source = form.replaceAll("#", "(0|[1-9a-f][0-9a-f]{0,7})")
        .replaceAll("%", "(0|[1-9a-f][0-9a-f]{0,15})");
      PATTERNS.set(form, pattern = new RegExp(`^${source}$`));
    }
    return pattern.exec(text) ??
      this.#refuse(`Expected "${form}"`);
  }

  #test(line: string): SplitTest {
    const [, word, mask = "ffffffff", op, k] = this.#match(
      "w([0-9a-f])(?:&#)? (=|>=) #",
      line,
    );
    if (op === ">=" && k === "0") this.#refuse("One part has no inputs");
    const test = { word: u32(word), mask: u32(mask), k: u32(k) };
    return { ...test, op: op === "=" ? "=" : ">=" };
  }

  #side(key: string): Side {
    const form = `${key} (policy|program [0-9a-f]+ [0-9a-f]{64})`;
    const [, words = ""] = this.#read(form);
    if (words === "policy") return this.#policy();
    const [name, bytes] = this.#programs.shift() ??
      this.#refuse("A program is missing");
    if (name !== words) this.#refuse(`The program given is "${name}"`);
    return (part, reason) => {
      const value = this.#follow(bytes, part);
      if (reason === value.toString(16)) return [value];
      return this.#refuse(`The program returns ${value.toString(16)}`);
    };
  }

  /** Follows a program on all inputs of a part. */
  #follow(bytes: DataView, part: InputPart): number {
    let [word, mask] = [-1, 0];
    for (let pc = 0; 8 * pc < bytes.byteLength; pc++) {
      const code = bytes.getUint16(8 * pc, this.#littleEndian);
      const k = bytes.getUint32(8 * pc + 4, this.#littleEndian);
      if (code === RET_K) return k;
      if (code === JA) pc += k;
      else if (code === AND_K && word >= 0) mask = (mask & k) >>> 0;
      else if (code === LD_ABS && k % 4 === 0 && k < 64) {
        [word, mask] = [k / 4, ALL_BITS];
      } else {
        const passes = word < 0
          ? undefined
          : decideJump(part, code, { word, mask, k });
        if (passes === undefined) this.#refuse(`Instruction ${pc} is open`);
        pc += bytes.getUint8(8 * pc + (passes ? 2 : 3));
      }
    }
    return this.#refuse("The program does not end in a return");
  }

  #policy(): Side {
    const defaultValue = u32(this.#read("default #")[1]);
    const otherValue = u32(this.#read("other #")[1]);
    const arches = new Map<number, Rule[]>();
    while (this.#lines[this.#line]?.startsWith("arch ")) {
      const arch = u32(this.#read("arch #")[1]);
      if (arches.has(arch)) this.#refuse("The architecture has rules already");
      const rules: Rule[] = [];
      while (this.#lines[this.#line]?.startsWith("rule ")) {
        rules.push(this.#rule());
      }
      arches.set(arch, rules);
    }
    return (part, reason) => {
      const isHere = (arch: number): boolean | undefined =>
        decideTest(part, { word: ARCH, mask: ALL_BITS, op: "=", k: arch });
      if (reason === "other") {
        const open = [...arches.keys()].some((a) => isHere(a) !== false);
        return open ? this.#refuse("This architecture is open") : [otherValue];
      }
      const rules = [...arches].find(([arch]) => isHere(arch))?.[1] ??
        this.#refuse("The architecture is open");
      const [, by = "", not = ""] = this.#match(
        "([^ ]+)(?: not (.+))?",
        reason,
      );
      return by === "default"
        ? [...this.#values(part, rules, rules.length, not), defaultValue]
        : this.#values(part, rules, this.#cover(part, rules, by), not);
    };
  }

  #rule(): Rule {
    const [, first, last = first, value, list = ""] = this.#read(
      "rule #(?:-#)? #((?: [0-5] [a-z]+ [0-9a-f]+ [0-9a-f]+)*)",
    );
    const conditions = (list.match(/ [^ ]+ [^ ]+ [^ ]+ [^ ]+/g) ?? []).map(
      (text) => this.#condition(text.slice(1)),
    );
    return {
      first: u32(first),
      last: u32(last),
      value: u32(value),
      conditions,
    };
  }

  /** Reads a condition on 64 bits, which its halves decide. */
  #condition(text: string): Holds {
    const form = "([0-5]) (eq|ne|lt|le|gt|ge) % %";
    const [, arg, op = "", mask, value] = this.#match(form, text);
    const half = (shift: bigint, index: number): Omit<SplitTest, "op"> => ({
      word: FIRST_ARG + 2 * u32(arg) + index,
      mask: Number(BigInt(`0x${mask}`) >> shift & 0xffff_ffffn),
      k: Number(BigInt(`0x${value}`) >> shift & 0xffff_ffffn),
    });
    const [high, low] = this.#littleEndian
      ? [half(32n, 1), half(0n, 0)]
      : [half(32n, 0), half(0n, 1)];
    const strict = op === "gt" || op === "le" ? 1 : 0;
    return (part) => {
      const same = decideTest(part, { ...high, op: "=" });
      const isEqual = and(same, decideTest(part, { ...low, op: "=" }));
      if (op === "eq") return isEqual;
      if (op === "ne") return not(isEqual);
      const above = decideTest(part, { ...high, op: ">=", k: high.k + 1 });
      const rest = decideTest(part, { ...low, op: ">=", k: low.k + strict });
      const isAbove = not(and(not(above), not(and(same, rest))));
      return op === "gt" || op === "ge" ? isAbove : not(isAbove);
    };
  }

  /** Requires that rules match everywhere; returns the index after the last. */
  #cover(part: InputPart, rules: readonly Rule[], ranges: string): number {
    const { low, high, holes } = boundsOf(part[NR] ?? [], ALL_BITS);
    const past = (nr: number): number => {
      let next = nr;
      while (holes.includes(next)) next++;
      return next;
    };
    let [open, end] = [past(low), 0];
    for (const range of ranges.split(",")) {
      const [, from, to = from] = this.#match("#(?:-#)?", range);
      if (u32(from) > u32(to)) this.#refuse("No range of rules");
      for (let r = u32(from); r <= u32(to); r++) {
        const rule = rules[r] ?? this.#refuse("A rule does not exist");
        if (!rule.conditions.every((holds) => holds(part) === true)) {
          this.#refuse(`Rule ${r.toString(16)} may not match`);
        }
        if (rule.first <= open) open = past(Math.max(open, rule.last + 1));
      }
      end = Math.max(end, u32(to) + 1);
    }
    return open > high ? end : this.#refuse("A number has no rule");
  }

  /** Lists the values of the first rules, without those that do not match. */
  #values(
    part: InputPart,
    rules: readonly Rule[],
    end: number,
    not: string,
  ): readonly number[] {
    const { low, high, holes } = boundsOf(part[NR] ?? [], ALL_BITS);
    const excluded = new Set<number>();
    for (const pair of not === "" ? [] : not.split(" ")) {
      const [r = 0, c = 0] = this.#match("#\\.#", pair).slice(1).map(u32);
      if (rules[r]?.conditions[c]?.(part) !== false) {
        this.#refuse(`Condition ${pair} may be true`);
      }
      excluded.add(r);
    }
    const values = new Set<number>();
    for (let r = 0; r < end; r++) {
      const { first, last, value } = rules[r] as Rule;
      if (last < low || first > high || excluded.has(r)) continue;
      if (first !== last || !holes.includes(first)) values.add(value);
    }
    return [...values];
  }
}

function u32(digits = ""): number {
  return parseInt(digits, 16);
}

function and(a?: boolean, b?: boolean): boolean | undefined {
  return a === false || b === false ? false : a && b;
}

function not(a?: boolean): boolean | undefined {
  return a === undefined ? undefined : !a;
}

/** Decides a conditional jump on `word & mask`. */
function decideJump(
  part: InputPart,
  code: number,
  { word, mask, k }: Omit<SplitTest, "op">,
): boolean | undefined {
  if (code === JEQ_K) return decideTest(part, { word, mask, op: "=", k });
  if (code === JGE_K) return decideTest(part, { word, mask, op: ">=", k });
  if (code === JGT_K) {
    return decideTest(part, { word, mask, op: ">=", k: k + 1 });
  }
  if (code !== JSET_K) return undefined;
  const bits = (mask & k) >>> 0;
  return not(decideTest(part, { word, mask: bits, op: "=", k: 0 }));
}

/** Bits of the action, and the actions, linux/seccomp.h. */
const ACTION = 0xffff_0000;
const [KILL_PROCESS, KILL_THREAD, TRAP] = [0x8000_0000, 0, 0x3_0000];
const [ERRNO, TRACE] = [0x5_0000, 0x7ff0_0000];
const [USER_NOTIF, LOG, ALLOW] = [0x7fc0_0000, 0x7ffc_0000, 0x7fff_0000];
const MAX_ERRNO = 4095;

/** Returns the lowest value that the kernel treats like a value. */
function effectOf(value: number): number {
  const action = (value & ACTION) >>> 0;
  if (action === TRAP || action === TRACE) return value;
  if (action === ERRNO) return ERRNO | Math.min(value & 0xffff, MAX_ERRNO);
  const known = [KILL_THREAD, USER_NOTIF, LOG, ALLOW].includes(action);
  return known ? action : KILL_PROCESS;
}

function haveSameEffect(a: number, b: number): boolean {
  return effectOf(a) === effectOf(b);
}

/** Reports whether a permits nothing that b denies: signed order of actions. */
function isNotLooser(a: number, b: number): boolean {
  return (effectOf(a) & ACTION) <= (effectOf(b) & ACTION);
}
