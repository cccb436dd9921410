/**
 * Generates the small programs that managers call in place of Deno, whose
 * start alone costs more than libseccomp does: POSIX `sh` and awk, for the
 * case that the store has exactly this section. Everything else goes to Deno.
 *
 * Needed on the host beside `sh` and awk: `tr`, `stat -c`, `sha256sum`, `env`,
 * `timeout` (hook), `mv` and `date` (wrapper); coreutils and busybox have all
 * of them. Each is called by the absolute path that was found when this was
 * generated, never by PATH.
 *
 * The hook: `stat` lists the store, awk checks all of the configuration and
 * finds the entry, `sha256sum` checks the entry against its name. The wrapper does the same
 * with the bundle's `config.json`, replaces it by a rename, and becomes the
 * real runtime.
 *
 * @module
 */

import { DISPATCHER_AWK } from "./dispatcher_awk.ts";
import { COMPILER_VERSION } from "./environment.ts";
import {
  HOOK_BODY,
  LISTING,
  READ_BY_TR,
  READ_FILE,
  READ_FILE_BY_TR,
  READ_PLAIN,
  WRAPPER_BODY,
} from "./dispatcher_sh.ts";
import { ancestorsOf } from "./trust.ts";

/** Programs by the words that start them, the first one an absolute path. */
export interface DispatcherTools {
  /** The shell of the first line; one word. */
  readonly sh: string;
  /** awk: mawk, gawk or busybox. */
  readonly awk: readonly string[];
  /** Whether that awk reads a NUL as any other byte, as mawk and gawk do and busybox does not. */
  readonly awkKeepsNul: boolean;
  /** `tr`. */
  readonly tr: readonly string[];
  /** `stat` with `-c`. */
  readonly stat: readonly string[];
  /** `sha256sum`. */
  readonly sha256sum: readonly string[];
  /** `env`. */
  readonly env: readonly string[];
  /** `timeout`. */
  readonly timeout: readonly string[];
  /** `mv`. */
  readonly mv: readonly string[];
  /** `date`. */
  readonly date: readonly string[];
}

/** What a dispatcher is generated for. */
export interface DispatcherOptions {
  /** Programs of the host. */
  readonly tools: DispatcherTools;
  /** Words that start `hook/main.ts` with its permissions, up to its own arguments. */
  readonly slow: readonly string[];
  /** File of settings; the slow path is told to read it. */
  readonly settingsPath: string;
  /** The store of these settings: absolute, letters, digits and `/._@+-` only. */
  readonly store: string;
  /** Semantics of these settings. */
  readonly semantics: "crun" | "runc";
  /** Names of these settings, decided. */
  readonly names: "host" | "builtin";
  /** Users that may own what is believed. */
  readonly owners: readonly number[];
  /** Seconds that reading the configuration may take. */
  readonly deadlineSeconds: number;
}

/** What a wrapper is generated for. */
export interface WrapperOptions extends DispatcherOptions {
  /** The real runtime: an absolute path. */
  readonly runtime: string;
  /** Whether that takes raw filters; what does not is called at once. */
  readonly runtimeKind: "crun" | "runc" | "unknown";
  /** Whether what cannot be optimized is refused. */
  readonly strict: boolean;
}

/** What stat(1) tells of a file; dispatcher_awk.ts reads it. */
const STAT_FORMAT = "%a %u %h %s %Y %F|%n";

/** Where tools are looked for. */
const TOOL_FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/**
 * Finds the tools of this machine.
 *
 * @returns Their words.
 * @throws {RangeError} Where one is missing; all missing ones are named.
 */
export async function findTools(): Promise<DispatcherTools> {
  const missing: string[] = [];
  const find = async (name: string): Promise<readonly string[]> => {
    for (const folder of TOOL_FOLDERS) {
      try {
        if ((await Deno.stat(`${folder}/${name}`)).isFile) {
          return [`${folder}/${name}`];
        }
      } catch {
        // The next folder.
      }
    }
    missing.push(name);
    return [name];
  };
  const awk = await find("awk");
  const tools: DispatcherTools = {
    sh: "/bin/sh",
    awk,
    awkKeepsNul: missing.length === 0 && await keepsNul(awk),
    tr: await find("tr"),
    stat: await find("stat"),
    sha256sum: await find("sha256sum"),
    env: await find("env"),
    timeout: await find("timeout"),
    mv: await find("mv"),
    date: await find("date"),
  };
  if (missing.length > 0) {
    throw new RangeError(
      `Cannot generate a dispatcher: no ${missing.join(", no ")} in ${
        TOOL_FOLDERS.join(":")
      }: install them`,
    );
  }
  return tools;
}

/**
 * Finds out whether an awk reads a NUL as any other byte, and all as one record.
 *
 * @param awk The words that start it.
 * @returns Whether it does.
 */
