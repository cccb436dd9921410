/**
 * One filter of Firecracker as the rules that it hands to libseccomp.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import type {
  LinuxSeccomp,
  LinuxSeccompArg,
  LinuxSyscall,
  ScmpAction,
  ScmpOp,
} from "../formats/oci.ts";
import { findMember, type JsonObject, type JsonValue } from "../json/value.ts";
import { quote } from "../text.ts";
import { ForeignReport, resolvableNames } from "./foreign_policy.ts";

/** Architectures for which Firecracker compiles filters. */
export const FIRECRACKER_ARCHES: readonly string[] = ["x86_64", "aarch64"];

const ACTIONS: ReadonlyMap<string, ScmpAction> = new Map([
  ["allow", "SCMP_ACT_ALLOW"],
  ["kill_process", "SCMP_ACT_KILL_PROCESS"],
  ["kill_thread", "SCMP_ACT_KILL_THREAD"],
  ["log", "SCMP_ACT_LOG"],
  ["trap", "SCMP_ACT_TRAP"],
]);

const OPS: ReadonlyMap<string, ScmpOp> = new Map([
  ["eq", "SCMP_CMP_EQ"],
  ["ge", "SCMP_CMP_GE"],
  ["gt", "SCMP_CMP_GT"],
  ["le", "SCMP_CMP_LE"],
  ["lt", "SCMP_CMP_LT"],
  ["ne", "SCMP_CMP_NE"],
]);

const LOW = 0xffff_ffffn;
const LARGEST = 0xffff_ffff_ffff_ffffn;

/** Returns an action under its current name, or that of the first versions. */
export function actionMember(
  object: JsonObject,
  which: "default" | "filter",
): JsonValue | undefined {
  const old = which === "default" ? "mismatch_action" : "match_action";
  return findMember(object, `${which}_action`) ?? findMember(object, old);
}

/** Reads filters, and collects their problems. */
export class FirecrackerReader {
  /** Problems found so far. */
  readonly report: ForeignReport;
  readonly #native: Arch;

