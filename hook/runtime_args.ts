/**
 * The command lines with which managers call a low-level runtime, as crun
 * (getopt) and runc (urfave/cli) parse them.
 *
 * ```text
 * conmon      RT --log-format=json --log F --cgroup-manager disabled create --bundle B --pid-file P ID
 * containerd  RT --root R --log F --log-format json create --bundle B --pid-file P ID
 * dockerd     RT features;  RT --version
 * ```
 *
 * The `sh` wrapper follows the same rules (dispatcher/wrapper.sh); tests check
 * both against one table.
 *
 * @module
 */

/**
 * A parsed command line.
 *
 * @category Containers
 */
export interface RuntimeCall {
  /**
   * `create`: a container is created, by `create` or `run`; `other`: anything
   * else; `unclear`: an unknown word, so nothing is done.
   */
  readonly kind: "create" | "other" | "unclear";
  /** The bundle, as written; `.` by default. */
  readonly bundle: string;
  /** `--config` of crun, as written. */
  readonly config?: string;
  /** `--log`, as written. */
  readonly log?: string;
  /** `--log-format`, as written. */
  readonly logFormat?: string;
}

/** Global options that take a value. */
export const GLOBAL_VALUES: readonly string[] = [
  "--root",
  "--log",
  "--log-format",
  "--log-level",
  "--cgroup-manager",
  "--rootless",
  "--criu",
];

/** Global options without a value. */
export const GLOBAL_SWITCHES: readonly string[] = [
  "--debug",
  "--systemd-cgroup",
];

/** Options of `create` and `run` that take a value. */
export const CREATE_VALUES: readonly string[] = [
  "--bundle",
  "-b",
  "--config",
  "-f",
  "--console-socket",
  "--pid-file",
  "--pidfd-socket",
  "--preserve-fds",
];

/** Options of `create` and `run` without a value. */
export const CREATE_SWITCHES: readonly string[] = [
  "--detach",
  "-d",
  "--keep",
  "--no-pivot",
  "--no-new-keyring",
  "--no-subreaper",
];

/**
 * Reads a command line.
 *
 * @example A container called create
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseRuntimeArgs } from "./runtime_args.ts";
 *
 * assertEquals(parseRuntimeArgs(["exec", "create"]).kind, "other");
 * assertEquals(parseRuntimeArgs(["create", "-b/b", "create"]).bundle, "/b");
 * ```
 *
 * @param args Arguments without the program's name.
 * @returns The parsed command line.
 * @category Containers
 */
export function parseRuntimeArgs(args: readonly string[]): RuntimeCall {
  const call: { -readonly [K in keyof RuntimeCall]: RuntimeCall[K] } = {
    kind: "other",
    bundle: ".",
  };
  let creating = false;
  let waiting: string | undefined;
  for (const word of args) {
    if (waiting !== undefined) {
      set(call, waiting, word);
      waiting = undefined;
    } else if (!creating) {
      if (GLOBAL_VALUES.includes(word)) waiting = word;
      else if (GLOBAL_SWITCHES.includes(word)) continue;
      else if (takesValue(call, word, GLOBAL_VALUES)) continue;
      else if (word === "create" || word === "run") creating = true;
      else return word.startsWith("-") ? unclear(call, word) : call;
    } else {
      if (CREATE_VALUES.includes(word)) waiting = word;
      else if (CREATE_SWITCHES.includes(word)) continue;
      else if (takesValue(call, word, CREATE_VALUES)) continue;
      // The rest is the container's id, or "--" and then the id.
      else if (word === "--") break;
      else if (word.startsWith("-") && word !== "-") return unclear(call, word);
    }
  }
  if (creating) call.kind = waiting === undefined ? "create" : "unclear";
  return call;
}

/**
 * `--version` and `--help` create no container; another word might hide one.
 */
function unclear(call: RuntimeCall, word: string): RuntimeCall {
  const harmless = ["--version", "-v", "--help", "-h", "-V", "--usage", "-?"];
  return { ...call, kind: harmless.includes(word) ? "other" : "unclear" };
}

/** Accepts `--name=value` and `-nvalue`. */
function takesValue(
  call: { -readonly [K in keyof RuntimeCall]: RuntimeCall[K] },
  word: string,
  names: readonly string[],
): boolean {
  for (const name of names) {
    const start = name.startsWith("--") ? `${name}=` : name;
    if (word.startsWith(start)) {
      set(call, name, word.slice(start.length));
      return true;
    }
  }
  return false;
}

function set(
  call: { -readonly [K in keyof RuntimeCall]: RuntimeCall[K] },
  name: string,
  value: string,
): void {
  switch (name) {
    case "--bundle":
    case "-b":
      call.bundle = value;
      break;
    case "--config":
    case "-f":
      call.config = value;
      break;
    case "--log":
      call.log = value;
      break;
    case "--log-format":
      call.logFormat = value;
      break;
  }
}
