/**
 * `run`: loads a filter, then executes a command in its place.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { messageOf } from "../../host/reason.ts";
import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { actionOf } from "../../bpf/return_value.ts";
import { SyscallError } from "../../ffi/error.ts";
import { execWithFilter } from "../../ffi/exec.ts";
import { filterFlags, type LoadOptions } from "../../ffi/load.ts";
import { SECCOMP_RET_USER_NOTIF } from "../../tables/uapi.ts";
import { InputError, UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import { type LoadedFilter, readFilterSource } from "../input/filter.ts";
import {
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import type { Io } from "../io.ts";

/** Flags of `run`. */
export interface RunFlags extends SourceFlags {
  readonly noNewPrivs: boolean;
  readonly preset?: readonly string[];
}

/** Exit codes of a shell that cannot run a command. */
const CANNOT_EXECUTE = 126;
const NOT_FOUND = 127;
const ENOENT = 2;

/** The command. */
export const command: CommandDefinition = defineCommand<
  RunFlags,
  string[]
>({
  usage: "[OPTION...] SOURCE|--preset NAME -- COMMAND [ARG...]",
  examples: [
    "run default:docker -- ls -l",
    "run --preset no-ptrace --preset no-af-alg -- python3 -V",
  ],
  parameters: {
    flags: {
      noNewPrivs: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Set no_new_privs even if it is not needed",
      },
      preset: {
        kind: "parsed",
        parse: word,
        variadic: true,
        optional: true,
        placeholder: "PRESET",
        brief: "Use a preset instead of a source; repeatable",
      },
      ...SOURCE_FLAGS,
    },
    aliases: TELL_ALIASES,
    positional: {
      kind: "array",
      parameter: {
        brief: "Source of the filter, --, the command and its arguments",
        parse: (input: string): string => input,
        placeholder: "SOURCE COMMAND",
      },
    },
  },
  run: runRun,
});

/** Executes a command under a filter; returns only on failure. */
export async function runRun(
  io: Io,
  flags: RunFlags,
  ...words: readonly string[]
): Promise<number> {
  const { preset = [] } = flags;
  const source = preset.length > 0 ? undefined : words[0];
  const [command, ...args] = preset.length > 0 ? words : words.slice(1);
  if (command === undefined) {
    throw new UsageError(
      "Missing argument: COMMAND; write a source, -- and a command, such as run default:docker -- ls",
    );
  }
  const tells = { ...flags, quiet: flags.quiet || !flags.verbose };
  const filter = source === undefined
    ? await presetFilter(io, preset, tells)
    : await readFilterSource(io, source, tells);
  const program = onlyProgram(filter);
  try {
    return execWithFilter(encode(program), {
      command,
      args,
      flags: loadFlags(filter),
      noNewPrivs: flags.noNewPrivs ? "always" : "as-needed",
    });
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    io.err(messageLine(io, "error", messageOf(error)));
    return exitOf(error);
  }
}

/** The filter that denies everything that any of the presets denies. */
async function presetFilter(
  io: Io,
  names: readonly string[],
  flags: SourceFlags,
): Promise<LoadedFilter> {
  const { combinedFilter } = await import("../input/sources/preset_filter.ts");
  return await combinedFilter(io, names.map((name) => `preset:${name}`), flags);
}

function exitOf({ syscall, errno }: SyscallError): number {
  if (syscall === "execve") {
    return errno === ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
  }
  // The filter denies execve, so the command cannot be started.
  return syscall.startsWith("the filter") ? CANNOT_EXECUTE : EXIT.machine;
}

function onlyProgram({ name, programs, littleEndian }: LoadedFilter): Program {
  const [program] = programs;
  if (!littleEndian) {
    throw new InputError(
      "Cannot run under a filter for big-endian machines: this machine is little-endian; give a filter for it",
      { place: name },
    );
  }
  if (program === undefined || programs.length > 1) {
    throw new InputError(
      `Cannot run under ${programs.length} filters; give a source with one`,
      { place: name },
    );
  }
  const notifies = program.some(({ op, k }) =>
    op === "ret.k" && actionOf(k) === SECCOMP_RET_USER_NOTIF
  );
  if (notifies) {
    throw new InputError(
      "Cannot run under a filter with USER_NOTIF: the calls would fail with ENOSYS, because there is no listener; use a container runtime",
      { place: name },
    );
  }
  return program;
}

/** Flags as written in the profile; a program has none. */
function loadFlags(filter: LoadedFilter): NonNullable<LoadOptions["flags"]> {
  if (filter.kind === "programs") return [];
  const flags = filter.resolved.seccomp.flags ?? [];
  try {
    filterFlags(flags);
  } catch (error) {
    throw new InputError(messageOf(error), {
      place: filter.name,
      cause: error,
    });
  }
  // filterFlags has just refused all other names.
  return flags as NonNullable<LoadOptions["flags"]>;
}