  /**
   * @param text The whole text.
   * @param native Architecture of the machine.
   */
  constructor(text: string, native: Arch) {
    this.report = new ForeignReport(text);
    this.#native = native;
    if (!FIRECRACKER_ARCHES.includes(native.name)) {
      this.#error(
        { start: 0 },
        `Cannot read a filter of Firecracker for ${native.name}`,
        `give --arch ${FIRECRACKER_ARCHES.join(" or ")}`,
      );
    }
  }

  #error(
    { start }: { readonly start: number },
    text: string,
    fix: string,
  ): void {
    this.report.add("error", start, text, fix);
  }

  /**
   * Reads a filter.
   *
   * @param filter The filter.
   * @param name Name of its category, for paths.
   * @returns Its rules; `undefined` after an error.
   */
  section(filter: JsonObject, name: string): LinuxSeccomp | undefined {
    this.#keys(filter, [
      "default_action",
      "mismatch_action",
      "filter_action",
      "match_action",
      "filter",
    ]);
    const fallback = this.#action(filter, "default");
    const action = this.#action(filter, "filter");
    const list = findMember(filter, "filter");
    if (list?.kind !== "array") {
      this.#error(list ?? filter, 'Missing array "filter"', "list the rules");
      return undefined;
    }
    if (fallback === undefined || action === undefined) return undefined;
    const isSame = fallback.action === action.action &&
      fallback.errnoRet === action.errnoRet;
    if (isSame && list.items.length > 0) {
      this.#error(
        filter,
        "Both actions are the same, which libseccomp refuses",
        "remove all rules, or change one action",
      );
    }
    const syscalls: LinuxSyscall[] = [];
    let i = 0;
    for (const item of list.items) {
      const path = `${name === "" ? "" : `${name}.`}filter[${i++}]`;
      const rule = this.#rule(item);
      if (rule !== undefined) syscalls.push({ ...action, ...rule, path });
    }
    const { action: defaultAction, errnoRet } = fallback;
    return {
      defaultAction,
      ...(errnoRet === undefined ? {} : { defaultErrnoRet: errnoRet }),
      architectures: [],
      syscalls,
    };
  }

  #keys(object: JsonObject, known: readonly string[]): void {
    for (const { key } of object.members) {
      if (known.includes(key.value) || key.value === "comment") continue;
      this.report.add(
        "warning",
        key.start,
        `Unknown field ${quote(key.value)} has no effect`,
        `remove it, or use one of ${known.join(", ")}`,
      );
    }
    const names = object.members.map(({ key }) => key.value);
    for (const name of new Set(names)) {
      if (names.indexOf(name) === names.lastIndexOf(name)) continue;
      this.#error(object, `Two fields are named ${quote(name)}`, "keep one");
    }
  }

  #action(
    filter: JsonObject,
    which: "default" | "filter",
  ): Pick<LinuxSyscall, "action" | "errnoRet"> | undefined {
    const value = actionMember(filter, which);
    const named = value?.kind === "string"
      ? ACTIONS.get(value.value)
      : undefined;
    if (named !== undefined) return { action: named };
    const [member, second] = value?.kind === "object" ? value.members : [];
    const data = member === undefined || second !== undefined
      ? undefined
      : this.#integer(member.value, 0xffffn);
    if (data !== undefined && member?.key.value === "errno") {
      return { action: "SCMP_ACT_ERRNO", errnoRet: Number(data) };
    }
    if (data !== undefined && member?.key.value === "trace") {
      return { action: "SCMP_ACT_TRACE", errnoRet: Number(data) };
    }
    this.#error(
      value ?? filter,
      `Cannot read "${which}_action"`,
      `write one of ${
        [...ACTIONS.keys()].join(", ")
      }, {"errno": N} or {"trace": N}`,
    );
    return undefined;
  }

  #rule(
    item: JsonValue,
  ): Pick<LinuxSyscall, "names" | "args"> | undefined {
    if (item.kind !== "object") {
      this.#error(item, "A rule is not an object", 'write {"syscall": NAME}');
      return undefined;
    }
    this.#keys(item, ["syscall", "args"]);
    const name = findMember(item, "syscall");
    if (name?.kind !== "string") {
      this.#error(name ?? item, 'Missing "syscall"', "name a call");
      return undefined;
    }
    if (!resolvableNames().has(name.value)) {
      this.report.unknownCall(name.start, name.value, [this.#native]);
      return undefined;
    }
    const list = findMember(item, "args");
    if (list === undefined || list.kind === "null") {
      return { names: [name.value], args: [] };
    }
    if (list.kind !== "array") {
      this.#error(list, '"args" is not an array', "list the comparisons");
      return undefined;
    }
    const args = [...list.items].map((one) => this.#comparison(one));
    const read = args.flatMap((one) => one ?? []);
    if (new Set(read.map(({ index }) => index)).size < read.length) {
      this.#error(
        list,
        "Two comparisons are of one argument, which libseccomp refuses",
        "write one comparison of each argument",
      );
    }
    return { names: [name.value], args: read };
  }

  #comparison(item: JsonValue): LinuxSeccompArg | undefined {
    if (item.kind !== "object") {
      this.#error(
        item,
        "A comparison is not an object",
        'write {"index": 0, "type": "dword", "op": "eq", "val": 1}',
      );
      return undefined;
    }
    this.#keys(item, ["index", "type", "op", "val"]);
    const index = this.#number(item, "index", 5n);
    const val = this.#number(item, "val", LARGEST);
    const type = findMember(item, "type");
    const isDword = type?.kind === "string" && type.value === "dword";
    if (!isDword && !(type?.kind === "string" && type.value === "qword")) {
      this.#error(type ?? item, 'Cannot read "type"', "write dword or qword");
    }
    const op = findMember(item, "op");
    const [member] = op?.kind === "object" ? op.members : [];
    const mask = member?.key.value === "masked_eq"
      ? this.#integer(member.value, LARGEST)
      : undefined;
    const plain = op?.kind === "string" ? OPS.get(op.value) : undefined;
    if (plain === undefined && mask === undefined) {
      this.#error(
        op ?? item,
        'Cannot read "op"',
        `write one of ${[...OPS.keys()].join(", ")} or {"masked_eq": MASK}`,
      );
    }
    if (index === undefined || val === undefined) return undefined;
    const arg = { index: Number(index) };
    if (isDword && op !== undefined) this.#warnDword(item, plain, val, mask);
    if (mask !== undefined) {
      return { ...arg, op: "SCMP_CMP_MASKED_EQ", value: mask, valueTwo: val };
    }
    if (isDword && plain === "SCMP_CMP_EQ") {
      return { ...arg, op: "SCMP_CMP_MASKED_EQ", value: LOW, valueTwo: val };
    }
    return plain && { ...arg, op: plain, value: val, valueTwo: 0n };
  }

  /** Reports what versions before 1.11 read differently. */
  #warnDword(
    { start }: JsonObject,
    op: ScmpOp | undefined,
    val: bigint,
    mask: bigint | undefined,
  ): void {
    if (op === "SCMP_CMP_EQ" ? val <= LOW : mask !== undefined && mask <= LOW) {
      return;
    }
    this.report.add(
      "warning",
      start,
      "Firecracker compares 64 bits here, and 32 before version 1.11",
      "write qword, or a masked_eq",
    );
  }

  #number(
    object: JsonObject,
    name: string,
    most: bigint,
  ): bigint | undefined {
    const value = findMember(object, name);
    const read = value && this.#integer(value, most);
    if (read === undefined) {
      this.#error(
        value ?? object,
        `Cannot read "${name}"`,
        `write an integer from 0 to ${most}`,
      );
    }
    return read;
  }

  #integer(value: JsonValue, most: bigint): bigint | undefined {
    if (value.kind !== "number" || !/^[0-9]{1,20}$/.test(value.text)) {
      return undefined;
    }
    const read = BigInt(value.text);
    return read <= most ? read : undefined;
  }
}
