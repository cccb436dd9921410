/**
 * Reads every source but the embedded profile: files, presets, processes,
 * bundles and OCI image layouts.
 *
 * @module
 */

import { join } from "@std/path";
import { decodeBase64 } from "../../../bpf/base64.ts";
import { messageOf } from "../../../host/reason.ts";
import { parseProfile } from "../../../profile/formats/parse.ts";
import { parseJson } from "../../../profile/json/read.ts";
import {
  findMember,
  type JsonDocument,
  type JsonValue,
} from "../../../profile/json/value.ts";
import { presetProfile, PRESETS } from "../../../profile/presets.ts";
import { decodeUtf8, diagnosticAt } from "../../../profile/text.ts";
import { ANNOTATION } from "../../../tables/annotation.ts";
import { quoteText } from "../../../tables/printable.ts";
import { didYouMean } from "../../../tables/suggest.ts";
import { InputError, UsageError } from "../../error.ts";
import { inputName, type Io, readInput, readInputFile } from "../../io.ts";
import {
  chooseYamlProfile,
  readYamlProfiles,
  splitNamedWord,
} from "../../yaml/read_yaml.ts";
import {
  type BareFilters,
  type ProfileSource,
  type Source,
  type SourceOptions,
  tellingProfile,
} from "../source.ts";
import type { ForeignText } from "../source_kinds.ts";
import { knownCalls, nativeArch } from "../target.ts";
import { guessKind } from "./guess.ts";
import { parsePid } from "./pid.ts";

/** Reads a source; this is a `SourceReader`. */
export async function readOther(
  io: Io,
  word: string,
  options: SourceOptions,
): Promise<Source> {
  if (word.startsWith("preset:")) return readPreset(word);
  if (word.startsWith("pid:")) return await readProcess(word);
  if (word.startsWith("bundle:")) return await readBundle(io, word, options);
  if (word.startsWith("oci:")) return await readFromLayout(io, word, options);
  const named = splitNamedWord(word);
  const bytes = await readInput(io, named?.file ?? word);
  const name = inputName(word);
  if (named === undefined) return await readSource(io, name, bytes, options);
  const { file, name: part } = named;
  if (!file.endsWith(".json")) {
    return await readYamlSource(io, name, bytes, { ...options, part });
  }
  const text = { name, kind: "firecracker", bytes, part } as const;
  return await readForeignSource(io, text, options);
}

/** Most sources are profiles: the readers of filters are loaded on use. */
function loadForms(): Promise<typeof import("../forms/read_filters.ts")> {
  return import("../forms/read_filters.ts" as string);
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
        options,
      );
      return { kind: "profile", name, profile };
    }
    case "yaml":
      return await readYamlSource(io, name, bytes, options);
    case "firecracker":
    case "lxc":
    case "minijail":
    case "systemd":
      return await readForeignSource(io, { name, kind, bytes }, options);
    case "annotation": {
      const read = (): JsonDocument => parseJson(decodeUtf8(bytes));
      const document = await tellingProfile(io, name, read);
      return await readAnnotation(name, document, options);
    }
    default: {
      const { readFilters } = await loadForms();
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
  options: SourceOptions & { readonly part?: string },
): Promise<ProfileSource> {
  const profile = await tellingProfile(
    io,
    name,
    async () => chooseYamlProfile(await readYamlProfiles(bytes), options.part),
    options,
  );
  return { kind: "profile", name, profile };
}

function readPreset(word: string): ProfileSource {
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

async function readProcess(word: string): Promise<BareFilters> {
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

async function readFromLayout(
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

async function readBundle(
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
    options,
  );
  const { document } = profile;
  const annotated = options.from === "annotation" ||
    (options.from !== "config" && annotationOf(document.root) !== undefined);
  return annotated
    ? await readAnnotation(path, document, options)
    : { kind: "profile", name: path, profile };
}

/** Reads the filter in the annotation of a config.json, or of `compile -f annotation`. */
async function readAnnotation(
  path: string,
  { root, lineStarts }: JsonDocument,
  options: SourceOptions,
): Promise<BareFilters> {
  const { oneFilter, readAt } = await loadForms();
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
