/**
 * Sources: one word for anything that contains a policy or a filter.
 *
 * ```text
 * FILE  -         profile, config.json, or a filter in any form, as the content shows
 * FILE.yaml#NAME  one of several SeccompProfiles
 * FILE.json#NAME  one of several filters of Firecracker
 * default:docker  the embedded profile
 * default:podman, default:containerd, default:crio  those of this machine
 * preset:NAME     a profile that denies one thing
 * pid:N           the filters of a live process, oldest first
 * bundle:DIR      the annotation in config.json of a bundle, else its profile
 * oci:DIR         the only profile in an OCI image layout
 * oci:DIR@sha256:DIGEST  a profile or filter in it, by the digest of its manifest
 * ```
 *
 * @module
 */

import { ANNOTATION } from "../../tables/annotation.ts";
import { join } from "@std/path";
import { decodeBase64 } from "../../bpf/base64.ts";
import type { ParsedFilters } from "../../bpf/assembly/link_filters.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { parseJson } from "../../profile/json/read.ts";
import {
  findMember,
  type JsonDocument,
  type JsonValue,
} from "../../profile/json/value.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import { presetProfile, PRESETS } from "../../profile/presets.ts";
import type { Arch } from "../../tables/arch.ts";
import { quoteText } from "../../tables/printable.ts";
import { didYouMean } from "../../tables/suggest.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { decodeUtf8, diagnosticAt } from "../../profile/text.ts";
import { messageOf } from "../../host/reason.ts";
import { InputError, ReportedError, UsageError } from "../error.ts";
import { tellDiagnostics } from "../exit.ts";
import { type ForeignText, guessKind, type SourceKind } from "./guess.ts";
import { inputName, type Io, readInput, readInputFile } from "../io.ts";
import {
  chooseYamlProfile,
  readYamlProfiles,
  splitNamedWord,
} from "../yaml/read_yaml.ts";
import { parsePid } from "./pid.ts";
import { oneFilter, readAt, readFilters } from "./filter_forms.ts";
import { knownCalls, nativeArch } from "./target.ts";

/** A policy as its author wrote it. */
export interface ProfileSource {
  readonly kind: "profile";
  /** The source word. */
  readonly name: string;
  readonly profile: ParsedProfile;
}

/**
 * Filters as the kernel runs them: all run, and the strictest answer wins.
 */
export interface BareFilters extends ParsedFilters {
  readonly kind: "programs";
  /** The source word. */
  readonly name: string;
  /** Its format, such as `base64`. */
  readonly form: string;
  /** Architecture of the machine, if the filters are those of a live process. */
  readonly native?: Arch;
  /** `SECCOMP_FILTER_FLAG_LOG` of each filter, if known. */
  readonly logs?: readonly (boolean | undefined)[];
}

/** Result of reading a source word. */
export type Source = ProfileSource | BareFilters;

/** Options of reading a source. */
export interface SourceOptions {
  /** A kind to require. */
  readonly from?: SourceKind;
  /**
   * Architecture of `--arch`: its byte order is used if the bytes do not show
   * one.
   */
  readonly arch?: readonly string[];
  /** Names that exist, for the policies of other tools. */
  readonly names?: "builtin" | "host";
}

/**
 * Reads a source.
 *
 * @param io Streams for standard input and warnings.
 * @param word The word.
 * @param options A kind to require, and the architecture.
 * @throws {InputError} if it cannot be read.
 * @throws {ReportedError} if the profile is invalid, after its problems were
 * printed.
 */
