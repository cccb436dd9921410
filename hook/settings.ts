/**
 * The hook's settings: built-in defaults, then a file, then arguments. The
 * environment is never used: it is empty or under someone else's control.
 *
 * ```json
 * {
 *   "store": "/var/cache/seccomp-tree",
 *   "log": "syslog",
 *   "semantics": "crun",
 *   "names": "host",
 *   "reference": "host",
 *   "strict": false,
 *   "requireCertificate": false,
 *   "verify": "refuse",
 *   "deadlineMs": 10000,
 *   "runtime": "/usr/bin/crun",
 *   "runtimeKind": "crun"
 * }
 * ```
 *
 * @module
 */

import {
  parseSemantics,
  type Semantics,
  splitSemantics,
} from "../profile/semantics/versions.ts";
import type { SemanticsSetting } from "./environment.ts";
import { RefusedError } from "./error.ts";
import type { LogTarget } from "./log.ts";
import { parseObject } from "./rewrite.ts";
import { DEFAULT_STORE } from "./store/store.ts";
import { reasonOf } from "../host/reason.ts";
import { doubtAboutFile } from "../host/trust.ts";

/** Default path of the settings file, which `--settings` replaces. */
export const DEFAULT_SETTINGS = "/etc/seccomp-tree/hook.json";

/**
 * All settings.
 *
 * @category Containers
 */
export interface Settings {
  /** Folder of precompiled filters, or none. */
  readonly store: string | undefined;
  /** Destination of messages. */
  readonly log: LogTarget;
  /**
   * Reading of the section, such as `runc` or `runc@1.1.5`. A runtime without a
   * version is queried for its own.
   */
  readonly semantics: Semantics;
  /** Source of names; `auto` is the host's if this process may call it. */
  readonly names: "auto" | "host" | "builtin";
  /**
   * `host` to prove a new filter equal to the one that the host's libseccomp
   * builds, as well as to the section.
   */
  readonly reference: "host" | "text";
  /** True to refuse sections that cannot be optimized. */
  readonly strict: boolean;
  /** True to refuse a foreign annotation without a certificate. */
  readonly requireCertificate: boolean;
  /** Effect of a failed verification. */
  readonly verify: "refuse" | "log";
  /** Time limit in milliseconds for everything. */
  readonly deadlineMs: number;
  /** The wrapper's real runtime: an absolute path. */
  readonly runtime: string | undefined;
  /** Kind of that runtime: `crun` takes raw filters, others do not. */
  readonly runtimeKind: "crun" | "runc" | "unknown";
}

/**
 * Default settings.
 *
 * @category Containers
 */
export const DEFAULTS: Settings = {
  store: DEFAULT_STORE,
  log: "syslog",
  semantics: "crun",
  names: "auto",
  reference: "host",
  strict: false,
  requireCertificate: false,
  verify: "refuse",
  deadlineMs: 10_000,
  runtime: undefined,
  runtimeKind: "unknown",
};

type Writable = { -readonly [K in keyof Settings]: Settings[K] };

/** Parsers of the settings; all values are plain words. */
const READERS: Readonly<
  Record<keyof Settings, (into: Writable, text: string) => boolean>
> = {
  store(into, text): boolean {
    into.store = text === "none" ? undefined : text;
    return text === "none" || isAbsolute(text);
  },
  log(into, text): boolean {
    into.log = text === "syslog" || text === "stderr" ? text : { file: text };
    return typeof into.log === "string" || isAbsolute(text);
  },
  semantics(into, text): boolean {
    const semantics = parseSemantics(text);
    if (semantics !== undefined) into.semantics = semantics;
    return semantics !== undefined;
  },
  names(into, text): boolean {
    if (text !== "auto" && text !== "host" && text !== "builtin") return false;
    into.names = text;
    return true;
  },
  reference(into, text): boolean {
    if (text !== "host" && text !== "text") return false;
    into.reference = text;
    return true;
  },
  strict(into, text): boolean {
    into.strict = text === "true";
    return text === "true" || text === "false";
  },
  requireCertificate(into, text): boolean {
    into.requireCertificate = text === "true";
    return text === "true" || text === "false";
  },
  verify(into, text): boolean {
    if (text !== "refuse" && text !== "log") return false;
    into.verify = text;
    return true;
  },
  deadlineMs(into, text): boolean {
    into.deadlineMs = Number(text);
    return /^[1-9][0-9]{0,5}$/.test(text);
  },
  runtime(into, text): boolean {
    into.runtime = text;
    return isAbsolute(text);
  },
  runtimeKind(into, text): boolean {
    if (text !== "crun" && text !== "runc" && text !== "unknown") return false;
    into.runtimeKind = text;
    return true;
  },
};

