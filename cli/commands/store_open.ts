/**
 * Common code of `store` and `rewrite`: the settings of a container's hook, the
 * store that they name, and the exit codes of refusals.
 *
 * @module
 */

import { semanticsWord } from "../input/semantics.ts";
import { reasonOf } from "../../host/reason.ts";
import { basename, dirname, join } from "@std/path";
import {
  type Environment,
  hostNames,
  presentEnvironments,
} from "../../hook/environment.ts";
import { RefusedError } from "../../hook/error.ts";
import type { Log } from "../../hook/log.ts";
import { presentSemantics } from "../../hook/own_semantics.ts";
import {
  DEFAULTS,
  loadSettings,
  semanticsSetting,
  type Settings,
} from "../../hook/settings.ts";
import type { StoreItem } from "../../hook/store/list.ts";
import { openStore, type Store } from "../../hook/store/store.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import {
  InputError,
  MachineError,
  UnprovenError,
  UsageError,
} from "../error.ts";
import {
  type ProfileTarget,
  resolveParsed,
} from "../../pipeline/resolve_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { EXIT, messageLine } from "../exit.ts";
import { tellFindings } from "../input/resolve_source.ts";
import {
  type Flags,
  type OutputFlags,
  TELL_FLAGS,
  word,
} from "../input/flags.ts";
import type { SourceKind } from "../input/source_kinds.ts";
import type { Io } from "../io.ts";
import { placeOf, reportInstallErrors } from "../input/manager.ts";

/** Flags for the settings of a container's hook. */
export interface HookFlags {
  readonly store?: string;
  readonly user: boolean;
  readonly settings?: string;
  readonly semantics?: Semantics;
  readonly names?: "host" | "builtin";
  readonly quiet: boolean;
}

/** Flags of `store`. */
export interface StoreFlags extends HookFlags, OutputFlags {
  /** True to keep certificates of primed filters. */
  readonly certificate: boolean;
  /** True to prime the filters of running containers. */
  readonly live: boolean;
  /** True to prime the profiles that pods can refer to. */
  readonly kubelet: boolean;
  readonly caps?: string;
  readonly kernel?: string;
  readonly from?: SourceKind;
  readonly reference?: "host" | "text";
}

/** Contents of a store. */
export interface FoundStore {
  /** Its path, which need not exist yet. */
  readonly directory: string;
  /** Absent if the folder does not exist. */
  readonly store?: Store;
  /** All of its files. */
  readonly items: readonly StoreItem[];
}

/** Time limit for one filter in milliseconds: no container waits for it. */
export const MOST_MS = 60_000;

/** Options shared with the hook of containers. */
export const HOOK_FLAGS: Flags<HookFlags> = {
  store: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "DIR",
    brief: "Folder of the store (default: /var/cache/seccomp-tree)",
  },
  user: {
    kind: "boolean",
    default: false,
    withNegated: false,
    brief: "Store of this user's rootless Podman",
  },
  settings: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "FILE",
    brief: "Settings file, such as /etc/seccomp-tree/podman.json",
  },
  semantics: {
    kind: "parsed",
    parse: semanticsWord,
    optional: true,
    placeholder: "RUNTIME",
    brief: "crun[@X.Y] or runc[@X.Y] (default: this host's crun)",
  },
  names: {
    kind: "enum",
    values: ["host", "builtin"],
    optional: true,
    brief: "Known syscall names (default: host, else builtin)",
  },
  quiet: TELL_FLAGS.quiet,
};

/**
 * Determines the settings from flags and their file.
 *
 * @param flags The flags.
 * @returns The settings; without a file and a flag, the built-in ones.
 * @throws {RefusedError} if the file cannot be used.
 */
export async function settingsOf(flags: HookFlags): Promise<Settings> {
  const { semantics, names } = flags;
  const settings = flags.settings === undefined
    ? DEFAULTS
    : await loadSettings(realPath(flags.settings));
  if (flags.user && flags.store !== undefined) {
    throw new UsageError("Cannot use --user with --store; omit one");
  }
  const store = flags.store === "none"
    ? undefined
    : flags.store !== undefined
    ? realPath(flags.store)
    : flags.user
    ? placeOf({ user: true }, []).layout.store
    : settings.store;
  return {
    ...settings,
    store,
    ...(semantics === undefined ? {} : { semantics }),
    ...(names === undefined ? {} : { names }),
  };
}

