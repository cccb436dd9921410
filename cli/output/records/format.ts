/**
 * Records of logs, as text and as JSON.
 *
 * @module
 */

import type { LogRecord, RecordedId } from "../../../logs/record.ts";
import { ARCHES } from "../../../tables/arch.ts";
import { printable } from "../../../tables/printable.ts";
import { archOfNumber, callName, syscallName } from "../names.ts";

/** One call, made once or several times in a row. */
export interface RecordRun {
  /** The first record. */
  readonly record: LogRecord;
  /** Line of the first record, from 1. */
  readonly line: number;
  /** Number of records that differ only in time. */
  readonly count: number;
  /** The last record. */
  readonly last: LogRecord;
}

/** Names of what a record shows. */
export interface RecordNames {
  /** Architecture, such as `x32`; `undefined` if the record has none. */
  readonly arch: string | undefined;
  /** Call; `undefined` if it has no name. */
  readonly call: string | undefined;
}

/** The first number of the private calls of arm: asm/unistd.h, `__ARM_NR_BASE`. */
const ARM_PRIVATE = 0xf_0000;

/** Architectures whose numbers differ from those of the kernel that runs them. */
const NATIVE: Readonly<Record<string, string>> = {
  x86: "x86_64",
  arm: "aarch64",
};

/** Names the architecture and the call of a record. */
export function namesOfRecord(
  { auditArch, archText, nr, callText }: LogRecord,
): RecordNames {
  if (auditArch === undefined) return { arch: archText, call: callText };
  const owner = archOfNumber(auditArch, nr ?? 0);
  const name = nr === undefined ? undefined : syscallName(auditArch, nr);
  return {
    arch: owner?.name ?? `0x${auditArch.toString(16).padStart(8, "0")}`,
    call: name ?? callText,
  };
}

/** Explains the effect of the action, if the record shows it. */
export function recordEffect({ action, form }: LogRecord): string | undefined {
  switch (action) {
    case "ERRNO":
      return "errno not in the record";
    case "LOG":
      return "call went through";
    case "TRAP":
      return form === "strace" ? "or kill" : undefined;
    case "USER_NOTIF":
      return "a supervisor answered";
    case "TRACE":
      return "a tracer answered";
    case "KILL_PROCESS":
    case "KILL_THREAD":
    case "ALLOW":
    case undefined:
      return undefined;
    default:
      return action satisfies never;
  }
}

/**
 * Facts without which the name of a call would mislead; `undefined` if there
 * are none.
 */
export function remarkOf(record: LogRecord): string | undefined {
  const { nr, compat, auditArch } = record;
  const { arch = "", call } = namesOfRecord(record);
  if (auditArch === undefined) {
    return record.archText !== undefined
      ? "unknown architecture"
      : record.form === "audit" && nr !== undefined
      ? "the record has no architecture, so the number has no name"
      : undefined;
  }
  if (/^(?:socketcall|ipc)$/.test(call ?? "")) {
    return `argument 0 of ${call} names the actual call, and the record has no arguments`;
  }
  const native = ARCHES.find(({ name }) => name === NATIVE[arch]);
  if (compat !== true || native === undefined || nr === undefined) {
    return undefined;
  }
  const other = callName(native.auditArch, nr);
  return other === undefined || other === call
    ? undefined
    : `number ${nr} is ${other} on ${native.name}`;
}

/** Writes the time of a record: UTC, or as the log wrote it. */
export function timeOfRecord({ time, written }: LogRecord): string | undefined {
  return time === undefined ? written : new Date(time).toISOString();
}

/** Writes the action and its effect, such as `LOG (call went through)`. */
export function actionText(record: LogRecord): string {
  const effect = recordEffect(record);
  const action = record.action ?? "unknown action";
  return effect === undefined ? action : `${action} (${effect})`;
}

/** Writes a call with its number if the name alone does not show it. */
export function recordedCall(record: LogRecord): string {
  const { nr, compat } = record;
  const { call, arch } = namesOfRecord(record);
  if (nr === undefined) return call ?? "unknown call";
  if (call === undefined) return `call ${nr}`;
  if (arch === "arm" && nr >= ARM_PRIVATE) {
    return `${call} (0x${nr.toString(16).toUpperCase()})`;
  }
  return compat === true ? `${call} (${nr})` : call;
}

