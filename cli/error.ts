/**
 * The errors that commands throw. The class decides the exit code.
 *
 * @module
 */

/** Thrown where the command line cannot be meant: exit 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Thrown where an input cannot be read or understood: exit 3. */
export class InputError extends Error {
  override readonly name = "InputError";
  /** `file` or `file:line:column`; absent if none exists. */
  readonly place: string | undefined;

  /**
   * Builds the error.
   *
   * @param message What failed, what was seen, what would do.
   * @param options Where it was seen, and what was thrown there.
   */
  constructor(
    message: string,
    options: ErrorOptions & { readonly place?: string } = {},
  ) {
    super(message, options);
    this.place = options.place;
  }
}

/** Thrown when a process has no filter: exit 1, in every command. */
export class NoFilterError extends Error {
  override readonly name = "NoFilterError";
  /** The process, as `pid:N`. */
  readonly place: string;
  /** Another thread that has one. */
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

/** Thrown after problems were reported: nothing more is to be said. */
export class ReportedError extends Error {
  override readonly name = "ReportedError";
  /** The exit code; 3 if absent. */
  readonly code: number | undefined;

  /**
   * Builds the error.
   *
   * @param message What the problems are about.
   * @param options The exit code, and what was thrown first.
   */
  constructor(
    message: string,
    options: ErrorOptions & { readonly code?: number } = {},
  ) {
    super(message, options);
    this.code = options.code;
  }
}

/** Thrown where something is not proven or a limit is reached: exit 4. */
export class UnprovenError extends Error {
  override readonly name = "UnprovenError";
}

/** Thrown where this machine does not allow what was asked: exit 5. */
export class MachineError extends Error {
  override readonly name = "MachineError";
}

/** The reader of the results went away, which is no error. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}
