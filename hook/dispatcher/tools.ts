/**
 * The host's programs that a dispatcher calls.
 *
 * Besides `sh` and awk, it needs `tr`, `stat -c` and `env`; the wrapper also
 * needs `mv`, `rm` and `date`, and `mkdir` if the store does not exist yet.
 * `flock` and `logger` are used if they are installed. coreutils and busybox
 * have all of them. Each is called by the absolute path that was found when the
 * dispatcher was generated, never through PATH.
 *
 * If there are several, the one that starts fastest is chosen. CPU time of one
 * start: mawk 0.68 ms, gawk 1.33; `stat` and `mv` of coreutils 0.73 to 1.0, of
 * a static busybox 0.41.
 *
 * @module
 */

import { findProgram } from "../../host/programs.ts";

/**
 * Programs by the words that start them, the first one an absolute path.
 *
 * @category Containers
 */
export interface DispatcherTools {
  /** The shell: a path, or the path of busybox and `sh`. */
  readonly sh: string;
  /**
   * True if that shell starts no process for a subshell at the end of another
   * one, as dash and busybox do and bash does not.
   */
  readonly shNests: boolean;
  /** awk: mawk, gawk or busybox. */
  readonly awk: readonly string[];
  /**
   * True if that awk reads a NUL like any other byte, as mawk and gawk do and
   * busybox does not.
   */
  readonly awkKeepsNul: boolean;
  /** `tr`. */
  readonly tr: readonly string[];
  /** `stat` with `-c`. */
  readonly stat: readonly string[];
  /** `env`. */
  readonly env: readonly string[];
  /** `mv`. */
  readonly mv: readonly string[];
  /** `rm`. */
  readonly rm: readonly string[];
  /** `date`. */
  readonly date: readonly string[];
  /** `mkdir`. */
  readonly mkdir: readonly string[];
  /** `flock` with `-w`; absent if the host has none, so that Deno locks. */
  readonly flock?: readonly string[];
  /** `logger`; absent if the host has none. */
  readonly logger?: readonly string[];
}

/** Format of stat(1) for a file; dispatcher.awk reads it. */
export const STAT_FORMAT = "%f %u %s %Y";

/** Folders to search for tools. */
const TOOL_FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/** Time limit for trying a program. */
const TRIAL_MS = 5000;

/**
 * Finds the tools of this machine.
 *
 * @param choice `fastest` for the fastest tools on this machine, or `usual` for
 * those that other machines have as well.
 * @returns Their words.
 * @throws {RangeError} if a tool is missing; the message lists all missing
 * ones.
 * @category Containers
 */
export async function findTools(
  choice: "fastest" | "usual" = "fastest",
): Promise<DispatcherTools> {
  const missing: string[] = [];
  const find = async (name: string): Promise<readonly string[]> => {
    const path = await findTool(name);
    if (path === undefined) missing.push(name);
    return [path ?? name];
  };
  const fast = choice === "fastest";
  const busybox = fast ? await findTool("busybox") : undefined;
  /**
   * The busybox applet if it behaves as needed, otherwise the program itself.
   */
  const pick = async (
    name: string,
    fits: (words: readonly string[]) => Promise<boolean>,
  ): Promise<readonly string[]> => {
    const applet = [busybox ?? "", name];
    return busybox !== undefined && await fits(applet)
      ? applet
      : await find(name);
  };
  const mawk = fast ? await findTool("mawk") : undefined;
  const awk = mawk !== undefined && await keepsNul([mawk])
    ? [mawk]
    : await find("awk");
  const tools: DispatcherTools = {
    sh: "/bin/sh",
    shNests: await nests(["/bin/sh"]),
    awk,
    awkKeepsNul: missing.length === 0 && await keepsNul(awk),
    tr: await find("tr"),
    stat: await pick("stat", tells),
    env: await find("env"),
    mv: await pick("mv", moves),
    rm: await find("rm"),
    date: await find("date"),
    mkdir: await find("mkdir"),
    ...await optional("flock", waits),
    ...await optional("logger", () => Promise.resolve(true)),
  };
  if (missing.length > 0) {
    throw new RangeError(
      `Cannot generate a dispatcher: no ${missing.join(", no ")} in ${
        TOOL_FOLDERS.join(":")
      }; install them`,
    );
  }
  return tools;
}

