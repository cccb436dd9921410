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

import type {
  ArchPolicy,
  Condition,
  Policy,
  Rule,
} from "../../profile/policy.ts";
import {
  decideTest,
  EVERYTHING,
  type InputPart,
  isEmptyPart,
  NO,
  numbersIn,
  OPEN,
  type PartWord,
  splitPart,
  type SplitTest,
  touches,
  type Truth,
  without,
  wordOf,
  YES,
} from "./part.ts";
import { CertificateError, type ClaimSide, skipSides } from "./text.ts";

/**
 * `equal`: both sides have the same effect for every input; `within`: the first
 * permits nothing that the second denies.
 */
export type CertifiedClaim = "equal" | "within";

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
 * @throws {CertificateError} if the certificate is about other sides, or does
 * not show its claim, which may still be true.
 *
 * @param text The certificate.
 * @param sides The sides that it has to be about, a and b.
 * @param options Byte order of the machine; little-endian by default.
 * @returns The claim, which is true.
 */
export async function checkCertificate(
  text: string,
  sides: readonly [a: ClaimSide, b: ClaimSide],
  { littleEndian = true }: { readonly littleEndian?: boolean } = {},
): Promise<CertifiedClaim> {
  const head = await skipSides(text, sides, littleEndian);
  return new Checker(text, head, sides, littleEndian).check();
}

/** A part, and the rules that have a number in it: for each list, indices. */
interface Place {
  readonly part: InputPart;
  readonly rules: readonly (readonly number[])[];
}

const ALL_BITS = 0xffff_ffff;
/** Indices of words. */
const [NR, ARCH, FIRST_ARG] = [0, 1, 4];
/** Codes of instructions, linux/bpf_common.h. */
const [LD_ABS, AND_K, JA, RET_K] = [0x20, 0x54, 0x05, 0x06];
const [JEQ_K, JGT_K, JGE_K, JSET_K] = [0x15, 0x25, 0x35, 0x45];
/** Actions, linux/seccomp.h. */
const [KILL_PROCESS, TRAP] = [0x8000_0000, 0x3_0000];
const [ERRNO, TRACE] = [0x5_0000, 0x7ff0_0000];
/** KILL_THREAD, USER_NOTIF, LOG, ALLOW. */
const WITHOUT_DATA = new Set([0, 0x7fc0_0000, 0x7ffc_0000, 0x7fff_0000]);
const MAX_ERRNO = 4095;
const LOW = 0xffff_ffffn;

/** Reads and checks line after line, from the claim to the end. */
class Checker {
  /** The lists of rules of both sides. */
  readonly #lists: readonly ArchPolicy[];
  readonly #lines: readonly string[];
  /** How many lines have been read. */
  #read = 0;

