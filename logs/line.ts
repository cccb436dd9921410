/**
 * Reads one line of a log: the records of the kernel's audit system in every
 * wrapping, and the messages of programs that handle SIGSYS.
 *
 * @module
 */

import { auditArchOf } from "./arch_words.ts";
import { numberOf, readAuditBody } from "./audit.ts";
import type { LogRecord } from "./record.ts";
import { type LogTime, readLineTime } from "./time.ts";

/** Contents of a line. */
export type LineContent =
  | { readonly kind: "record"; readonly record: LogRecord }
  /** It is a record, but does not show which call was made. */
  | { readonly kind: "bad" }
  /** The kernel dropped records here. */
  | { readonly kind: "lost"; readonly count: number }
  /** A process or a time, to which later lines refer. */
  | { readonly kind: "context"; readonly context: LineContext }
  | { readonly kind: "other" };

/** Facts of earlier lines of the same report. */
export type LineContext = Pick<
  LogRecord,
  "pid" | "comm" | "exe" | "uid" | "host" | "id" | keyof LogTime
>;

const OTHER: LineContent = { kind: "other" };

/** Every relevant line contains one of these words. */
const WORDS =
  /1326|SECCOMP|seccomp|SIGSYS|blocked syscall|callbacks suppressed|>>> |^Time: |^Log: /;

/** The beginning of an audit record, up to its body. */
const AUDIT =
  /\btype=(?:SECCOMP|1326|UNKNOWN\[1326\]) (?:msg=)?audit\(([^()]{1,64})\)( )?: ?|\bSECCOMP (?=auid=)|^Log: (?=auid=)/;

/** Id of an audit record. */
const AUDIT_ID = /^(\d{1,12})\.(\d{1,3}):(\d{1,20})$/;

/**
 * Reads a line.
 *
 * @example The kernel's form
 * ```ts
 * import { readLogLine } from "./line.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const content = readLogLine(
 *   'audit: type=1326 audit(1622229872.180:55): auid=1000 uid=0 gid=0 ses=1 pid=7645 comm="mount" sig=0 arch=c000003e syscall=165 compat=0 ip=0x7f8a6e55ec4e code=0x50000',
 * );
 * assert(content.kind === "record");
 * assertEquals(content.record.nr, 165);
 * assertEquals(content.record.action, "ERRNO");
 * ```
 *
 * @param line The line.
 * @param context Facts of earlier lines of the same report.
 */
export function readLogLine(
  line: string,
  context: LineContext = {},
): LineContent {
  if (!WORDS.test(line)) return OTHER;
  const audit = AUDIT.exec(line);
  if (audit !== null) return readAudit(line, audit, context);
  const lost = /audit\w*: (\d{1,9}) callbacks suppressed/.exec(line)?.[1];
  if (lost !== undefined) return { kind: "lost", count: Number(lost) };
  const found = strace(line) ?? android(line, context) ?? chromium(line) ??
    minijail(line);
  if (found !== undefined) {
    const record = { ...readLineTime(line), ...found };
    return { kind: "record", record };
  }
  return CUT.test(line) ? { kind: "bad" } : contextOf(line);
}

/** A record that is truncated before its body. */
const CUT = /\btype=(?:1326|SECCOMP)\b|--- SIGSYS .{0,64}SYS_SECCOMP/;

function readAudit(
  line: string,
  found: RegExpExecArray,
  context: LineContext,
): LineContent {
  const [whole, stamp, blank] = found;
  const front = line.slice(0, found.index);
  const [, seconds, milliseconds] = AUDIT_ID.exec(stamp ?? "") ?? [];
  const isRaw = stamp === undefined || seconds !== undefined;
  const body = readAuditBody(line.slice(found.index + whole.length), {
    interpreted: !isRaw || blank !== undefined,
  });
  if (body === undefined) return { kind: "bad" };
  // Android's logcat forwards records without their time.
  const dated = seconds !== undefined && Number(seconds) > 0;
  const [, written, serial] = /^(.+):(\d+)$/.exec(stamp ?? "") ?? [];
  const timed: Pick<LogRecord, "id" | keyof LogTime> = dated
    ? {
      time: Number(seconds) * 1000 + Number(milliseconds),
      ...(stamp === undefined ? {} : { id: stamp }),
    }
    : isRaw
    ? { ...contextTime(context), ...readLineTime(front) }
    : { written: written ?? "", id: `${written}:${serial}` };
  const host = /\bnode=(\S+) /.exec(front)?.[1] ?? hostOf(front) ??
    context.host;
  return {
    kind: "record",
    record: {
      form: "audit",
      ...timed,
      ...(host === undefined ? {} : { host }),
      ...body,
    },
  };
}

