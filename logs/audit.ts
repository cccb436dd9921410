/**
 * Reads the body of an audit record of type 1326, `auid=… … code=…`, as the
 * kernel, auditd, journald, `ausearch -i` and snappy-debug write it.
 *
 * The kernel writes text from untrusted sources (`comm`, `exe`) in quotes, or
 * in hex if it contains a quote, a blank or a control character
 * (kernel/audit.c: audit_log_untrustedstring()). So the first field with a
 * given name is genuine. `ausearch -i` removes this protection; there, the
 * fields after `exe` are read from the end.
 *
 * @module
 */

import { ARCHES } from "../tables/arch.ts";
import { auditArchOf } from "./arch_words.ts";
import type { LogRecord, RecordedAction, RecordedId } from "./record.ts";

/** Fields of a record as written. */
type Fields = ReadonlyMap<string, string>;

/** Form of a body. */
export interface BodyOptions {
  /** True for `ausearch -i`, which writes names, and no quotes. */
  readonly interpreted: boolean;
}

/** Actions by the upper half of a return value; linux/seccomp.h. */
const ACTIONS: ReadonlyMap<number, RecordedAction> = new Map([
  [0x8000, "KILL_PROCESS"],
  [0x0000, "KILL_THREAD"],
  [0x0003, "TRAP"],
  [0x0005, "ERRNO"],
  [0x7fc0, "USER_NOTIF"],
  [0x7ff0, "TRACE"],
  [0x7ffc, "LOG"],
  [0x7fff, "ALLOW"],
]);

/** Signals named in records; asm-generic/signal.h. */
const SIGNALS: ReadonlyMap<string, number> = new Map([
  ["SIGSYS", 31],
  ["SIGKILL", 9],
  ["SIGTRAP", 5],
  ["SIGSEGV", 11],
]);

/**
 * Reads a body.
 *
 * @param body Text that begins with the first field.
 * @param options Its form.
 * @returns The record, without time and id; `undefined` if it does not show
 * which call was made.
 */
export function readAuditBody(
  body: string,
  options: BodyOptions,
): Omit<LogRecord, "form"> | undefined {
  const text = body.slice(0, MAX_BODY);
  const fields = options.interpreted
    ? interpretedFields(text)
    : rawFields(text);
  if (fields === undefined) return undefined;
  const call = callOf(fields.get("syscall") ?? "");
  if (call === undefined) return undefined;
  const arch = archOf(fields);
  const nr = call.nr ?? numberOf(arch.auditArch, call.callText);
  const callText = call.callText ?? fields.get("SYSCALL");
  const action = actionOf(fields.get("code"));
  const signal = signalOf(fields.get("sig"));
  const pid = wholeNumber(fields.get("pid"));
  const ip = fields.get("ip");
  return {
    ...arch,
    ...(nr === undefined ? {} : { nr }),
    ...(callText === undefined ? {} : { callText }),
    ...(fields.has("compat") ? { compat: fields.get("compat") !== "0" } : {}),
    ...(action === undefined ? {} : { action }),
    ...(signal === undefined ? {} : { signal }),
    ...idOf(fields, "auid"),
    ...idOf(fields, "uid"),
    ...idOf(fields, "gid"),
    ...textOf(fields, "subj"),
    ...(pid === undefined ? {} : { pid }),
    ...textOf(fields, "comm"),
    ...textOf(fields, "exe"),
    ...(ip !== undefined && /^(?:0x)?[0-9a-f]{1,16}$/.test(ip)
      ? { ip: BigInt(ip.startsWith("0x") ? ip : `0x${ip}`) }
      : {}),
  };
}

/** A record has at most 8970 bytes: linux/audit.h, MAX_AUDIT_MESSAGE_LENGTH. */
const MAX_BODY = 1 << 14;

/** Hex digits of a text that the kernel did not quote. */
const HEX = /^(?:[0-9A-F]{2})+$/;

/**
 * Splits a raw body. A label may contain blanks, so it ends at the next field.
 * If pasting has dropped the byte 0x1d, nothing separates the value of `code`
 * from what auditd appends.
 */
function rawFields(body: string): Fields {
  const fields = new Map<string, string>();
  const add = (name: string, value: string): void => {
    if (!fields.has(name)) fields.set(name, value);
  };
  const field =
    /\bsubj=(.{0,4096}?)(?= (?:pid|comm)=)|\b(\w{1,32})=(?:"([^"]*)"|(\S*))|(?<= )(\d{1,10}\(\w{1,64}\))(?= )/g;
  for (
    const [, subj, name = "", quoted, bare = "", call] of body.matchAll(field)
  ) {
    if (subj !== undefined) add("subj", subj);
    else if (call !== undefined) add("syscall", call);
    else if (name === "code") {
      const end = /^(?:0x[0-9a-f]+|[0-9]+|[a-z][a-z-]*)/.exec(bare)?.[0] ??
        bare;
      add(name, end);
      const glued = /^[^A-Z]?([A-Z]+)="?([^"]*)/.exec(bare.slice(end.length));
      if (glued !== null) add(glued[1] ?? "", glued[2] ?? "");
    } else if (quoted !== undefined) add(name, quoted);
    else if (bare === "(null)") continue;
    else add(name, /^(?:comm|exe)$/.test(name) ? unhex(bare) : bare);
  }
  return fields;
}

