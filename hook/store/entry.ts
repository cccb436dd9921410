/**
 * An entry of the store: a filter as text, which the `sh` dispatcher also
 * reads.
 *
 * ```text
 * seccomp-tree entry 1
 * key 9f86d081…                  of everything that decides the bytes
 * environment 0123456789abcdef
 * about 0.1.0 x86_64 crun x86_64,x86,x32 libseccomp 2.5.4 sha256:…
 * instructions 357
 * filter IAAAAAQAAAAV…           base64
 * section 7341                   bytes of what follows, up to "\nend\n"
 * {"defaultAction":"SCMP_ACT_ERRNO",…}
 * end
 * ```
 *
 * An entry's file is named `LENGTH.ENVIRONMENT.KEY.CONTENT`: the size of its
 * section, two digests from its content, and the digest of the entire file, so
 * that nothing in it can change unnoticed.
 *
 * @module
 */

import { messageOf } from "../../host/reason.ts";
import { decodeBase64, encodeBase64 } from "../../bpf/base64.ts";
import { check } from "../../bpf/check.ts";
import { decode } from "../../bpf/encode.ts";
import { FORMAT } from "../environment.ts";
import { sha256 } from "./digest.ts";

/** A filter and its origin. */
export interface Entry {
  /** Digest of all inputs that decide the bytes, 64 hexadecimal digits. */
  readonly key: string;
  /** `Environment.id`. */
  readonly environment: string;
  /** Versions and options, for people, on one line. */
  readonly about: string;
  /** `struct sock_filter[]`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The section exactly as it was written. */
  readonly section: string;
}

/** A parsed name of an entry. */
export interface EntryName {
  /** The name itself. */
  readonly name: string;
  /** Size of the section in bytes. */
  readonly length: number;
  /** `Environment.id`. */
  readonly environment: string;
  /** Key of the entry. */
  readonly key: string;
  /** Digest of the file. */
  readonly content: string;
}

const NAME =
  /^([1-9][0-9]{0,8})\.([0-9a-f]{16})\.([0-9a-f]{64})\.([0-9a-f]{64})$/;

const ENTRY =
  /^key ([0-9a-f]{64})\nenvironment ([0-9a-f]{16})\nabout ([^\n]*)\ninstructions ([0-9]+)\nfilter ([^\n]+)\nsection ([0-9]+)\n/;

/**
 * Parses a file name.
 *
 * @param name A name in the store.
 * @returns Its parts, or `undefined` if it is not an entry's name.
 */
export function parseEntryName(name: string): EntryName | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [, length = "", environment = "", key = "", content = ""] = match;
  return { name, length: Number(length), environment, key, content };
}

/** A serialized entry. */
export interface EntryFile {
  /** Name of the file. */
  readonly name: string;
  /** Its content. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Writes an entry.
 *
 * @returns Name and content of its file.
 * @returns Name and content of its file.
 */
export async function formatEntry(entry: Entry): Promise<EntryFile> {
  const { key, environment, about, bytes, section } = entry;
  const encoder = new TextEncoder();
  const length = encoder.encode(section).length;
  const text = [
    FORMAT,
    `key ${key}`,
    `environment ${environment}`,
    `about ${about.replace(/[^\x20-\x7e]/g, "?")}`,
    `instructions ${bytes.length / 8}`,
    `filter ${encodeBase64(bytes)}`,
    `section ${length}`,
    `${section}\nend\n`,
  ].join("\n");
  const content = encoder.encode(text);
  const name = `${length}.${environment}.${key}.${await sha256(content)}`;
  return { name, bytes: content };
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
  const digest = await sha256(bytes);
  if (digest !== name.content) {
    return `its content has the digest ${digest.slice(0, 16)}…, not ${
      name.content.slice(0, 16)
    }…`;
  }
  const text = new TextDecoder().decode(bytes);
  if (!text.startsWith(`${FORMAT}\n`) || !text.endsWith("\nend\n")) {
    return "it is not of this version";
  }
  const match = ENTRY.exec(text.slice(FORMAT.length + 1));
  if (match === null) return "its header is not of this version";
  const [header, key = "", environment = "", about = "", count, filter = ""] =
    match;
  const section = text.slice(
    FORMAT.length + 1 + header.length,
    -"\nend\n".length,
  );
  if (
    key !== name.key || environment !== name.environment ||
    new TextEncoder().encode(section).length !== name.length ||
    Number(match[6]) !== name.length
  ) {
    return "its name does not match its content";
  }
  try {
    const program = decodeBase64(filter);
    const fault = check(decode(program));
    if (fault !== undefined) return fault.message;
    if (program.length / 8 !== Number(count)) return "its filter is truncated";
    return { key, environment, about, bytes: program, section };
  } catch (error) {
    return messageOf(error);
  }
}