  constructor(
    text: string,
    readonly head: string,
    readonly sides: readonly ClaimSide[],
    readonly littleEndian: boolean,
  ) {
    this.#lines = text.slice(head.length).split("\n");
    this.#lists = sides.flatMap((side) =>
      side instanceof Uint8Array ? [] : side.arches
    );
  }

  check(): CertifiedClaim {
    const claim = this.#next();
    const isEqual = claim === "claim equal";
    if (!isEqual && claim !== "claim within") this.#refuse("This is no claim");
    const agree = isEqual ? haveSameEffect : isNotLooser;
    const rules = this.#lists.map(({ rules }) => rules.map((_, i) => i));
    const places: Place[] = [{ part: EVERYTHING, rules }];
    for (let line = this.#next(); line !== "end"; line = this.#next()) {
      const place = places.pop() ?? this.#refuse("All parts are shown already");
      if (line.startsWith("w")) this.#split(place, line, places);
      else if (line === "none") {
        if (!isEmptyPart(place.part)) this.#refuse("This part may have inputs");
      } else {
        const [values, others] = this.#answers(place, line.split(" | "));
        const areGood = values.every((v) => others.every((w) => agree(v, w)));
        if (!areGood) this.#refuse("The answers do not agree");
      }
    }
    if (places.length > 0) this.#refuse("A part is not shown");
    if (this.#lines.slice(this.#read).join() !== "" || this.#next() !== "") {
      this.#refuse("There is text after the end");
    }
    return isEqual ? "equal" : "within";
  }

  #refuse(why: string): never {
    throw new CertificateError(
      why,
      this.#read + this.head.split("\n").length - 1,
    );
  }

  #next(): string {
    return this.#lines[this.#read++] ?? this.#refuse("The text ends");
  }

  #number(digits = ""): number {
    const value = parseInt(digits, 16);
    const isNumber = value <= ALL_BITS && value.toString(16) === digits;
    return isNumber ? value : this.#refuse(`"${digits}" is not a number`);
  }

  #test(line: string): SplitTest {
    const [left = "", op, digits, ...more] = line.split(" ");
    const [word, bits = "ffffffff", ...bad] = left.slice(1).split("&");
    const [mask, k] = [this.#number(bits), this.#number(digits)];
    const isTest = op === "=" || op === ">=" && k > 0;
    if (isTest && word?.length === 1 && more.length + bad.length === 0) {
      return { word: this.#number(word), mask, op, k };
    }
    return this.#refuse(`"${line}" is not a split`);
  }

  /** Splits a place, and its rules by their numbers. */
  #split({ part, rules }: Place, line: string, places: Place[]): void {
    const test = this.#test(line);
    const { word, mask, op, k } = test;
    const { passing, others } = splitPart(part, test);
    let above = rules;
    let below = rules;
    if (word === ARCH && mask === ALL_BITS && op === "=") {
      above = rules.map((list, i) =>
        this.#lists[i]?.auditArch === k ? list : []
      );
    } else if (word === NR && mask === ALL_BITS) {
      const keep = (isKept: (rule: Rule) => boolean) =>
        rules.map((list, i) =>
          list.filter((index) => isKept(this.#lists[i]?.rules[index] as Rule))
        );
      above = keep(({ first, last }) =>
        last >= k && (op === ">=" || first <= k)
      );
      below = keep(({ first, last }) => first < k || op === "=" && last !== k);
    }
    places.push({ part: others, rules: below }, {
      part: passing,
      rules: above,
    });
  }

  /** Lists the values that each side may return in a place. */
  #answers(
    place: Place,
    [a = "", b = "", ...more]: string[],
  ): [number[], number[]] {
    if (more.length > 0) this.#refuse("There are more than two answers");
    const [values = [], others = []] = [a, b].map((reason, i) => {
      const side = this.sides[i] as ClaimSide;
      if (!(side instanceof Uint8Array)) return this.#walk(side, place, reason);
      const value = this.#follow(side, place.part);
      if (reason === value.toString(16)) return [value];
      return this.#refuse(`The program returns ${value.toString(16)}`);
    });
    return [values, others];
  }

  /** Follows a program on all inputs of a part. */
  #follow({ buffer, byteOffset, length }: Uint8Array, part: InputPart): number {
    const bytes = new DataView(buffer, byteOffset, length);
    let word: PartWord | undefined;
    let mask = 0;
    for (let pc = 0; 8 * pc + 8 <= length; pc++) {
      const code = bytes.getUint16(8 * pc, this.littleEndian);
      const k = bytes.getUint32(8 * pc + 4, this.littleEndian);
      if (code === RET_K) return k;
      if (code === JA) pc += k;
      else if (code === LD_ABS && k % 4 === 0 && k < 64) {
        word = part[k / 4];
        mask = ALL_BITS;
      } else if (word === undefined) this.#refuse(`Instruction ${pc} is open`);
      else if (code === AND_K) mask = (mask & k) >>> 0;
      else {
        const passes = decideJump(word, code, mask, k);
        if (passes === OPEN) this.#refuse(`Instruction ${pc} is open`);
        pc += bytes.getUint8(8 * pc + (passes === YES ? 2 : 3));
      }
    }
    return this.#refuse("The program does not end in a return");
  }

  /** Walks through the rules of a policy that may match in a place. */
  #walk(policy: Policy, { part, rules }: Place, reason: string): number[] {
    const arch = wordOf(part, ARCH);
    const isArch = ({ auditArch }: ArchPolicy): Truth =>
      decideTest(arch, ALL_BITS, "=", auditArch);
    if (reason === "other" && policy.arches.every((a) => isArch(a) === NO)) {
      return [policy.badArchValue];
    }
    const here = policy.arches.find((one) => isArch(one) === YES) ??
      this.#refuse("The architecture is open");
    const isDefault = reason === "default";
    const last = isDefault ? here.rules.length : this.#number(reason);
    if (last >= here.rules.length && !isDefault) this.#refuse("No such rule");
    const values = isDefault ? [policy.defaultValue] : [];
    let open = numbersIn(part);
    for (const index of rules[this.#lists.indexOf(here)] ?? []) {
      const rule = here.rules[index] as Rule;
      if (index > last || !touches(open, rule)) continue;
      const all = rule.conditions.map((one) => this.#holds(part, one));
      const matches = Math.min(YES, ...all);
      if (matches !== NO) values.push(rule.value);
      if (matches === YES) open = without(open, rule);
    }
    if (open.length > 0 && !isDefault) this.#refuse("A number has no rule");
    return values;
  }

  /** Decides a condition on 64 bits by its halves. */
  #holds(part: InputPart, { arg, op, mask, value }: Condition): Truth {
    const index = FIRST_ARG + 2 * arg;
    const low = wordOf(part, this.littleEndian ? index : index + 1);
    const high = wordOf(part, this.littleEndian ? index + 1 : index);
    const [lowMask, lowK] = [Number(mask & LOW), Number(value & LOW)];
    const [highMask, highK] = [Number(mask >> 32n), Number(value >> 32n)];
    const same = decideTest(high, highMask, "=", highK);
    if (op === "eq" || op === "ne") {
      const equal = Math.min(same, decideTest(low, lowMask, "=", lowK));
      return op === "eq" ? equal : -equal;
    }
    const more = decideTest(high, highMask, ">=", highK + 1);
    const least = op === "gt" || op === "le" ? lowK + 1 : lowK;
    const rest = decideTest(low, lowMask, ">=", least);
    const above = Math.max(more, Math.min(same, rest));
    return op === "gt" || op === "ge" ? above : -above;
  }
}

/** Decides a conditional jump. */
function decideJump(
  word: PartWord,
  code: number,
  mask: number,
  k: number,
): Truth {
  if (code === JEQ_K) return decideTest(word, mask, "=", k);
  if (code === JGT_K) return decideTest(word, mask, ">=", k + 1);
  if (code === JGE_K) return decideTest(word, mask, ">=", k);
  if (code !== JSET_K) return OPEN;
  return -decideTest(word, (mask & k) >>> 0, "=", 0);
}

/** Returns the lowest value that the kernel treats like a value. */
function effectOf(value: number): number {
  const action = actionOf(value);
  if (action === TRAP || action === TRACE) return value;
  if (action === ERRNO) return ERRNO | Math.min(value & 0xffff, MAX_ERRNO);
  return WITHOUT_DATA.has(action) ? action : KILL_PROCESS;
}

function actionOf(value: number): number {
  return (value & 0xffff_0000) >>> 0;
}

function haveSameEffect(a: number, b: number): boolean {
  return effectOf(a) === effectOf(b);
}

/** Reports whether a permits nothing that b denies: signed order of actions. */
function isNotLooser(a: number, b: number): boolean {
  return (actionOf(effectOf(a)) | 0) <= (actionOf(effectOf(b)) | 0);
}
