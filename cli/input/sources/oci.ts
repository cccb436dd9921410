/**
 * Profiles and filters in OCI image layouts: `oci:DIR` and
 * `oci:DIR@sha256:DIGEST`. Every blob is compared with the size and the digest
 * in its descriptor; nothing is fetched.
 *
 * A profile is an artifact whose type is {@linkcode PROFILE_TYPE}, as CRI-O and
 * Kubernetes take it: a layer with the JSON. A filter is an artifact that refers
 * to its profile (`subject`), with two layers: the program, and the certificate
 * that both are equal. docs/certificate.md describes them.
 *
 * @module
 */

import { join } from "@std/path";
import { sha256 } from "../../../hook/store/digest.ts";
import { InputError, UsageError } from "../../error.ts";
import { readInputFile } from "../../io.ts";

/** Type of a profile: of its configuration, of the artifact, or of its layer. */
export const PROFILE_TYPE =
  "application/vnd.cncf.seccomp-profile.config.v1+json";
/** Type of an artifact with a filter and its certificate. */
export const FILTER_TYPE = "application/vnd.seccomp-tree.filter.v1";
/** Type of a layer with `struct sock_filter[]`. */
export const PROGRAM_TYPE = "application/vnd.seccomp-tree.program.v1";
/** Type of a layer with a certificate. */
export const CERTIFICATE_TYPE =
  "application/vnd.seccomp-tree.certificate.v1+text";
/** Type of a manifest. */
export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
/** Type of an index. */
export const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
/** Type of the configuration `{}` of an artifact that needs none. */
export const EMPTY_TYPE = "application/vnd.oci.empty.v1+json";
/** Content of the file `oci-layout`. */
export const LAYOUT = { imageLayoutVersion: "1.0.0" } as const;

/** A descriptor of the image specification. */
export interface OciDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest of the image specification. */
export interface OciManifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: OciDescriptor;
  readonly layers: readonly OciDescriptor[];
  readonly subject?: OciDescriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest with its descriptor. */
export interface FoundManifest {
  readonly descriptor: OciDescriptor;
  readonly manifest: OciManifest;
}

/** A filter in a layout. */
export interface FoundFilter {
  /** Its own manifest. */
  readonly descriptor: OciDescriptor;
  readonly program: Uint8Array<ArrayBuffer>;
  readonly certificate: string;
  /** The profile that it refers to. */
  readonly profile: OciDescriptor;
  /** The options with which the filter was compiled, for messages. */
  readonly options: string;
}

/** Annotation of a filter: the options with which it was compiled. */
export const OPTIONS_ANNOTATION = "io.seccomp-tree.options";

/** Parts of a source word. */
export interface OciWord {
  readonly directory: string;
  /** `sha256:…`, if the word has it. */
  readonly digest?: string;
}

/**
 * Splits a source word.
 *
 * @param word `oci:DIR` or `oci:DIR@sha256:DIGEST`.
 * @throws {UsageError} if it is neither.
 */
export function splitOciWord(word: string): OciWord {
  const [, directory = "", digest] =
    /^oci:(.*?)(?:@([a-z0-9]+:.*))?$/s.exec(word) ?? [];
  if (directory === "") {
    throw new UsageError(
      `Cannot read source "${word}": no folder; write oci:DIR or oci:DIR@sha256:DIGEST`,
    );
  }
  if (digest === undefined) return { directory };
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw new UsageError(
      `Cannot read source "${word}": ${
        digest.startsWith("sha256:")
          ? "the digest does not have 64 hexadecimal digits"
          : "only digests of sha256 are read"
      }; write oci:DIR@sha256:DIGEST`,
    );
  }
  return { directory, digest };
}