export async function keepsNul(awk: readonly string[]): Promise<boolean> {
  const [program = "", ...words] = awk;
  const child = new Deno.Command(program, {
    args: [...words, 'BEGIN { RS = "^$" } { print length($0) }'],
    env: { LC_ALL: "C" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new Uint8Array([0x61, 0, 10, 1]));
  await writer.close();
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout) === "4\n";
}

/**
 * Generates the program for Podman's `precreate` stage.
 *
 * @param options What it is for.
 * @returns A `sh` program.
 * @throws {RangeError} Where an option cannot be written into one.
 */
export function renderHookDispatcher(options: DispatcherOptions): string {
  const { awkKeepsNul } = options.tools;
  const read = awkKeepsNul ? READ_PLAIN : READ_BY_TR;
  return render(HOOK_BODY.replace("@READ@", () => read), options, {});
}

/**
 * Generates the wrapper of a runtime.
 *
 * @example A runtime that cannot take raw filters is called at once
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { findTools, renderRuntimeWrapper } from "./dispatcher.ts";
 *
 * const text = renderRuntimeWrapper({
 *   tools: await findTools(),
 *   slow: ["/usr/bin/seccomp-tree-hook"],
 *   settingsPath: "/etc/seccomp-tree/hook.json",
 *   store: "/var/cache/seccomp-tree",
 *   semantics: "crun",
 *   names: "host",
 *   owners: [0],
 *   deadlineSeconds: 10,
 *   runtime: "/usr/sbin/runc",
 *   runtimeKind: "runc",
 *   strict: false,
 * });
 * assertStringIncludes(text, `exec '/usr/sbin/runc' "$@"`);
 * ```
 *
 * @param options What it is for.
 * @returns A `sh` program.
 * @throws {RangeError} Where an option cannot be written into one.
 */
export function renderRuntimeWrapper(options: WrapperOptions): string {
  const { runtime, runtimeKind, strict } = options;
  if (!runtime.startsWith("/")) throw unusable("runtime", runtime);
  const word = quoteForSh(runtime);
  if (runtimeKind !== "crun" && !strict) {
    return `${
      header(options)
    }# ${runtimeKind} is not known to take raw filters: nothing is changed.\nexec ${word} "$@"\n`;
  }
  const read = options.tools.awkKeepsNul ? READ_FILE : READ_FILE_BY_TR;
  const body = WRAPPER_BODY.replace("@READ@", () => read);
  return render(body, options, { RUNTIME: word });
}

function header({ tools }: DispatcherOptions): string {
  return `#!${tools.sh}\n# Generated by seccomp-tree ${COMPILER_VERSION}; run its install again rather than edit this.\n`;
}

function render(
  body: string,
  options: DispatcherOptions,
  more: Readonly<Record<string, string>>,
): string {
  const { tools, store, semantics, names, owners } = options;
  if (
    !/^(?:\/[\w.@+-]+)+$/.test(store) || /\/\.\.?(?:\/|$)/.test(store)
  ) throw unusable("store", store);
  const folders = ancestorsOf(store);
  const { deadlineSeconds } = options;
  if (!Number.isInteger(deadlineSeconds) || deadlineSeconds < 1) {
    throw unusable("deadlineSeconds", String(deadlineSeconds));
  }
  const awk = [
    ...tools.awk,
    ...["-v", `store=${store}`],
    ...["-v", `environment=${semantics}.${names}`],
    ...["-v", `owners= ${owners.map(Number).join(" ")} `],
    ...["-v", `folders=${folders.join(":")}`],
  ];
  const values: Readonly<Record<string, string>> = {
    AWK: words(awk),
    PROGRAM: quoteForSh(DISPATCHER_AWK),
    TR: words(tools.tr),
    STAT: `${words(tools.stat)} -c ${quoteForSh(STAT_FORMAT)} --`,
    SHA256SUM: words(tools.sha256sum),
    TIMEOUT: words([...tools.timeout, String(deadlineSeconds)]),
    MV: words(tools.mv),
    DATE: words(tools.date),
    SLOW: words([
      ...tools.env,
      "-i",
      "DENO_NO_UPDATE_CHECK=1",
      ...options.slow,
    ]),
    SETTINGS: quoteForSh(options.settingsPath),
    STORE: store,
    ENVIRONMENT: `${store}/environment.${semantics}.${names}`,
    FOLDERS: words(folders),
    ...more,
  };
  return header(options) +
    body.replace("@LISTING@", () => LISTING).replace(
      /@([A-Z0-9]+)@/g,
      (whole, name) => {
        const value = values[name];
        if (value === undefined) throw new Error(`Unreachable: ${whole}`);
        return value;
      },
    );
}

function words(list: readonly string[]): string {
  if (list[0]?.startsWith("/") !== true) throw unusable("tool", list[0] ?? "");
  return list.map(quoteForSh).join(" ");
}

/** Writes a word so that `sh` reads it as it is. */
function quoteForSh(word: string): string {
  if (word.includes("\0")) throw unusable("word", word);
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function unusable(name: string, value: string): RangeError {
  return new RangeError(
    `Cannot generate a dispatcher: ${name} ${
      JSON.stringify(value)
    } cannot be written into one: give an absolute, plain path or a positive number`,
  );
}
