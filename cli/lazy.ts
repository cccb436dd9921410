/**
 * How the definition of a command finds the command's code.
 *
 * @module
 */

import type { Application, CommandContext } from "@stricli/core";
import type { Io } from "./io.ts";

/** What a command may answer: an exit code, 0 where absent. */
export type Answer = Promise<number | void> | number | void;

/** What commands get. */
export interface AppContext extends CommandContext {
  readonly io: Io;
  /** Runs a command and sets the exit code, also where it throws. */
  readonly settle: (work: () => Answer) => Promise<void>;
  /** Makes the application with all commands, for one that lists them. */
  readonly app: () => Promise<Application<AppContext>>;
}

/**
 * Makes a loader of a command.
 *
 * @param load Imports the function that does the work.
 */
export function lazily<A extends readonly unknown[]>(
  load: () => Promise<(io: Io, ...args: A) => Answer>,
): () => Promise<(this: AppContext, ...args: A) => Promise<void>> {
  return async () => {
    const work = await load();
    return function (this: AppContext, ...args: A): Promise<void> {
      return this.settle(() => work(this.io, ...args));
    };
  };
}
