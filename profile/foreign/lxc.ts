/**
 * Reads seccomp policies of LXC, version 2.
 *
 * ```text
 * 2
 * denylist errno 1
 * reject_force_umount
 * kexec_load errno 38
 * ioctl errno 1 [1,0x5412,SCMP_CMP_MASKED_EQ,0xffffffff]
 * ```
 *
 * Since LXC 3.0 a section such as `[x86]` is left out on machines that do not
 * run it; on others its rules apply to all architectures of the machine. Calls
 * that an architecture multiplexes, such as `socket` on x86, get no rule there.
 *
 * Sources: man lxc.container.conf(5), src/lxc/seccomp.c of LXC 5.0 to 6.0, and
 * the filters that LXC 5.0.2 loads.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import type { LinuxSeccompArg, LinuxSyscall, ScmpOp } from "../formats/oci.ts";
import type { Policy } from "../policy.ts";
import { quote } from "../text.ts";
import {
  type ForeignMachine,
  type ForeignPolicy,
  ForeignReport,
  libseccompPolicy,
  localArches,
  resolvableNames,
} from "./foreign_policy.ts";

type Outcome = Pick<LinuxSyscall, "action" | "errnoRet">;

const OPS: ReadonlyMap<string, ScmpOp> = new Map([
  ["SCMP_CMP_NE", "SCMP_CMP_NE"],
  ["!=", "SCMP_CMP_NE"],
  ["SCMP_CMP_LT", "SCMP_CMP_LT"],
  ["<", "SCMP_CMP_LT"],
  ["SCMP_CMP_LE", "SCMP_CMP_LE"],
  ["<=", "SCMP_CMP_LE"],
  ["SCMP_CMP_EQ", "SCMP_CMP_EQ"],
  ["==", "SCMP_CMP_EQ"],
  ["SCMP_CMP_GE", "SCMP_CMP_GE"],
  [">=", "SCMP_CMP_GE"],
  ["SCMP_CMP_GT", "SCMP_CMP_GT"],
  [">", "SCMP_CMP_GT"],
  ["SCMP_CMP_MASKED_EQ", "SCMP_CMP_MASKED_EQ"],
  ["&=", "SCMP_CMP_MASKED_EQ"],
]);

/** Sections by their word, and our names. */
const SECTIONS: ReadonlyMap<string, Arch["name"]> = new Map([
  ["x86", "x86"],
  ["x32", "x32"],
  ["x86_64", "x86_64"],
  ["arm", "arm"],
  ["arm64", "aarch64"],
  ["ppc64le", "ppc64le"],
  ["ppc64", "ppc64"],
  ["ppc", "ppc"],
  ["mips64", "mips64"],
  ["mips64n32", "mips64n32"],
  ["mips", "mips"],
  ["mipsel64", "mips64el"],
  ["mipsel64n32", "mipsel64n32"],
  ["mipsel", "mipsel"],
  ["s390x", "s390x"],
  ["s390", "s390"],
  ["loongarch64", "loongarch64"],
]);

const EACCES = 13;
const LARGEST = 0xffff_ffff_ffff_ffffn;

/**
 * Reads a policy.
 *
 * @example A list of denied calls
 * ```ts
 * import { archByName } from "../../tables/arch.ts";
 * import { readLxc } from "./lxc.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const native = archByName("aarch64");
 * if (native === undefined) throw new Error("Unreachable: no aarch64");
 * const { policy } = readLxc("2\ndenylist\nkexec_load errno 38\n", { native });
 * assertEquals(policy.defaultValue, 0x7fff_0000);
 * assertEquals(policy.arches[0]?.rules.map(({ first, value }) => [first, value]), [
 *   [104, 0x0005_0026],
 * ]);
 * ```
 *
 * @param text The policy.
 * @param machine The machine.
 * @returns The meaning.
 * @throws {ProfileError} if LXC would refuse it; it has every problem.
 */
export function readLxc(text: string, machine: ForeignMachine): ForeignPolicy {
  const reader = new LxcReader(text, machine);
  return reader.read();
}

class LxcReader {
  readonly #arches: readonly Arch[];
  readonly #knows: ForeignMachine["knows"];
  readonly #report: ForeignReport;
  readonly #lines: readonly { readonly text: string; readonly at: number }[];
  readonly #syscalls: LinuxSyscall[] = [];

