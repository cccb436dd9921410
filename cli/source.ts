/**
 * Sources: whatever holds a policy or a filter, by one word.
 *
 * ```text
 * FILE  -         profile, config.json, raw, base64, hex or assembly: by looking
 * default:docker  the embedded profile
 * pid:N           the filters of a live process, oldest first
 * bundle:DIR      config.json of a bundle, with its annotation where it has one
 * ```
 *
 * @module
 */

import { join } from "@std/path";
import { decodeBase64 } from "../bpf/base64.ts";
import { check } from "../bpf/check.ts";
import { decode } from "../bpf/encode.ts";
import { fromHex } from "../bpf/hex.ts";
import type { Program } from "../bpf/instruction.ts";
import { parseText } from "../bpf/text.ts";
import { DEFAULT_PROFILE } from "../profile/default_profile.ts";
import { findMember, type JsonValue } from "../profile/json_value.ts";
import { type ParsedProfile, parseProfile } from "../profile/parse.ts";
import { ProfileError } from "../profile/error.ts";
import { tellDiagnostics } from "./exit.ts";
import { InputError, type Io, readInputFile, UsageError } from "./io.ts";

/** Kinds that `--from` can force. */
export const SOURCE_KINDS = [
  "profile",
  "docker",
  "oci",
  "config",
  "raw",
  "base64",
  "hex",
  "asm",
] as const;

/** A kind that `--from` can force. */
export type SourceKind = typeof SOURCE_KINDS[number];

/** A policy as somebody wrote it. */
export interface ProfileSource {
  readonly kind: "profile";
  /** The word it came from. */
  readonly name: string;
  readonly profile: ParsedProfile;
}

/** Filters as the kernel runs them. */
export interface ProgramSource {
  readonly kind: "programs";
  /** The word it came from. */
  readonly name: string;
  /** What it was, such as `base64`. */
  readonly form: string;
  /** Oldest first; all of them run, the strictest answer counts. */
  readonly programs: readonly Program[];
}

/** What a source word stands for. */
export type Source = ProfileSource | ProgramSource;

/** crun's annotation for a raw filter. */
export const ANNOTATION = "run.oci.seccomp_bpf_data";

/**
 * Reads a source.
 *
 * @param io Where standard input is, and where warnings go.
 * @param word The word.
 * @param from A kind to force.
 * @throws {InputError} when it cannot be read.
 * @throws {ReportedError} when the profile is wrong, after its problems were told.
 */
export async function loadSource(
  io: Io,
  word: string,
  from?: SourceKind,
): Promise<Source> {
  if (word === "") throw new UsageError('Cannot read source "": empty name');
  if (word === "default:docker") {
    return {
      kind: "profile",
      name: word,
      profile: parseProfile(DEFAULT_PROFILE),
    };
  }
  if (word.startsWith("default:")) {
    throw new UsageError(
      `Cannot read source "${word}": unknown profile: use default:docker`,
    );
  }
  if (word.startsWith("pid:")) return await loadProcess(word);
  if (word.startsWith("bundle:")) return loadBundle(io, word);
  const bytes = word === "-" ? await io.stdin() : readInputFile(word);
  const name = word === "-" ? "<stdin>" : word;
  return readSource(io, name, bytes, from);
}

/** Thrown after a profile's problems were told: exit 3, nothing more to say. */
export class ReportedError extends Error {
  override readonly name = "ReportedError";
}

/**
 * Runs something that may find a profile wrong, and tells its problems with
 * the name of the source.
 */
export async function tellingProfile<T>(
  io: Io,
  name: string,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    tellDiagnostics(io, name, error.diagnostics);
    throw new ReportedError("profile", { cause: error });
  }
}