/** Writes the architecture, such as `x86 (compat)`. */
export function archText(record: LogRecord): string {
  const { arch = "unknown architecture" } = namesOfRecord(record);
  return record.compat === true ? `${arch} (compat)` : arch;
}

/** Writes a run on one line, with a remark on another one. */
export function recordLine(run: RecordRun): string {
  const { record, count, last } = run;
  const until = timeOfRecord(last);
  const parts = [
    timeOfRecord(record) ?? "no time",
    actionText(record),
    `${recordedCall(record)} on ${archText(record)}`,
    whoText(record),
    count === 1
      ? ""
      : `×${count}${until === undefined ? "" : ` until ${until}`}`,
  ].filter((part) => part !== "");
  const remark = remarkOf(record);
  return [
    printable(parts.join("  ")),
    ...(remark === undefined ? [] : [`  note      ${printable(remark)}`]),
  ].join("\n") + "\n";
}

function whoText(record: LogRecord): string {
  const { comm, pid, exe, host, subj } = record;
  const thread = `${comm ?? ""}${pid === undefined ? "" : `[${pid}]`}`;
  return [
    ...(thread === "" ? [] : [`by ${thread}`]),
    ...(exe === undefined ? [] : [`(${exe})`]),
    ...idText("uid", record.uid),
    ...idText("auid", record.auid),
    ...(subj === undefined ? [] : [`subj ${subj}`]),
    ...(host === undefined ? [] : [`host ${host}`]),
  ].join(" ");
}

const UNSET = 0xffff_ffff;

function idText(what: string, known: RecordedId | undefined): string[] {
  if (known === undefined) return [];
  const { id, name } = known;
  const number = id === UNSET ? "unset" : id;
  if (number === undefined) return [`${what} ${name}`];
  return [`${what} ${number}${name === undefined ? "" : `(${name})`}`];
}

/** Makes the JSON of a run. */
export function jsonOfRun(
  { record, line, count, last }: RecordRun,
): Readonly<Record<string, unknown>> {
  const { arch, call } = namesOfRecord(record);
  const effect = recordEffect(record);
  const remark = remarkOf(record);
  return {
    line,
    time: timeOf(record),
    ...(record.written === undefined ? {} : { written: record.written }),
    ...(record.id === undefined ? {} : { id: record.id }),
    form: record.form,
    call: call ?? null,
    nr: record.nr ?? null,
    arch: arch ?? null,
    compat: record.compat ?? null,
    action: record.action ?? null,
    ...(effect === undefined ? {} : { effect }),
    signal: signalName(record.signal),
    pid: record.pid ?? null,
    comm: record.comm ?? null,
    exe: record.exe ?? null,
    ...idJson("uid", record.uid),
    ...idJson("gid", record.gid),
    ...idJson("auid", record.auid),
    subj: record.subj ?? null,
    ...(record.host === undefined ? {} : { host: record.host }),
    ip: record.ip === undefined ? null : `0x${record.ip.toString(16)}`,
    ...(remark === undefined ? {} : { note: remark }),
    count,
    ...(count === 1 ? {} : { last: timeOf(last) ?? last.written ?? null }),
  };
}

function timeOf({ time }: LogRecord): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

/** Signals that the kernel sends for a filter; `null` if there was none. */
function signalName(signal: number | undefined): string | number | null {
  if (signal === undefined || signal === 0) return null;
  return signal === 31 ? "SIGSYS" : signal === 9 ? "SIGKILL" : signal;
}

function idJson(
  what: string,
  known: RecordedId | undefined,
): Readonly<Record<string, unknown>> {
  if (known === undefined) return { [what]: null };
  const { id, name } = known;
  return {
    [what]: id === UNSET ? "unset" : id ?? name ?? null,
    ...(id === undefined || name === undefined
      ? {}
      : { [`${what}Name`]: name }),
  };
}