  constructor(text: string, { native, knows }: ForeignMachine) {
    this.#knows = knows;
    this.#arches = localArches(native);
    this.#report = new ForeignReport(text);
    this.#lines = [...text.matchAll(/[^\n]*(?:\n|$)/g)].map((match) => ({
      text: match[0].replace(/\r?\n$/, ""),
      at: match.index,
    })).filter(({ text }) => text !== "" && !text.startsWith("#"));
  }

  read(): ForeignPolicy {
    const [version, style, ...rules] = this.#lines;
    if (version?.text.trim() !== "2") {
      this.#error(
        version?.at ?? 0,
        `Cannot read version ${quote(version?.text ?? "")}`,
        "write 2 on the first line: version 1 has numbers only",
      );
    }
    const kind = /^(?:allow|white|deny|black)list/.exec(style?.text ?? "");
    if (style === undefined || kind === null) {
      this.#error(
        style?.at ?? 0,
        `Cannot read the kind ${quote(style?.text ?? "")}`,
        "write allowlist or denylist on the second line",
      );
    }
    const isDenyList = /^(?:deny|black)/.test(kind?.[0] ?? "");
    const usual: Outcome = {
      action: isDenyList ? "SCMP_ACT_ALLOW" : "SCMP_ACT_KILL",
    };
    const fallback = style === undefined ? usual : this.#action(style, usual);
    const listed: Outcome = {
      action: isDenyList ? "SCMP_ACT_KILL" : "SCMP_ACT_ALLOW",
    };
    this.#rules(rules, listed, fallback);
    const diagnostics = this.#report.settle();
    return {
      policy: this.#policy(fallback),
      arches: this.#arches,
      diagnostics,
    };
  }

  #error(at: number, message: string, fix: string): void {
    this.#report.add("error", at, message, fix);
  }

  #rules(
    lines: readonly { readonly text: string; readonly at: number }[],
    listed: Outcome,
    fallback: Outcome,
  ): void {
    let isRead = true;
    for (const line of lines) {
      const { text, at } = line;
      if (text.startsWith("[")) {
        isRead = this.#section(text, at);
        continue;
      }
      if (!isRead) continue;
      const [name = ""] = text.split(" ", 1);
      const outcome = this.#action(line, listed);
      const args = this.#comparisons(text, at);
      if (text.startsWith("reject_force_umount")) {
        this.#syscalls.push(FORCE_UMOUNT);
        continue;
      }
      if (!resolvableNames().has(name)) {
        this.#report.add(
          "warning",
          at,
          `Unknown system call ${quote(name)}, which LXC ignores`,
          "remove it, or correct the name at the beginning of the line",
        );
        continue;
      }
      const { action, errnoRet } = outcome;
      if (action === fallback.action && errnoRet === fallback.errnoRet) {
        this.#error(
          at,
          `LXC refuses a rule with the default action: ${quote(text)}`,
          "remove it",
        );
      }
      this.#syscalls.push({ names: [name], ...outcome, args, path: name });
    }
  }

  /** Reports whether rules of a section are read on this machine. */
  #section(text: string, at: number): boolean {
    const word = text.replace(/^\[|\]$/g, "");
    if (word === "all" || word === "ALL") return true;
    const name = SECTIONS.get(word) ?? SECTIONS.get(word.toLowerCase());
    if (name === undefined || !text.endsWith("]")) {
      this.#error(
        at,
        `Unknown architecture ${quote(text)}`,
        `write [all], or one of ${[...SECTIONS.keys()].join(", ")}`,
      );
      return false;
    }
    const isLocal = this.#arches.some((arch) => arch.name === name);
    if (isLocal && this.#arches.length > 1) {
      this.#report.add(
        "warning",
        at,
        `The rules of ${text} apply to ${
          this.#arches.map((arch) => arch.name).join(", ")
        }: LXC 3.0 and later read them for all`,
        "write [all]",
      );
    }
    return isLocal;
  }

  /** Reads the action after the first blank. */
  #action(
    { text, at }: { readonly text: string; readonly at: number },
    usual: Outcome,
  ): Outcome {
    const blank = text.indexOf(" ");
    const rest = blank < 0 ? "" : text.slice(blank).trimStart();
    if (rest === "" || rest.startsWith("#")) return usual;
    const [, word, errno] =
      /^(kill|allow|trap|notify|errno)\s*(-?[0-9]+)?/.exec(rest) ?? [];
    switch (word) {
      case "kill":
        return { action: "SCMP_ACT_KILL" };
      case "allow":
        return { action: "SCMP_ACT_ALLOW" };
      case "trap":
        return { action: "SCMP_ACT_TRAP" };
      case "notify":
        return { action: "SCMP_ACT_NOTIFY" };
      case "errno": {
        const errnoRet = Number(errno);
        if (errnoRet >= 0 && errnoRet <= 0xffff) {
          return { action: "SCMP_ACT_ERRNO", errnoRet };
        }
        break;
      }
      case undefined:
        break;
    }
    this.#error(
      at + blank + 1,
      `Cannot read the action ${quote(rest)}`,
      "write kill, allow, trap, notify or errno NUMBER",
    );
    return usual;
  }

  #comparisons(text: string, at: number): readonly LinuxSeccompArg[] {
    const open = text.indexOf("[");
    if (open < 0) return [];
    const parts = text.slice(open).split("]");
    const end = parts.pop();
    const args = parts.map((part) => comparisonOf(part));
    const read = args.flatMap((one) => one ?? []);
    const isWhole = end === "" && read.length === args.length;
    if (!isWhole || args.length > 6) {
      this.#error(
        at + open,
        `Cannot read the comparisons ${quote(text.slice(open))}`,
        "write up to six of [INDEX,VALUE,OPERATOR] or [INDEX,VALUE,SCMP_CMP_MASKED_EQ,MASK], and nothing after them",
      );
    } else if (new Set(read.map(({ index }) => index)).size < read.length) {
      this.#error(
        at + open,
        "Two comparisons are of one argument, which libseccomp refuses",
        "write one comparison of each argument",
      );
    }
    return read;
  }

  /** Each architecture with the rules that LXC adds for it. */
  #policy({ action, errnoRet }: Outcome): Policy {
    const policies = this.#arches.map((arch) => {
      const multiplexed = new Set(arch.multiplexed.map(({ name }) => name));
      const syscalls = this.#syscalls.map((entry) => ({
        ...entry,
        names: entry.names.filter((name) => !multiplexed.has(name)),
      }));
      return { arch, syscalls };
    });
    const groups = new Map<number, typeof policies>();
    for (const one of policies) {
      const key = one.arch.auditArch;
      groups.set(key, [...groups.get(key) ?? [], one]);
    }
    const made = [...groups.values()].map((group) =>
      libseccompPolicy(
        {
          defaultAction: action,
          ...(errnoRet === undefined ? {} : { defaultErrnoRet: errnoRet }),
          architectures: [],
          syscalls: group[0]?.syscalls ?? [],
        },
        group.map(({ arch }) => arch),
        this.#knows,
      )
    );
    const [first] = made;
    if (first === undefined) throw new Error("Unreachable: no architecture");
    return { ...first, arches: made.flatMap(({ arches }) => arches) };
  }
}

