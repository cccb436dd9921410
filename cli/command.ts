/**
 * The shape of a command: options, usage, examples and code in one place.
 *
 * @module
 */

import {
  buildCommand,
  type Command,
  type CommandContext,
  type TypedCommandParameters,
} from "@stricli/core";
import type { Io } from "./io.ts";

/** The name of the program. */
export const NAME = "seccomp-tree";

/** Result of a command: an exit code, or nothing for 0. */
export type CommandExit = Promise<number | void> | number | void;

/** Context of a command. */
export interface AppContext extends CommandContext {
  /** Streams. */
  readonly io: Io;
  /** Runs a command and sets the exit code, even if the command throws. */
  readonly settle: (work: () => CommandExit) => Promise<void>;
}

/** A command as the program runs it. */
export interface CommandDefinition {
  /** The arguments after the command's name. */
  readonly usage: string;
  /** Two command lines without the program's name. */
  readonly examples: readonly [string, string];
  /**
   * Builds the command.
   *
   * @param brief The purpose of the command, in one line.
   */
  readonly build: (brief: string) => Command<AppContext>;
}

/** Definition in the file of a command. */
export interface CommandOptions<
  F extends Readonly<Partial<Record<keyof F, unknown>>>,
  A extends readonly unknown[],
> extends Pick<CommandDefinition, "usage" | "examples"> {
  /** Options and arguments, in the form of @stricli/core. */
  readonly parameters: NoInfer<TypedCommandParameters<F, A, AppContext>>;
  /** The code. */
  readonly run: (io: Io, flags: F, ...args: A) => CommandExit;
}

/**
 * Defines a command.
 *
 * @param options Options, arguments, examples and code.
 */
export function defineCommand<
  F extends Readonly<Partial<Record<keyof F, unknown>>> = NonNullable<unknown>,
  A extends readonly unknown[] = [],
>(
  options: CommandOptions<F, A>,
): CommandDefinition {
  const { usage, examples, parameters, run } = options;
  return {
    usage,
    examples,
    build: (brief) =>
      buildCommand<F, A, AppContext>({
        docs: { brief },
        parameters,
        func(this: AppContext, flags, ...args): Promise<void> {
          return this.settle(() => run(this.io, flags, ...args));
        },
      }),
  };
}
