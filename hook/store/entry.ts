/**
 * An entry of the store: a filter as text, which the `sh` dispatcher also
 * reads.
 *
 * ```text
 * seccomp-tree entry 2
 * key 9f86d081…                  digest of everything that determines the bytes
 * environment 0123456789abcdef
 * about 0.1.0 x86_64 crun x86_64,x86,x32 libseccomp 2.5.4 sha256:…
 * instructions 357
 * filter IAAAAAQAAAAV…           base64
 * section 7341                   length in bytes, up to the next "\nfilter "
 * {"defaultAction":"SCMP_ACT_ERRNO",…}
 * filter IAAAAAQAAAAV…           the same again
 * digest e3b0c442…               of all lines above
 * end
 * ```
 *
 * An entry's file is named `ENVIRONMENT.LENGTH.SHAPE.NUMBER`, so that a
 * dispatcher finds it without listing the folder: the length of the section,
 * and a number computed from the lengths between its closing braces, which is
 * cheap in awk. Sections with the same shape are numbered from 0. Neither must
 * be unique, because the section itself is compared byte for byte.
 *
 * A section that is left to its runtime has a line `left REASON` in place of
 * each filter, so that the next container does not repeat the attempt.
 *
 * The digest, which every other reader checks, reveals any damage. Computing it
 * would be too slow for the dispatcher, which compares the section and both
 * copies of the filter instead. Neither check stops someone who can write to
 * the store; its owner and modes do.
 *
 * @module
 */

import { messageOf } from "../../host/reason.ts";
import { decodeBase64, encodeBase64 } from "../../bpf/base64.ts";
import { check } from "../../bpf/check.ts";
import { decode } from "../../bpf/encode.ts";
import { FORMAT } from "../environment.ts";
import { sha256 } from "./digest.ts";

/** Mode of entries: nobody else needs to read them. */
export const ENTRY_MODE = 0o600;

/**
 * A filter and its origin.
 *
 * @category Containers
 */
export interface Entry {
  /** Digest of all inputs that determine the bytes, 64 hexadecimal digits. */
  readonly key: string;
  /** `Environment.id`. */
  readonly environment: string;
  /** Versions and options, for people, on one line. */
  readonly about: string;
  /** `struct sock_filter[]`; empty if the section is left to its runtime. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * The reason why the section is left to its runtime; absent if there is a
   * filter.
   */
  readonly left?: string;
  /** The section exactly as it was written. */
  readonly section: string;
}

/** A parsed name of an entry. */
export interface EntryName {
  /** The name itself. */
  readonly name: string;
  /** `Environment.id`. */
  readonly environment: string;
  /** Size of the section in bytes. */
  readonly length: number;
}

const NAME = /^([0-9a-f]{16})\.([1-9][0-9]{0,8})\.[0-9]{1,10}\.[0-9]{1,2}$/;

/** Names before version 2 of the format. */
const OLD_NAME = /^[1-9][0-9]{0,8}\.[0-9a-f]{16}\.[0-9a-f]{64}\.[0-9a-f]{64}$/;

const KILLED_NAME =
  /^(?:[0-9a-f]{16}|none)\.[1-9][0-9]{0,8}\.[0-9]{1,10}(?:\.[0-9]{1,2})?\.killed$/;

const ENTRY =
  /^key ([0-9a-f]{64})\nenvironment ([0-9a-f]{16})\nabout ([^\n]*)\ninstructions ([0-9]+)\n((?:filter|left) [^\n]+)\nsection ([0-9]+)\n/;

/** Largest number of sections with one shape. */
const MOST_ALIKE = 100;

/**
 * Parses a file name.
 *
 * @param name A name in the store.
 * @returns Its parts, or `undefined` if it is not an entry's name.
 */
export function parseEntryName(name: string): EntryName | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [, environment = "", length = ""] = match;
  return { name, environment, length: Number(length) };
}

/**
 * Recognizes the name of an entry of an earlier version.
 *
 * @param name A name in the store.
 * @returns True if it is one.
 */
export function isOldEntryName(name: string): boolean {
  return OLD_NAME.test(name);
}