export async function loadSource(
  io: Io,
  word: string,
  options: SourceOptions = {},
): Promise<Source> {
  if (word === "") {
    throw new UsageError('Cannot read source "": empty; give a file, or -');
  }
  if (word === "default:docker") {
    return {
      kind: "profile",
      name: word,
      profile: parseProfile(DEFAULT_PROFILE, {
        kind: options.from === "podman" ? "podman" : "docker",
      }),
    };
  }
  if (word.startsWith("preset:")) return loadPreset(word);
  if (word.startsWith("default:")) {
    const { hostDefault }: typeof import("./host_default.ts") = await import(
      "./host_default.ts" as string
    );
    const found = await hostDefault(word);
    const from = options.from ??
      (found.startsWith("bundle:") ? "config" : "podman");
    return { ...await loadSource(io, found, { ...options, from }), name: word };
  }
  if (word.startsWith("pid:")) return await loadProcess(word);
  if (word.startsWith("bundle:")) return await loadBundle(io, word, options);
  if (word.startsWith("oci:")) return await loadFromLayout(io, word, options);
  const named = splitNamedWord(word);
  const bytes = await readInput(io, named?.file ?? word);
  const name = inputName(word);
  if (named === undefined) return await readSource(io, name, bytes, options);
  const { file, name: part } = named;
  if (!file.endsWith(".json")) {
    return await readYamlSource(io, name, bytes, part);
  }
  const text = { name, kind: "firecracker", bytes, part } as const;
  return await readForeignSource(io, text, options);
}

/**
 * Reads a source for a command that takes only profiles. For a bundle with an
 * annotation, reads the profile from which the annotation was made.
 *
 * @param io Streams for standard input and warnings.
 * @param word The word.
 * @param options A kind to require, and the architecture.
 * @param refuse Creates the error for filters.
 * @throws {InputError} if it cannot be read.
 * @throws {ReportedError} if the profile is invalid, after its problems were
 * printed.
 */
export async function loadProfile(
  io: Io,
  word: string,
  options: SourceOptions,
  refuse: (source: BareFilters) => Error,
): Promise<ProfileSource> {
  const isBundle = word.startsWith("bundle:");
  const from = options.from ?? (isBundle ? "config" : undefined);
  const source = await loadSource(io, word, {
    ...options,
    ...(from && { from }),
  });
  if (source.kind === "programs") throw refuse(source);
  return source;
}

/**
 * Runs a function that may find a profile invalid, and reports its problems
 * with the name of the source.
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
  options: SourceOptions,
): Promise<Source> {
  if (bytes.length === 0) {
    throw new InputError(
      "Cannot read source: it is empty; give a profile, a config.json or a filter",
      { place: name },
    );
  }
  const kind = options.from ?? guessKind(name, bytes);
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
    case "yaml":
      return await readYamlSource(io, name, bytes, undefined);
    case "firecracker":
    case "lxc":
    case "minijail":
    case "systemd":
      return await readForeignSource(io, { name, kind, bytes }, options);
    case "annotation": {
      const read = (): JsonDocument => parseJson(decodeUtf8(bytes));
      const document = await tellingProfile(io, name, read);
      return readAnnotation(name, document, options);
    }
    default: {
      const filters = await readFilters(io, name, kind, bytes, options);
      return { kind: "programs", name, form: kind, ...filters };
    }
  }
}

/** The compiler is loaded for policies of other tools only. */
async function readForeignSource(
  io: Io,
  text: ForeignText,
  options: SourceOptions,
): Promise<BareFilters> {
  const { readForeign }: typeof import("./foreign_source.ts") = await import(
    "./foreign_source.ts" as string
  );
  const { name, kind } = text;
  const knows = await knownCalls(options);
  const read = (): ReturnType<typeof readForeign> =>
    readForeign(io, text, { ...options, ...knows && { knows } });
  const form = `${kind} policy`;
  const filters = await tellingProfile(io, name, read);
  return { kind: "programs", name, form, ...filters };
}

async function readYamlSource(
  io: Io,
  name: string,
  bytes: Uint8Array,
  wanted: string | undefined,
): Promise<ProfileSource> {
  const profile = await tellingProfile(
    io,
    name,
    async () => chooseYamlProfile(await readYamlProfiles(bytes), wanted),
  );
  return { kind: "profile", name, profile };
}