/**
 * The absolute path without links that `hook/` requires; the last part may be
 * missing.
 */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    // It does not exist yet, or the folder below reports the problem.
  }
  try {
    return join(Deno.realPathSync(dirname(path)), basename(path));
  } catch (error) {
    throw new MachineError(
      `Cannot use ${JSON.stringify(path)}: ${
        reasonOf(error)
      }; create the folder that holds it`,
      { cause: error },
    );
  }
}

/**
 * Reads the whole store.
 *
 * @param io Stream for the message that no store exists.
 * @param flags Flags of the store.
 * @returns Its contents.
 */
export async function readStore(
  io: Io,
  flags: HookFlags,
): Promise<FoundStore> {
  const directory = (await settingsOf(flags)).store;
  if (directory === undefined) {
    throw new UsageError(
      "Cannot use the store: the settings turn it off; pass --store DIR",
    );
  }
  const store = await openStore(directory);
  if (store === undefined) {
    const text = `no store at "${directory}" yet`;
    if (!flags.quiet) io.err(messageLine(io, "note", text));
    return { directory, items: [] };
  }
  return { directory, store, items: await store.list() };
}

/**
 * Lists the environments whose filters are current on this machine.
 *
 * @param flags Flags of the store.
 * @returns Their ids.
 * @throws {MachineError} if there is a library of names that cannot be
 * distinguished from others.
 */
export async function currentEnvironments(
  flags: HookFlags,
): Promise<ReadonlySet<string>> {
  const host = await hostNames();
  if (host?.exact === false) {
    throw new MachineError(
      "Cannot determine which filters are current: the host's libseccomp cannot be read; run this with -A",
    );
  }
  const { installedSemantics } = await import(
    "../../install/installed_settings.ts"
  );
  const place = placeOf({ user: flags.user }, []);
  const readings = await presentSemantics([
    semanticsSetting(await settingsOf(flags)),
    ...await installedSemantics(place),
  ]);
  return await presentEnvironments(host, readings);
}

/**
 * Makes a log for the command's own messages.
 *
 * @param io Stream for messages.
 * @param flags True to report warnings.
 */
export function logTo(io: Io, { quiet }: Pick<HookFlags, "quiet">): Log {
  return {
    write(level, message): void {
      if (level === "info" || (quiet && level !== "error")) return;
      io.err(messageLine(io, level, message));
    },
  };
}

/**
 * Reports the warnings of a configuration's section, as the hook reads it.
 *
 * @param io Stream for warnings.
 * @param config The name and the text of the configuration.
 * @param environment Machine, semantics, names.
 * @param flags Options for warnings.
 */
export function tellSection(
  io: Io,
  config: { readonly name: string; readonly text: string },
  environment: Environment,
  flags: Pick<HookFlags, "quiet">,
): void {
  try {
    const profile = parseProfile(config.text, { kind: "config" });
    if (profile.section === undefined) return;
    const { diagnostics } = resolveParsed(profile, targetOf(environment));
    tellFindings(io, config.name, diagnostics, { ...flags, verbose: false });
  } catch (error) {
    // The request for the filter reports its errors.
    if (!(error instanceof ProfileError)) throw error;
  }
}

/**
 * Makes the target of the hook's own reading.
 *
 * @param environment Machine, semantics, names.
 * @returns Machine, runtime and names.
 */
export function targetOf(
  { native, semantics, names }: Environment,
): ProfileTarget {
  return {
    arch: native.name,
    semantics,
    unknown: "warn",
    ...(names.knows === undefined ? {} : { knows: names.knows }),
  };
}

/**
 * Runs a function of `hook/` and converts its refusals to errors of commands.
 *
 * @param io Stream for errors.
 * @param work The function.
 * @returns The exit code: 1 if an annotation differs from the section.
 */
export async function refusing(
  io: Io,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await reportInstallErrors(io, work);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const { code, message } = error;
    const options = { cause: error };
    switch (code) {
      case "foreign-annotation":
      case "not-verified":
        io.err(messageLine(io, "error", message));
        return EXIT.no;
      case "bad-input":
      case "bad-config":
      case "bad-bundle":
      case "bad-settings":
        throw new InputError(message, options);
      case "not-optimized":
      case "deadline":
        throw new UnprovenError(message, options);
      case "doubtful-store":
        throw new MachineError(message, options);
      case "failed-proof":
        throw error;
      default:
        throw new Error(`Unreachable: ${code satisfies never}`);
    }
  }
}
