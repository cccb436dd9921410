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
import { decodeBase64 } from "../../bpf/base64.ts";
import { decode } from "../../bpf/encode.ts";
import { AssemblyError } from "../../bpf/error.ts";
import { fromHex } from "../../bpf/hex.ts";
import type { Program } from "../../bpf/instruction.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { findMember, type JsonValue } from "../../profile/json/value.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { InputError, messageOf, ReportedError, UsageError } from "../error.ts";
import { tellDiagnostics } from "../exit.ts";
import { guessKind, type SourceKind } from "./guess.ts";
import { inputName, type Io, readInput, readInputFile } from "../io.ts";
import { parsePid } from "./pid.ts";

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
  if (word === "") {
    throw new UsageError('Cannot read source "": empty: give a file, or -');
  }
  if (word === "default:docker") {
    return {
      kind: "profile",
      name: word,
      profile: parseProfile(DEFAULT_PROFILE, {
        kind: from === "podman" ? from : "docker",
      }),
    };
  }
  if (word.startsWith("default:")) {
    throw new UsageError(
      `Cannot read source "${word}": unknown profile: did you mean "default:docker"`,
    );
  }
  if (word.startsWith("pid:")) return await loadProcess(word);
  if (word.startsWith("bundle:")) return loadBundle(io, word);
  const bytes = await readInput(io, word);
  const name = inputName(word);
  return readSource(io, name, bytes, from);
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
      "Cannot read an empty source: give a profile, a config.json, or a filter",
      { place: name },
    );
  }
  const kind = from ?? guessKind(name, bytes);
  switch (kind) {
    case "profile":
    case "docker":
    case "podman":
    case "oci":
    case "config": {
      const profile = await tellingProfile(
        io,
        name,
        () => parseProfile(bytes, kind === "profile" ? {} : { kind }),
      );
      return { kind: "profile", name, profile };
    }
    case "raw":
    case "base64":
    case "hex":
    case "asm": {
      const program = await readingProgram(
        name,
        () => readProgram(kind, bytes),
      );
      return { kind: "programs", name, form: kind, programs: [program] };
    }
  }
}

/** Runs something that may find a program unreadable, and says where it is. */
async function readingProgram(
  name: string,
  work: () => Program | Promise<Program>,
): Promise<Program> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AssemblyError) {
      // Its message begins with the place.
      const { line, column, message } = error;
      const start = `${line}:${column}: `;
      throw new InputError(
        message.startsWith(start) ? message.slice(start.length) : message,
        { place: `${name}:${line}:${column}`, cause: error },
      );
    }
    throw new InputError(messageOf(error), { place: name, cause: error });
  }
}

async function readProgram(
  kind: "raw" | "base64" | "hex" | "asm",
  bytes: Uint8Array,
): Promise<Program> {
  switch (kind) {
    case "raw":
      return decodeRaw(bytes);
    case "base64":
      // Lines, as base64(1) makes them; anything else is for decodeBase64 to refuse.
      return decodeRaw(decodeBase64(textOf(bytes).replace(/\r?\n/g, "")));
    case "hex":
      return decodeRaw(fromHex(textOf(bytes).replace(/\s/g, "")));
    case "asm": {
      const { parseText } = await import("../../bpf/text.ts");
      return parseText(textOf(bytes));
    }
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/**
 * Decodes a filter of either byte order: the two bytes of a code tell, as no
 * code is above 0xff.
 */
function decodeRaw(bytes: Uint8Array): Program {
  const littleEndian = hasZeros(bytes, 1) || !hasZeros(bytes, 0);
  return decode(bytes, { littleEndian });
}

/** Whether every eighth byte is 0. */
function hasZeros(bytes: Uint8Array, from: number): boolean {
  for (let i = from; i < bytes.length; i += 8) {
    if (bytes[i] !== 0) return false;
  }
  return true;
}

/**
 * Reads assembly text.
 *
 * @param name Of the file, for messages.
 * @param bytes The text.
 */
export async function readAssembly(
  name: string,
  bytes: Uint8Array,
): Promise<Program> {
  return await readingProgram(name, () => readProgram("asm", bytes));
}

async function loadProcess(word: string): Promise<ProgramSource> {
  const pid = parsePid(word);
  const { liveFilters } = await import("./process.ts");
  const programs = liveFilters(pid);
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
  const annotations = member(profile.document.root, "annotations");
  const value = annotations && member(annotations, ANNOTATION);
  if (value === undefined) return { kind: "profile", name: path, profile };
  const place = `annotations["${ANNOTATION}"]`;
  const program = await readingProgram(path, () => {
    if (value.kind !== "string") {
      throw new InputError(`${place}: Not a string: crun expects base64`);
    }
    try {
      return decode(decodeBase64(value.value));
    } catch (error) {
      throw new InputError(`${place}: ${messageOf(error)}`, { cause: error });
    }
  });
  return {
    kind: "programs",
    name: path,
    form: "annotation",
    programs: [program],
  };
}

function member(value: JsonValue, key: string): JsonValue | undefined {
  return value.kind === "object" ? findMember(value, key) : undefined;
}

/**
 * Refuses words of which two stand for standard input.
 *
 * @param words Source words, and files of other flags.
 */
export function refuseTwoStdins(
  ...words: readonly (string | undefined)[]
): void {
  if (words.filter((word) => word === "-").length > 1) {
    throw new UsageError(
      "Cannot read standard input twice: give a file for all but one",
    );
  }
}
