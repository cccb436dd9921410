/**
 * Stand-in for `jsr:@std/assert` if JSR cannot be reached: the few functions
 * that the tests use, with the signatures of the real package.
 *
 * @module
 */

import {
  AssertionError,
  deepStrictEqual,
  notDeepStrictEqual,
} from "node:assert/strict";

export { AssertionError };

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError({ message: msg || "assertion failed" });
}

/** Asserts that two values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AssertionError({
      message: msg === undefined ? detail : `${msg}: ${detail}`,
    });
  }
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (msg === undefined) notDeepStrictEqual(actual, expected);
  else notDeepStrictEqual(actual, expected, msg);
}

/** Asserts that a string contains another. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (!actual.includes(expected)) {
    throw new AssertionError({
      message: `${msg === undefined ? "" : `${msg}: `}${
        JSON.stringify(actual)
      } does not contain ${JSON.stringify(expected)}`,
    });
  }
}

/** Asserts that a string matches a pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (!expected.test(actual)) {
    throw new AssertionError({
      message: `${msg === undefined ? "" : `${msg}: `}${
        JSON.stringify(actual)
      } does not match ${expected}`,
    });
  }
}

// deno-lint-ignore no-explicit-any -- the signature of the real package
type ErrorConstructor<E extends Error> = new (...args: any[]) => E;

/** Asserts that a function throws, and returns what it threw. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  // deno-lint-ignore default-param-last -- the signature of the real package
  ErrorClass: ErrorConstructor<E> = Error as unknown as ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): E {
  try {
    fn();
  } catch (error) {
    return checkThrown(error, ErrorClass, msgIncludes, msg);
  }
  throw new AssertionError({ message: msg ?? "expected a throw" });
}

/** Asserts that a promise is rejected, and returns the reason. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  // deno-lint-ignore default-param-last -- the signature of the real package
  ErrorClass: ErrorConstructor<E> = Error as unknown as ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return checkThrown(error, ErrorClass, msgIncludes, msg);
  }
  throw new AssertionError({ message: msg ?? "expected a rejection" });
}

/** Fails. */
export function fail(msg?: string): never {
  throw new AssertionError({ message: msg ?? "failed" });
}

function checkThrown<E extends Error>(
  error: unknown,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes: string | undefined,
  msg: string | undefined,
): E {
  if (!(error instanceof ErrorClass)) {
    throw new AssertionError({
      message: `${msg ?? "wrong error"}: expected ${ErrorClass.name}, got ${
        String(error)
      }`,
    });
  }
  if (msgIncludes !== undefined) {
    assertStringIncludes(error.message, msgIncludes, msg);
  }
  return error;
}