function unhex(text: string): string {
  if (!HEX.test(text)) return text;
  const bytes = Uint8Array.from(
    text.match(/../g) ?? [],
    (pair) => Number(`0x${pair}`),
  );
  return new TextDecoder().decode(bytes);
}

/** Splits a body of `ausearch -i`, in the order in which the kernel writes it. */
function interpretedFields(body: string): Fields | undefined {
  const end =
    /^(.*) sig=(\S+)(?: arch=(\S+))? syscall=(.{1,64}?) compat=(\S+) ip=(\S+) code=(\S+)/
      .exec(body);
  const [, front = "", sig, arch, syscall, compat, ip, code] = end ?? [];
  if (end === null) return undefined;
  const begin =
    /^auid=(.{0,64}?) uid=(.{0,64}?) gid=(.{0,64}?) ses=(\S+)(?: subj=(.{0,4096}?))? pid=(\d+)(?: comm=(.{0,64}?)(?: exe=(.*))?)?$/
      .exec(front);
  const [, auid, uid, gid, ses, subj, pid, comm, exe] = begin ?? [];
  const all = {
    ...{ auid, uid, gid, ses, subj, pid, comm, exe },
    ...{ sig, arch, syscall, compat, ip, code },
  };
  return new Map(
    Object.entries(all).flatMap(([name, value]) =>
      value === undefined || value === "(null)" ? [] : [[name, value]]
    ),
  );
}

/** Reads `165`, `mount`, `41(socket)` and `unknown-syscall(434)`. */
function callOf(
  text: string,
): Pick<LogRecord, "nr" | "callText"> | undefined {
  const [, digits, named] = /^(-?\d+)(?:\((\w+)\))?$/.exec(text) ?? [];
  if (digits !== undefined) {
    const nr = Number(digits);
    if (nr < -0x8000_0000 || nr > 0xffff_ffff) return undefined;
    return {
      nr: nr >>> 0,
      ...(named === undefined ? {} : { callText: named }),
    };
  }
  const unknown = /^unknown[ -]?\w*\((\d+)\)$/.exec(text)?.[1];
  if (unknown !== undefined) return { nr: Number(unknown) >>> 0 };
  return /^\w+$/.test(text) ? { callText: text } : undefined;
}

function archOf(fields: Fields): Pick<LogRecord, "auditArch" | "archText"> {
  const text = fields.get("arch");
  if (text === undefined) return {};
  const auditArch = auditArchOf(text);
  return auditArch === undefined ? { archText: text } : { auditArch };
}

/** Number of a name on an architecture. */
export function numberOf(
  auditArch: number | undefined,
  name: string | undefined,
): number | undefined {
  if (name === undefined) return undefined;
  for (const arch of ARCHES) {
    if (arch.auditArch !== auditArch) continue;
    const nr = arch.syscalls.get(name);
    if (nr !== undefined) return nr;
  }
  return undefined;
}

/** Reads a return value in hex, or its name; the data in it is masked. */
function actionOf(text: string | undefined): RecordedAction | undefined {
  if (text === undefined) return undefined;
  if (/^(?:0x)?[0-9a-f]{1,8}$/.test(text)) {
    const value = Number(text.startsWith("0x") ? text : `0x${text}`);
    return ACTIONS.get(value >>> 16);
  }
  const name = text.toUpperCase().replaceAll("-", "_");
  const full = name === "KILL" ? "KILL_THREAD" : name;
  return [...ACTIONS.values()].find((action) => action === full);
}

function signalOf(text: string | undefined): number | undefined {
  return text === undefined
    ? undefined
    : SIGNALS.get(text) ?? wholeNumber(text);
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text)
    ? Number(text)
    : undefined;
}

/** Users and groups: a number, a name, or both if auditd has added the name. */
function idOf(
  fields: Fields,
  field: "auid" | "uid" | "gid",
): Pick<LogRecord, typeof field> {
  const text = fields.get(field);
  if (text === undefined) return {};
  const id = wholeNumber(text) ?? (text === "unset" ? 0xffff_ffff : undefined);
  const name = fields.get(field.toUpperCase()) ??
    (id === undefined ? text : undefined);
  return {
    [field]: {
      ...(id === undefined ? {} : { id }),
      ...(name === undefined || name === "unset" ? {} : { name }),
    } satisfies RecordedId,
  };
}

function textOf(
  fields: Fields,
  field: "subj" | "comm" | "exe",
): Pick<LogRecord, typeof field> {
  const text = fields.get(field);
  return text === undefined ? {} : { [field]: text };
}
