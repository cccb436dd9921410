/**
 * The `config.json` of an OCI bundle: read once, written completely or not at
 * all, never through a link that leads out of the bundle.
 *
 * @module
 */

import { decodeUtf8 } from "../profile/text.ts";
import { ProfileError } from "../profile/diagnostic.ts";
import { RefusedError } from "./error.ts";
import {
  type Rewrite,
  type RewriteContext,
  rewriteParsed,
} from "./precreate.ts";
import {
  type ConfigText,
  MAX_CONFIG_LENGTH,
  readConfigText,
} from "./rewrite.ts";
import { reasonOf } from "../host/reason.ts";
import { doubtAboutFile } from "../host/trust.ts";
import { writeWhole } from "../host/files.ts";

/** A bundle's configuration. */
export interface BundleConfig {
  /** Real path of the bundle. */
  readonly directory: string;
  /** Path of the configuration. */
  readonly path: string;
  /** Its text. */
  readonly text: string;
  /** Result of stat(2). */
  readonly info: Deno.FileInfo;
  /** The reason why others could change it; absent if they cannot. */
  readonly doubt?: string;
}

/**
 * Options for rewriting a bundle.
 *
 * @category Containers
 */
export interface BundleOptions extends RewriteContext {
  /** Name of the configuration in the bundle; `config.json` by default. */
  readonly configName?: string;
}

/**
 * Adds the proved filter to a bundle, for the next container that is created
 * from it.
 *
 * @param directory The bundle.
 * @param options Environment, store and time limit.
 * @returns Result for its configuration.
 * @throws {RefusedError} if the container must not start; the bundle is
 * unchanged.
 * @category Containers
 */
export async function rewriteBundle(
  directory: string,
  options: BundleOptions,
): Promise<Rewrite> {
  const { path, text } = await readBundle(directory, options.configName);
  return await rewriteRead(path, readConfigText(text), options);
}

/**
 * Adds the proved filter to a bundle whose configuration was read before.
 *
 * @param path Path of the configuration.
 * @param config The configuration.
 * @param options Environment, store and time limit.
 * @returns Result for the configuration.
 * @throws {RefusedError} if the container must not start; the bundle is
 * unchanged.
 */
export async function rewriteRead(
  path: string,
  config: ConfigText,
  options: RewriteContext,
): Promise<Rewrite> {
  const rewrite = await rewriteParsed(config, options);
  if (rewrite.kind === "added") {
    const { text } = rewrite;
    await reaching(path, () => writeWhole(path, text));
  }
  return rewrite;
}

/**
 * Reads a bundle's configuration.
 *
 * @param directory The bundle.
 * @param name Name of the configuration.
 * @returns Text and location.
 * @throws {RefusedError} `bad-bundle` if it is missing, a link, or writable by others.
 */
export async function readBundle(
  directory: string,
  name = "config.json",
): Promise<BundleConfig> {
  const config = await lookAtBundle(directory, name);
  if (config.doubt !== undefined) throw badBundle(config.path, config.doubt);
  return config;
}

/**
 * Reads a bundle's configuration, even if others could change it.
 *
 * @param directory The bundle.
 * @param name Name of the configuration.
 * @returns Text and location, and the doubt.
 * @throws {RefusedError} `bad-bundle` if it cannot be read.
 */
export async function lookAtBundle(
  directory: string,
  name = "config.json",
): Promise<BundleConfig> {
  if (name === "" || name.includes("/") || name === "." || name === "..") {
    throw badBundle(name, "it is not the name of a file in the bundle");
  }
  const real = await reaching(directory, () => Deno.realPath(directory));
  const path = `${real === "/" ? "" : real}/${name}`;
  return await reaching(path, async () => {
    if (!(await Deno.stat(real)).isDirectory) {
      throw badBundle(
        real,
        "it is not a directory; give the one with config.json",
      );
    }
    const doubt = await doubtAboutFile(path);
    const info = await Deno.stat(path);
    if (!info.isFile) throw badBundle(path, "it is not a file");
    if (info.size > MAX_CONFIG_LENGTH) {
      throw badBundle(path, `it has ${info.size} bytes; the limit is 16 MiB`);
    }
    const bytes = await Deno.readFile(path);
    const text = textOf(bytes);
    const known = { directory: real, path, text, info };
    return doubt === undefined ? known : { ...known, doubt };
  });
}

/**
 * Decodes a configuration.
 *
 * @param bytes UTF-8.
 * @returns Its text, which encodes to the same bytes.
 * @throws {RefusedError} `bad-config` if it is not UTF-8.
 */
export function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    throw new RefusedError(
      "bad-config",
      `Cannot use the configuration: ${error.message}`,
      { cause: error },
    );
  }
}

/** Reports the file that could not be accessed. */
async function reaching<T>(
  path: string,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RefusedError || !(error instanceof Error)) throw error;
    throw badBundle(path, reasonOf(error), { cause: error });
  }
}

/**
 * Creates the error for a bundle that cannot be used.
 *
 * @param path Path of the bundle or its file.
 * @param seen Observation, without a final period.
 * @param options The cause.
 * @returns The error.
 */
export function badBundle(
  path: string,
  seen: string,
  options?: ErrorOptions,
): RefusedError {
  return new RefusedError(
    "bad-bundle",
    `Cannot use the bundle: "${path}": ${seen}`,
    options,
  );
}