/**
 * Recognizes the name of a file that a dispatcher leaves after a compiler was
 * killed: the name of the entry to be created, or `none.` and the parts of it
 * that do not depend on an environment.
 *
 * @param name A name in the store.
 * @returns True if it is one.
 */
export function isKilledName(name: string): boolean {
  return KILLED_NAME.test(name);
}

/**
 * Lists the names that the entry of a section can have, in the order in which
 * they are tried.
 *
 * @param environment `Environment.id`.
 * @param section The section exactly as written.
 * @returns Names.
 */
export function entryNames(
  environment: string,
  section: string,
): readonly string[] {
  const length = new TextEncoder().encode(section).length;
  const start = `${environment}.${length}.${shapeOf(section)}`;
  return Array.from({ length: MOST_ALIKE }, (_, i) => `${start}.${i}`);
}

/** Computes the same number as `measure()` of dispatcher.awk. */
function shapeOf(section: string): number {
  return section.split("}").slice(0, -1).reduce(
    (shape, piece) => (shape * 131 + piece.length) % 0x7fff_ffff,
    0,
  );
}

/**
 * Writes an entry.
 *
 * @param entry The entry.
 * @returns The content of its file.
 */
export async function formatEntry(
  entry: Entry,
): Promise<Uint8Array<ArrayBuffer>> {
  const { key, environment, about, bytes, section, left } = entry;
  const encoder = new TextEncoder();
  const filter = left === undefined
    ? `filter ${encodeBase64(bytes)}`
    : `left ${plain(left)}`;
  const text = [
    FORMAT,
    `key ${key}`,
    `environment ${environment}`,
    `about ${plain(about)}`,
    `instructions ${bytes.length / 8}`,
    filter,
    `section ${encoder.encode(section).length}`,
    section,
    `${filter}\n`,
  ].join("\n");
  const digest = await sha256(encoder.encode(text));
  return encoder.encode(`${text}digest ${digest}\nend\n`);
}

/**
 * Reads an entry and checks that it is complete, that name and content agree,
 * and that the kernel would accept the filter.
 *
 * @param name Its parsed name.
 * @param bytes Its content.
 * @returns The entry, or a description of the problem.
 */
export async function parseEntry(
  name: EntryName,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Entry | string> {
  const end = /digest ([0-9a-f]{64})\nend\n$/.exec(
    new TextDecoder("latin1").decode(bytes.slice(-END_LENGTH)),
  );
  if (end === null) return "it is truncated, or of another version";
  const content = bytes.slice(0, -END_LENGTH);
  const digest = await sha256(content);
  if (digest !== end[1]) {
    return `its content has the digest ${digest.slice(0, 16)}…, not ${
      end[1]?.slice(0, 16)
    }…`;
  }
  const text = new TextDecoder().decode(content);
  const match = text.startsWith(`${FORMAT}\n`)
    ? ENTRY.exec(text.slice(FORMAT.length + 1))
    : null;
  if (match === null) return "its header is of another version";
  const [header, key = "", environment = "", about = "", count, filter = ""] =
    match;
  const again = `\n${filter}\n`;
  const section = text.slice(FORMAT.length + 1 + header.length, -again.length);
  if (
    !text.endsWith(again) || environment !== name.environment ||
    new TextEncoder().encode(section).length !== name.length ||
    Number(match[6]) !== name.length ||
    !entryNames(environment, section).includes(name.name)
  ) {
    return "its name does not match its content";
  }
  const left = /^left (.*)/.exec(filter)?.[1];
  if (left !== undefined) {
    return { key, environment, about, bytes: new Uint8Array(), section, left };
  }
  try {
    const program = decodeBase64(filter.slice("filter ".length));
    const fault = check(decode(program));
    if (fault !== undefined) return fault.message;
    if (program.length / 8 !== Number(count)) return "its filter is truncated";
    return { key, environment, about, bytes: program, section };
  } catch (error) {
    return messageOf(error);
  }
}

/** A text on one line. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?") || "?";
}

/** Length of the last two lines. */
const END_LENGTH = "digest ".length + 64 + "\nend\n".length;
