/**
 * Runs the command line, in this process or in a separate one.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { runCommandLine } from "../../cli/command_line.ts";
import type { Io } from "../../cli/io.ts";

/** Path of the program. */
export const MAIN: string = fromFileUrl(
  new URL("../../cli/main.ts", import.meta.url),
);

/** Result of a command. */
export interface Outcome {
  readonly code: number;
  /** Results, as text. */
  readonly out: string;
  /** Results, as bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Standard error, as text. */
  readonly err: string;
}

/** Surroundings of a command. */
export interface CallOptions {
  readonly stdin?: string | Uint8Array;
  readonly terminal?: boolean;
  readonly color?: boolean;
}

/** Runs a command line within this process. */
export async function call(
  args: readonly string[],
  options: CallOptions = {},
): Promise<Outcome> {
  const chunks: Uint8Array[] = [];
  let err = "";
  const stdin = options.stdin ?? "";
  const io: Io = {
    out: (data) => {
      chunks.push(typeof data === "string" ? encode(data) : data.slice());
    },
    err: (text) => {
      err += text;
    },
    stdin: async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(
        typeof stdin === "string" ? encode(stdin) : stdin,
      );
    },
    outIsTerminal: options.terminal ?? false,
    color: options.color ?? false,
    outColor: options.color ?? false,
  };
  const code = await runCommandLine(io, args);
  const bytes = concat(chunks);
  return { code, bytes, out: new TextDecoder().decode(bytes), err };
}

/** Surroundings of a process. */
export interface SpawnOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Number of processes in progress; two cores are shared with other test files.
 */
let free = 3;
const waiting: (() => void)[] = [];

/**
 * Runs a command line as a process. `verify --all` needs its own: it stops
 * every filtered process for a moment. If a thread of this process did so with
 * a child that `selftest` made in another thread, the wait for that child would
 * end (kernel/exit.c, wait_consider_child(): stops of a child that is traced by
 * its parent's own threads are always reported).
 */
export async function spawn(
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<Outcome> {
  return await command(Deno.execPath(), ["run", "-A", MAIN, ...args], options);
}

/** Runs a shell script in which `$CLI` is the command line's program. */
export async function shell(
  script: string,
  options: SpawnOptions = {},
): Promise<Outcome> {
  const env = { ...options.env, CLI: `${Deno.execPath()} run -A ${MAIN}` };
  return await command("bash", ["-c", script], { ...options, env });
}

async function command(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<Outcome> {
  if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
  else free--;
  try {
    const child = new Deno.Command(program, {
      args: [...args],
      env: { NO_COLOR: "1", ...options.env },
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }).spawn();
    const output = child.output();
    if (options.stdin !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(encode(options.stdin));
      await writer.close();
    }
    const { code, stdout, stderr } = await output;
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    return { code, bytes: stdout, out: text(stdout), err: text(stderr) };
  } finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}

/** A folder that is removed when it is disposed of. */
export interface Folder extends AsyncDisposable {
  readonly path: string;
  /** Writes a file and returns its path. */
  write(name: string, data: string | Uint8Array): Promise<string>;
}

/** Makes a folder. */
export async function createFolder(): Promise<Folder> {
  const path = await Deno.makeTempDir({ prefix: "seccomp-tree-cli-" });
  return {
    path,
    async write(name, data): Promise<string> {
      const file = join(path, name);
      await Deno.writeFile(
        file,
        typeof data === "string" ? encode(data) : data,
      );
      return file;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** A profile that allows two calls and checks an argument of a third. */
export const SMALL_PROFILE: string = JSON.stringify({
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrnoRet: 1,
  architectures: ["SCMP_ARCH_X86_64"],
  syscalls: [
    { names: ["read", "write"], action: "SCMP_ACT_ALLOW" },
    {
      names: ["socket"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }],
    },
  ],
});

/** Flags that make the compiled filter independent of this machine. */
export const FIXED: readonly string[] = ["-q", "--arch", "x86_64"];

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((n, { length }) => n + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
