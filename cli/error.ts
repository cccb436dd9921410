/**
 * Errors of commands. The class determines the exit code.
 *
 * @module
 */

/** Thrown if the command line is invalid: exit 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Thrown if an input cannot be read or understood: exit 3. */
export class InputError extends Error {
  override readonly name = "InputError";
  /** `file` or `file:line:column`; absent if there is no position. */
  readonly place: string | undefined;

  /**
   * Builds the error.
   *
   * @param message The action that failed, what was seen, and the remedy.
   * @param options The position, and the cause.
   */
  constructor(
    message: string,
    options: ErrorOptions & { readonly place?: string } = {},
  ) {
    super(message, options);
    this.place = options.place;
  }
}

/** Thrown if a process has no filter: exit 1, in every command. */
export class NoFilterError extends Error {
  override readonly name = "NoFilterError";
  /** The process, as `pid:N`. */
  readonly place: string;
  /** Another thread that has a filter. */
  readonly other: number | undefined;

  /**
   * Builds the error.
   *
   * @param pid The process, or a thread.
   * @param other Another thread of the process that has a filter.
   */
  constructor(pid: number, other?: number) {
    super(
      other === undefined
        ? "no filter"
        : `no filter, but thread ${other} has one: see it with dump --thread pid:${other}`,
    );
    this.place = `pid:${pid}`;
    this.other = other;
  }
}

/** Thrown after problems were reported: no further message is printed. */
export class ReportedError extends Error {
  override readonly name = "ReportedError";
  /** The exit code; 3 if absent. */
  readonly code: number | undefined;

  /**
   * Builds the error.
   *
   * @param message Subject of the problems.
   * @param options The exit code, and the first cause.
   */
  constructor(
    message: string,
    options: ErrorOptions & { readonly code?: number } = {},
  ) {
    super(message, options);
    this.code = options.code;
  }
}

/** Thrown if something is not proven or a limit is reached: exit 4. */
export class UnprovenError extends Error {
  override readonly name = "UnprovenError";
}

/** Thrown if this machine does not permit the requested action: exit 5. */
export class MachineError extends Error {
  override readonly name = "MachineError";
}

/** The reader of the results has closed the stream, which is not an error. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}