/**
 * Returns the reading of the settings; under a wrapper, the version is that of
 * the runtime that it executes.
 *
 * @param settings The settings.
 * @returns The reading, and the program that reports its version.
 */
export function semanticsSetting(
  { semantics, runtime, runtimeKind }: Pick<
    Settings,
    "semantics" | "runtime" | "runtimeKind"
  >,
): SemanticsSetting {
  return {
    semantics,
    ...(runtime !== undefined &&
        splitSemantics(semantics).runtime === runtimeKind
      ? { program: runtime }
      : {}),
  };
}

/**
 * Sets one setting.
 *
 * @param settings The settings.
 * @param name Its name.
 * @param text Its value as a word.
 * @returns New settings.
 * @throws {RefusedError} `bad-settings` if there is no such setting or value.
 */
export function withSetting(
  settings: Settings,
  name: string,
  text: string,
): Settings {
  const known = Object.keys(READERS).find((key) => key === name);
  const into: Writable = { ...settings };
  const read = READERS[known as keyof Settings];
  if (known === undefined || !read(into, text)) {
    throw new RefusedError(
      "bad-settings",
      `Cannot use setting "${name}" = ${
        JSON.stringify(text)
      }: unknown name or value; see the hook's documentation`,
    );
  }
  return into;
}

/**
 * Reads settings from a text.
 *
 * @example Two settings
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseSettings } from "./settings.ts";
 *
 * const { store, strict } = parseSettings('{"store": "/srv/filters", "strict": true}');
 * assertEquals([store, strict], ["/srv/filters", true]);
 * ```
 *
 * @param text One JSON object.
 * @returns The settings.
 * @throws {RefusedError} `bad-settings` or `bad-config`.
 * @category Containers
 */
export function parseSettings(text: string): Settings {
  let settings = DEFAULTS;
  for (const { key, value } of parseObject(text).root.members) {
    const word = value.kind === "string"
      ? value.value
      : value.kind === "boolean"
      ? String(value.value)
      : value.kind === "number"
      ? value.text
      : `(${value.kind})`;
    settings = withSetting(settings, key.value, word);
  }
  return settings;
}

/**
 * Reads the file with the settings.
 *
 * @param path Its absolute path; if absent, the default path, whose file may be
 * missing.
 * @returns The settings; the built-in ones if the default file is missing or
 * may not be read.
 * @throws {RefusedError} `bad-settings`, including if others could change the
 * file.
 * @category Containers
 */
export async function loadSettings(path?: string): Promise<Settings> {
  const file = path ?? DEFAULT_SETTINGS;
  try {
    if (!isAbsolute(file)) {
      throw new RefusedError(
        "bad-settings",
        `Cannot read settings from "${file}": not an absolute path; give one`,
      );
    }
    const doubt = await doubtAboutFile(file);
    if (doubt !== undefined) {
      throw new RefusedError(
        "bad-settings",
        `Cannot read settings from "${file}": ${doubt}; put it where only its owner can write`,
      );
    }
    return parseSettings(await Deno.readTextFile(file));
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable;
    if (path === undefined && isMissing) return DEFAULTS;
    if (!isMissing && !(error instanceof RangeError)) throw error;
    throw new RefusedError(
      "bad-settings",
      `Cannot read settings from "${file}": ${
        reasonOf(error)
      }; name a file that can be read`,
      { cause: error },
    );
  }
}

function isAbsolute(text: string): boolean {
  // deno-lint-ignore no-control-regex -- a path with them is a mistake
  return text.startsWith("/") && !/[\x00-\x1f\x7f]/.test(text);
}