/** An OCI image layout. */
export class OciLayout {
  /**
   * Opens a layout.
   *
   * @param directory Its folder.
   * @throws {InputError} if it is not one.
   */
  constructor(readonly directory: string) {
    const { imageLayoutVersion } = this.#json("oci-layout");
    if (imageLayoutVersion !== LAYOUT.imageLayoutVersion) {
      throw this.#error(
        "oci-layout",
        `its version is ${
          JSON.stringify(imageLayoutVersion)
        }; only "1.0.0" is known`,
      );
    }
  }

  /** Lists the manifests that the index names. */
  named(): readonly OciDescriptor[] {
    return this.#descriptors("index.json", this.#json("index.json"));
  }

  /** Reads all manifests that the index names, and those of indexes in it. */
  async manifests(): Promise<readonly FoundManifest[]> {
    const found: FoundManifest[] = [];
    const queue = [...this.named()];
    // An index can name other indexes; each is read once.
    const seen = new Set<string>();
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (seen.has(next.digest)) continue;
      seen.add(next.digest);
      if (next.mediaType === INDEX_TYPE) {
        const path = blobPath(next.digest);
        queue.push(...this.#descriptors(path, await this.#document(next)));
      } else if (next.mediaType === MANIFEST_TYPE) {
        found.push(await this.#manifest(next));
      }
    }
    return found;
  }

  /**
   * Finds the manifest of a digest, or the only profile.
   *
   * @param digest `sha256:…`, of a manifest; the only profile if absent.
   * @throws {InputError} if it does not exist, or there are several.
   */
  async find(digest?: string): Promise<FoundManifest> {
    const all = await this.manifests();
    if (digest !== undefined) {
      const one = all.find(({ descriptor }) => descriptor.digest === digest);
      if (one !== undefined) return one;
      throw this.#error(
        "index.json",
        `it does not name a manifest ${digest}; ${this.#choices(all)}`,
      );
    }
    const profiles = all.filter(({ manifest }) => isProfile(manifest));
    const [only] = profiles;
    if (only !== undefined && profiles.length === 1) return only;
    throw this.#error(
      "index.json",
      only === undefined
        ? `it does not name a profile (${PROFILE_TYPE}); ${this.#choices(all)}`
        : `it names ${profiles.length} profiles; ${this.#choices(profiles)}`,
    );
  }

  /**
   * Reads the profile of a manifest.
   *
   * @param found The manifest.
   * @returns The text of its layer, unchanged.
   */
  async profile({ manifest }: FoundManifest): Promise<Uint8Array> {
    const { config, layers } = manifest;
    const full = layers.filter(({ mediaType }) => mediaType !== EMPTY_TYPE);
    return await this.blob(
      full.find(({ mediaType }) => mediaType === PROFILE_TYPE) ?? full[0] ??
        config,
    );
  }

  /**
   * Reads a filter.
   *
   * @param found Its manifest, or the manifest of its profile.
   * @throws {InputError} if it does not exist or is incomplete.
   */
  async filter(found: FoundManifest): Promise<FoundFilter> {
    const own = isFilter(found.manifest) ? found : await this.#filterOf(found);
    const { manifest: { layers, subject, annotations }, descriptor } = own;
    const layer = (type: string): OciDescriptor => {
      const one = layers.find(({ mediaType }) => mediaType === type);
      if (one !== undefined) return one;
      throw this.#error(
        blobPath(descriptor.digest),
        `no layer of type ${type}`,
      );
    };
    if (subject === undefined) {
      throw this.#error(blobPath(descriptor.digest), "it names no profile");
    }
    return {
      descriptor,
      program: new Uint8Array(await this.blob(layer(PROGRAM_TYPE))),
      certificate: new TextDecoder().decode(
        await this.blob(layer(CERTIFICATE_TYPE)),
      ),
      profile: subject,
      options: annotations?.[OPTIONS_ANNOTATION] ?? "",
    };
  }

  /**
   * Reads a blob.
   *
   * @param descriptor Its descriptor.
   * @throws {InputError} if its size or digest differs.
   */
  async blob({ digest, size }: OciDescriptor): Promise<Uint8Array> {
    const bytes = readInputFile(join(this.directory, blobPath(digest)));
    if (bytes.length !== size) {
      throw this.#error(
        blobPath(digest),
        `${bytes.length} bytes instead of ${size}; the layout is damaged`,
      );
    }
    const found = `sha256:${await sha256(new Uint8Array(bytes))}`;
    if (found === digest) return bytes;
    throw this.#error(
      blobPath(digest),
      `its digest is ${found}; the layout is damaged`,
    );
  }

  async #filterOf({ descriptor }: FoundManifest): Promise<FoundManifest> {
    const filters = (await this.manifests()).filter(({ manifest }) =>
      isFilter(manifest) && manifest.subject?.digest === descriptor.digest
    );
    const [only] = filters;
    if (only !== undefined && filters.length === 1) return only;
    throw this.#error(
      "index.json",
      only === undefined
        ? `it names no filter for ${descriptor.digest}; compile --oci adds one`
        : `it names ${filters.length} filters for this profile; ${
          this.#choices(filters)
        }`,
    );
  }

  #choices(all: readonly FoundManifest[]): string {
    const words = all.map(({ descriptor }) =>
      `oci:${this.directory}@${descriptor.digest}`
    );
    return words.length === 0
      ? "give another layout"
      : `give one of ${words.slice(0, 8).join(", ")}`;
  }

  async #manifest(descriptor: OciDescriptor): Promise<FoundManifest> {
    const path = blobPath(descriptor.digest);
    const document = await this.#document(descriptor);
    const { config, layers, subject } = document;
    if (!isDescriptor(config) || !isDescriptors(layers)) {
      throw this.#error(path, "it is not a manifest");
    }
    if (subject !== undefined && !isDescriptor(subject)) {
      throw this.#error(path, "its subject is not a descriptor");
    }
    return { descriptor, manifest: document as unknown as OciManifest };
  }

  #descriptors(
    path: string,
    { manifests }: Fields,
  ): readonly OciDescriptor[] {
    if (isDescriptors(manifests)) return manifests;
    throw this.#error(path, "it is not an index");
  }

  async #document(descriptor: OciDescriptor): Promise<Fields> {
    return this.#parse(
      blobPath(descriptor.digest),
      await this.blob(descriptor),
    );
  }

  #json(path: string): Fields {
    return this.#parse(path, readInputFile(join(this.directory, path)));
  }

  #parse(path: string, bytes: Uint8Array): Fields {
    try {
      const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
      if (isFields(value)) return value;
    } catch {
      // Reported below.
    }
    throw this.#error(path, "it is not a JSON object");
  }

  #error(path: string, why: string): InputError {
    return new InputError(`Cannot read the layout: ${why}`, {
      place: join(this.directory, path),
    });
  }
}

/** Reports whether a manifest describes a profile. */
export function isProfile(manifest: OciManifest): boolean {
  const { config, layers, artifactType } = manifest;
  return [config, ...layers].some((one) => one.mediaType === PROFILE_TYPE) ||
    artifactType === PROFILE_TYPE;
}

/** Reports whether a manifest describes a filter with a certificate. */
export function isFilter({ artifactType }: OciManifest): boolean {
  return artifactType === FILTER_TYPE;
}

/** Path of a blob in a layout. */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDescriptor(value: unknown): value is OciDescriptor {
  return isFields(value) && typeof value.mediaType === "string" &&
    // This keeps paths inside the layout.
    typeof value.digest === "string" &&
    /^sha256:[0-9a-f]{64}$/.test(value.digest) &&
    Number.isSafeInteger(value.size);
}

function isDescriptors(value: unknown): value is readonly OciDescriptor[] {
  return Array.isArray(value) && value.every(isDescriptor);
}
