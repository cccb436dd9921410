/**
 * Writes a profile, its filter and their certificate into an OCI image layout;
 * cli/input/sources/oci.ts reads them.
 *
 * @module
 */

import { join } from "@std/path";
import { sha256 } from "../../hook/store/digest.ts";
import { reasonOf } from "../../host/reason.ts";
import { quoteText } from "../../tables/printable.ts";
import { InputError, MachineError, UsageError } from "../error.ts";
import type { CompiledSource } from "../input/filter.ts";
import type { SourceFlags } from "../input/flags.ts";
import type { ProfileSource } from "../input/source.ts";
import { makeCertificate } from "../../verify/certificate/make.ts";
import {
  blobPath,
  CERTIFICATE_TYPE,
  EMPTY_TYPE,
  FILTER_TYPE,
  INDEX_TYPE,
  LAYOUT,
  MANIFEST_TYPE,
  type OciDescriptor,
  OciLayout,
  OPTIONS_ANNOTATION,
  PROFILE_TYPE,
  PROGRAM_TYPE,
} from "../input/sources/oci.ts";
import { givenOptions, quoted } from "./reproduce.ts";
import { writeFileWhole } from "./write.ts";

/** Content of a layout. */
export interface OciContent {
  /** The profile in JSON, as its author wrote it. */
  readonly profile: Uint8Array;
  /** The filter as `struct sock_filter[]`. */
  readonly program: Uint8Array;
  /** Certificate that both are equal. */
  readonly certificate: string;
  /** The options with which the profile was compiled, as on a command line. */
  readonly options: string;
}

/**
 * Writes a compiled profile with its certificate.
 *
 * @param directory The folder of the layout.
 * @param source The profile, which must be a whole JSON document.
 * @param compiled Its filter and meaning.
 * @param flags The options with which it was compiled.
 * @returns The source word for the profile.
 */
export async function writeToLayout(
  directory: string,
  { name, profile }: ProfileSource,
  { program, policy, bytes, littleEndian }: CompiledSource["resolved"],
  flags: SourceFlags,
): Promise<string> {
  const { text } = profile.document;
  if (profile.kind === "config" || !text.trimStart().startsWith("{")) {
    throw new InputError(
      "Cannot write the layout: only a profile that is a whole JSON document can be written; give Docker's format or the OCI section as a file",
      { place: name },
    );
  }
  const certificate = await makeCertificate(program, policy, { littleEndian });
  const options = givenOptions(flags).map(quoted).join(" ");
  const digest = await writeLayout(directory, {
    profile: new TextEncoder().encode(text),
    ...{ program: bytes, certificate, options },
  });
  return `oci:${directory}@${digest}`;
}

/**
 * Writes a layout, or adds to one.
 *
 * @param directory Its folder; created if it does not exist.
 * @param content Profile, filter and certificate.
 * @returns The digest of the profile's manifest.
 * @throws {UsageError} if the folder has something else.
 * @throws {MachineError} if it cannot be written.
 */
export async function writeLayout(
  directory: string,
  content: OciContent,
): Promise<string> {
  const old = prepare(directory);
  const add = async (
    mediaType: string,
    data: Uint8Array | string,
  ): Promise<OciDescriptor> => {
    const bytes = typeof data === "string"
      ? new TextEncoder().encode(data)
      : new Uint8Array(data);
    const digest = `sha256:${await sha256(bytes)}`;
    writeFileWhole(join(directory, blobPath(digest)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const profile = await add(
    MANIFEST_TYPE,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: await add(PROFILE_TYPE, "{}"),
      layers: [titled(
        await add("application/json", content.profile),
        "seccomp.json",
      )],
    }),
  );
  const filter = await add(
    MANIFEST_TYPE,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType: FILTER_TYPE,
      config: await add(EMPTY_TYPE, "{}"),
      layers: [
        titled(await add(PROGRAM_TYPE, content.program), "filter.bpf"),
        titled(
          await add(CERTIFICATE_TYPE, content.certificate),
          "filter.cert",
        ),
      ],
      subject: profile,
      annotations: { [OPTIONS_ANNOTATION]: content.options },
    }),
  );
  const added = [
    named(profile, "profile"),
    named({ ...filter, artifactType: FILTER_TYPE }, "filter"),
  ];
  const manifests = [
    ...old.filter((one) => added.every(({ digest }) => digest !== one.digest))
      .map((one) => unnamed(one)),
    ...added,
  ];
  const index = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests };
  writeFileWhole(join(directory, "index.json"), JSON.stringify(index));
  writeFileWhole(join(directory, "oci-layout"), JSON.stringify(LAYOUT));
  return profile.digest;
}

/** Key of the name by which tools for images choose a manifest. */
const NAME = "org.opencontainers.image.ref.name";

function named(descriptor: OciDescriptor, name: string): OciDescriptor {
  return { ...descriptor, annotations: { [NAME]: name } };
}

/** Without our names, which belong to the manifests that were written last. */
function unnamed(descriptor: OciDescriptor): OciDescriptor {
  const { annotations: { [NAME]: name, ...others } = {}, ...rest } = descriptor;
  return name === "profile" || name === "filter"
    ? { ...rest, annotations: others }
    : descriptor;
}

/** Adds the name under which tools for artifacts save a layer. */
function titled(descriptor: OciDescriptor, name: string): unknown {
  return {
    ...descriptor,
    annotations: { "org.opencontainers.image.title": name },
  };
}

/** Creates the folders; returns the manifests that the index already lists. */
function prepare(directory: string): readonly OciDescriptor[] {
  const shown = quoteText(directory);
  try {
    const names = [...entriesOf(directory)];
    if (names.length > 0 && !names.includes("oci-layout")) {
      throw new UsageError(
        `Cannot write the layout ${shown}: the folder has other files; give a new folder, or a layout`,
      );
    }
    Deno.mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
    return names.length === 0 ? [] : new OciLayout(directory).named();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !isMachine(error)) {
      throw error;
    }
    throw new MachineError(
      `Cannot write the layout ${shown}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

function isMachine(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.AlreadyExists;
}

function entriesOf(directory: string): readonly string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