/** An optional tool, if it behaves as needed. */
async function optional<Name extends "flock" | "logger">(
  name: Name,
  fits: (words: readonly string[]) => Promise<boolean>,
): Promise<Partial<Record<Name, readonly string[]>>> {
  const path = await findTool(name);
  const found: Partial<Record<Name, readonly string[]>> = {};
  if (path !== undefined && await fits([path])) found[name] = [path];
  return found;
}

/** Reports whether a flock supports a time limit; busybox's does not. */
async function waits(flock: readonly string[]): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-" });
  try {
    return await outputOf(flock, ["-w", "1", folder, "echo"]) === "\n";
  } finally {
    await Deno.remove(folder);
  }
}

async function findTool(name: string): Promise<string | undefined> {
  return await findProgram(name, { folders: TOOL_FOLDERS });
}

/** Output of a program; `undefined` if it fails, or takes seconds. */
async function outputOf(
  [program = "", ...words]: readonly string[],
  args: readonly string[],
  input: Uint8Array<ArrayBuffer> = new Uint8Array(),
): Promise<string | undefined> {
  try {
    const child = new Deno.Command(program, {
      args: [...words, ...args],
      env: { LC_ALL: "C" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      signal: AbortSignal.timeout(TRIAL_MS),
    }).spawn();
    const writer = child.stdin.getWriter();
    // A program that does not read its input may end before everything is
    // written.
    await writer.write(input).then(() => writer.close()).catch(() => {});
    const { stdout, success } = await child.output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    // The file is not a program, or not for this machine.
    return undefined;
  }
}

/** Reports whether a stat supports the dispatcher's format. */
async function tells(stat: readonly string[]): Promise<boolean> {
  const { mode, uid, size, mtime } = await Deno.stat("/");
  const told = await outputOf(stat, ["-L", "-c", STAT_FORMAT, "--", "/"]);
  const seconds = Math.floor((mtime?.getTime() ?? 0) / 1000);
  return told ===
    `${(mode ?? 0).toString(16)} ${uid} ${size} ${seconds}\n`;
}

/** Reports whether an mv replaces a file by a rename. */
async function moves(mv: readonly string[]): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-" });
  try {
    const [from, to] = [`${folder}/from`, `${folder}/to`];
    await Deno.writeTextFile(from, "");
    await Deno.writeTextFile(to, "");
    const { ino } = await Deno.stat(from);
    const done = await outputOf(mv, ["-f", from, to]) !== undefined;
    return done && (await Deno.stat(to)).ino === ino;
  } catch {
    return false;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Tests whether a shell starts no process for a subshell at the end of another
 * one.
 *
 * @param sh The words that start it.
 * @returns True if it starts none.
 */
export async function nests(sh: readonly string[]): Promise<boolean> {
  const program = `f() { exec /bin/sh -c 'echo "$PPID"'; }
parent=$( (:; (f) 2>&1) 2>&-)
echo "$((parent == $$))"`;
  return await outputOf(sh, ["-c", program]) === "1\n";
}

/**
 * Tests whether an awk reads a NUL like any other byte, and the whole input as
 * one record.
 *
 * @param awk The words that start it.
 * @returns True if it does.
 * @category Containers
 */
export async function keepsNul(awk: readonly string[]): Promise<boolean> {
  const program = 'BEGIN { RS = "^$" } { print length($0) }';
  const input = new Uint8Array([0x61, 0, 10, 1]);
  return await outputOf(awk, [program], input) === "4\n";
}