async function readSource(
  io: Io,
  name: string,
  bytes: Uint8Array,
  from: SourceKind | undefined,
): Promise<Source> {
  if (bytes.length === 0) {
    throw new InputError(
      `Cannot read ${name}: empty: give a profile, a config.json, or a filter`,
    );
  }
  const kind = from ?? guessKind(bytes);
  const program = (form: string, programOf: () => Program): ProgramSource => {
    try {
      return { kind: "programs", name, form, programs: [programOf()] };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new InputError(`${name}: ${reason}`, { cause: error });
    }
  };
  switch (kind) {
    case "raw":
      return program("raw", () => decodeRaw(bytes));
    case "base64":
      return program(
        "base64",
        () => decode(decodeBase64(textOf(bytes).trim())),
      );
    case "hex":
      return program(
        "hex",
        () => decode(fromHex(textOf(bytes).replace(/\s/g, ""))),
      );
    case "asm":
      return program("assembly", () => parseText(textOf(bytes)));
    case "profile":
    case "docker":
    case "oci":
    case "config": {
      const profile = await tellingProfile(
        io,
        name,
        () => parseProfile(bytes, kind === "profile" ? {} : { kind }),
      );
      return { kind: "profile", name, profile };
    }
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Finds out what some bytes are; anything doubtful is taken for a profile, whose errors are the clearest. */
function guessKind(bytes: Uint8Array): SourceKind {
  if (bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c) {
    throw new InputError(
      "Cannot read an ELF file: seccomp takes classic BPF, not eBPF objects",
    );
  }
  // Text has no NUL; every filter has, in the high bytes of its codes.
  if (bytes.includes(0) && !(bytes[0] === 0xff && bytes[1] === 0xfe)) {
    return bytes[0] === 0x7b ? "profile" : "raw";
  }
  const text = textOf(bytes).trim();
  if (/^[{[/"]/.test(text) || text === "") return "profile";
  if (
    /^(?:[0-9a-fA-F]{2}\s*)+$/.test(text) &&
    text.replace(/\s/g, "").length % 16 === 0
  ) {
    return "hex";
  }
  if (
    /^[A-Za-z0-9+/\s]+={0,2}$/.test(text) && !/[ \t]/.test(text) &&
    text.length >= 8
  ) {
    return "base64";
  }
  return /^\s*(?:;|[.\w]+:|\.?[a-z]+\b)/m.test(text) &&
      !/^(?:null|true|false|-?\d)/.test(text)
    ? "asm"
    : "profile";
}

function decodeRaw(bytes: Uint8Array): Program {
  const program = decode(bytes);
  if (check(program) !== undefined && bytes.length % 8 === 0) {
    const swapped = decode(bytes, { littleEndian: false });
    if (check(swapped) === undefined) return swapped;
  }
  return program;
}

async function loadProcess(word: string): Promise<ProgramSource> {
  const text = word.slice("pid:".length);
  const pid = Number(text);
  if (!/^[0-9]+$/.test(text) || pid < 1 || pid > 2 ** 22) {
    throw new UsageError(
      `Cannot read source "${word}": not a process: write pid: and a number from 1 to ${
        2 ** 22
      }`,
    );
  }
  const { dumpFilters } = await import("../ffi/dump.ts");
  const programs = dumpFilters(pid).map((bytes) => decode(bytes));
  return { kind: "programs", name: word, form: "live filters", programs };
}

async function loadBundle(io: Io, word: string): Promise<Source> {
  const directory = word.slice("bundle:".length);
  if (directory === "") {
    throw new UsageError(
      `Cannot read source "${word}": no directory: write bundle:DIR`,
    );
  }
  const path = join(directory, "config.json");
  const bytes = readInputFile(path);
  const profile = await tellingProfile(
    io,
    path,
    () => parseProfile(bytes, { kind: "config" }),
  );
  const root = profile.document.root;
  const annotations = member(root, "annotations");
  const value = annotations && member(annotations, ANNOTATION);
  if (value?.kind !== "string") {
    return { kind: "profile", name: path, profile };
  }
  try {
    const programs = [decode(decodeBase64(value.value))];
    return { kind: "programs", name: path, form: "annotation", programs };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${path}: annotations["${ANNOTATION}"]: ${reason}`, {
      cause: error,
    });
  }
}

function member(value: JsonValue, key: string): JsonValue | undefined {
  return value.kind === "object" ? findMember(value, key) : undefined;
}