function contextTime(
  { time, written, id }: LineContext,
): Pick<LogRecord, "id" | keyof LogTime> {
  return {
    ...(time === undefined ? {} : { time }),
    ...(written === undefined ? {} : { written }),
    ...(id === undefined ? {} : { id }),
  };
}

/** The machine's name, between the time and the sender in syslog. */
function hostOf(front: string): string | undefined {
  return /\d\d:\d\d:\d\d\S*(?: UTC)? (\S+) (?:kernel|audit\w*|audispd)(?:\[\d+\])?: /
    .exec(front)?.[1];
}

function strace(line: string): LogRecord | undefined {
  const [, inside] = /--- SIGSYS \{([^{}]{1,512})\}/.exec(line) ?? [];
  if (inside === undefined || !inside.includes("SYS_SECCOMP")) return undefined;
  const field = (name: string): string | undefined =>
    new RegExp(`\\b${name}=([^,]+)`).exec(inside)?.[1];
  const auditArch = auditArchOf(field("si_arch") ?? "");
  const call = /^(?:__NR_)?(\w+)/.exec(field("si_syscall") ?? "")?.[1] ?? "";
  const isNumber = /^(?:0x[0-9a-f]+|\d+)$/.test(call);
  const nr = isNumber ? Number(call) >>> 0 : numberOf(auditArch, call);
  const pid = /^(?:\[pid +(\d+)\]|(\d+) )/.exec(line);
  const ip = field("si_call_addr");
  if (call === "") return undefined;
  return {
    form: "strace",
    action: "TRAP",
    signal: 31,
    ...(auditArch === undefined ? {} : { auditArch }),
    ...(nr === undefined ? {} : { nr }),
    ...(isNumber ? {} : { callText: call }),
    ...(pid === null ? {} : { pid: Number(pid[1] ?? pid[2]) }),
    ...(ip !== undefined && /^0x[0-9a-f]{1,16}$/.test(ip)
      ? { ip: BigInt(ip) }
      : {}),
  };
}

/** debuggerd, in tombstones and in logcat. */
function android(line: string, context: LineContext): LogRecord | undefined {
  const [, arch, digits] =
    /seccomp prevented call to disallowed (\w{1,16}) system call (\d{1,10})/
      .exec(line) ?? [];
  if (arch === undefined) return undefined;
  const auditArch = auditArchOf(arch);
  return {
    form: "android",
    ...context,
    action: "TRAP",
    signal: 31,
    nr: Number(digits) >>> 0,
    ...(auditArch === undefined ? { archText: arch } : { auditArch }),
  };
}

/** The handlers of Chromium, which write the number as `0142` or `nr=0x8e`. */
function chromium(line: string): LogRecord | undefined {
  const [, digits] =
    /seccomp-bpf failure in syscall (?:nr=)?(0x[0-9a-f]{1,8}|\d{1,10})\b/
      .exec(line) ?? [];
  if (digits === undefined) return undefined;
  return {
    form: "chromium",
    action: "TRAP",
    signal: 31,
    nr: Number(digits) >>> 0,
  };
}

function minijail(line: string): LogRecord | undefined {
  const [, pid, call] =
    /\blibminijail(?:\[(\d+)\])?: .{0,64}?blocked syscall: (\w{1,64})/
      .exec(line) ?? [];
  if (call === undefined) return undefined;
  const isNumber = /^\d+$/.test(call);
  return {
    form: "minijail",
    action: "TRAP",
    signal: 31,
    ...(isNumber ? { nr: Number(call) >>> 0 } : { callText: call }),
    ...(pid === undefined ? {} : { pid: Number(pid) }),
  };
}

/** Lines of debuggerd and snappy-debug that precede a record. */
function contextOf(line: string): LineContent {
  const process =
    /\bpid: (\d{1,10}), tid: \d{1,10}, name: (.{1,64}?) {2}>>> (.{1,256}?) <<</
      .exec(line);
  if (process !== null) {
    const [, pid, comm = "", exe = ""] = process;
    const context = { ...readLineTime(line), pid: Number(pid), comm, exe };
    return { kind: "context", context };
  }
  const time = /^Time: (.{1,64})$/.exec(line)?.[1];
  if (time !== undefined) {
    return { kind: "context", context: readLineTime(`${time.trim()} `) };
  }
  return OTHER;
}