/** The rule of `reject_force_umount`: umount2 with MNT_FORCE. */
const FORCE_UMOUNT: LinuxSyscall = {
  names: ["umount2"],
  action: "SCMP_ACT_ERRNO",
  errnoRet: EACCES,
  args: [{ index: 1, value: 1n, valueTwo: 1n, op: "SCMP_CMP_MASKED_EQ" }],
  path: "reject_force_umount",
};

/** Reads `[0,5,SCMP_CMP_EQ` or `[0,5,SCMP_CMP_MASKED_EQ,7`. */
function comparisonOf(text: string): LinuxSeccompArg | undefined {
  const [, index, value, word, mask] =
    /^\s*\[\s*([0-5]),([^,]{1,23}),([^0-9,^]{1,30})(?:,([^,]{1,23}))?$/
      .exec(text) ?? [];
  const op = OPS.get(word ?? "");
  const read = integerOf(value ?? "");
  const bits = integerOf(mask ?? "0");
  if (op === undefined || read === undefined || bits === undefined) {
    return undefined;
  }
  const at = { index: Number(index), op };
  return op === "SCMP_CMP_MASKED_EQ"
    ? { ...at, value: bits, valueTwo: read }
    : { ...at, value: read, valueTwo: 0n };
}

/** Reads an integer in decimal, hex, or octal after 0. */
function integerOf(text: string): bigint | undefined {
  const [, digits = ""] = /^\s*(0[xX][0-9a-fA-F]+|[0-9]+)\s*$/.exec(text) ?? [];
  if (digits === "" || /^0[0-9]*[89]/.test(digits)) return undefined;
  const value = BigInt(
    /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits,
  );
  return value <= LARGEST ? value : undefined;
}