function loadPreset(word: string): ProfileSource {
  const name = word.slice("preset:".length);
  const text = presetProfile(name);
  if (text === undefined) {
    const names = PRESETS.map((preset) => preset.name);
    const near = didYouMean(name, names);
    throw new UsageError(
      `Cannot read source ${quoteText(word)}: no such preset; ${
        near === undefined
          ? `give one of ${names.join(", ")}`
          : `did you mean preset:${near}`
      }`,
    );
  }
  const profile = parseProfile(text, { kind: "docker" });
  return { kind: "profile", name: word, profile };
}

async function loadProcess(word: string): Promise<BareFilters> {
  const pid = parsePid(word);
  const { liveFilters }: typeof import("./process.ts") = await import(
    "./process.ts" as string
  );
  return {
    kind: "programs",
    name: word,
    form: "live filters",
    ...liveFilters(pid),
    order: "given",
    native: nativeArch(),
  };
}

async function loadFromLayout(
  io: Io,
  word: string,
  options: SourceOptions,
): Promise<Source> {
  const { isFilter, OciLayout, splitOciWord }: typeof import("./oci.ts") =
    await import("./oci.ts" as string);
  const { directory, digest } = splitOciWord(word);
  const layout = new OciLayout(directory);
  const found = await layout.find(digest);
  if (!isFilter(found.manifest)) {
    return await readSource(io, word, await layout.profile(found), options);
  }
  const { program } = await layout.filter(found);
  return await readSource(io, word, program, { ...options, from: "raw" });
}

async function loadBundle(
  io: Io,
  word: string,
  options: SourceOptions,
): Promise<Source> {
  const directory = word.slice("bundle:".length);
  if (directory === "") {
    throw new UsageError(
      `Cannot read source "${word}": no folder; write bundle:DIR`,
    );
  }
  const path = join(directory, "config.json");
  const bytes = readInputFile(path);
  const profile = await tellingProfile(
    io,
    path,
    () => parseProfile(bytes, { kind: "config" }),
  );
  const { document } = profile;
  const annotated = options.from === "annotation" ||
    (options.from !== "config" && annotationOf(document.root) !== undefined);
  return annotated
    ? readAnnotation(path, document, options)
    : { kind: "profile", name: path, profile };
}

/** Reads the filter in the annotation of a config.json, or of `compile -f annotation`. */
function readAnnotation(
  path: string,
  { root, lineStarts }: JsonDocument,
  options: SourceOptions,
): BareFilters {
  const value = annotationOf(root);
  if (value === undefined) {
    throw new InputError(
      `Cannot find the annotation ${ANNOTATION}; run rewrite on the bundle first`,
      { place: path },
    );
  }
  const { line, column } = diagnosticAt(lineStarts, value.start);
  const place = `${path}:${line}:${column}`;
  const filters = readAt(place, () => {
    const what = `annotations["${ANNOTATION}"]`;
    if (value.kind !== "string") {
      throw new InputError(`${what}: not a string; crun expects base64`);
    }
    try {
      return oneFilter(decodeBase64(value.value), options);
    } catch (error) {
      throw new InputError(`${what}: ${messageOf(error)}`, { cause: error });
    }
  });
  return { kind: "programs", name: path, form: "annotation", ...filters };
}

function annotationOf(root: JsonValue): JsonValue | undefined {
  const annotations = member(root, "annotations") ?? root;
  return member(annotations, ANNOTATION);
}

function member(value: JsonValue, key: string): JsonValue | undefined {
  return value.kind === "object" ? findMember(value, key) : undefined;
}

/**
 * Refuses two or more words that stand for standard input.
 *
 * @param words Source words, and files of other flags.
 */
export function refuseTwoStdins(
  ...words: readonly (string | undefined)[]
): void {
  if (words.filter((word) => word === "-").length > 1) {
    throw new UsageError(
      "Cannot read standard input twice; give a file for all but one",
    );
  }
}
