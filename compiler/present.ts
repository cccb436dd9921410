/**
 * Checked reads by index, used throughout `compiler/`:
 * `present(weights[cell])`. Loops that a short process runs before V8 has
 * compiled them use `weights[cell] ?? absent()` instead, which is the same
 * without a call.
 *
 * An index out of range is a bug in the compiler. A default value would be a
 * silent 0 in a sum of weights, and a cast would have the same effect with NaN:
 * the optimizer would continue with a wrong cost. So the read throws. The
 * caller reads the array, because V8 then knows the kind of each array, inlines
 * this function and removes the check for reads in range.
 *
 * A default remains if absence has a meaning, such as "no weight was given".
 *
 * @module
 */

/**
 * Returns a value that was read by an index or a key.
 *
 * @throws {Error} if it is absent: a bug in the compiler.
 */
export function present<T>(value: T | undefined): T {
  if (value === undefined) absent();
  return value;
}

/**
 * Throws; separate from `present`, so that the latter stays short enough for V8
 * to inline.
 */
export function absent(): never {
  throw new Error("Unreachable: a read out of range");
}
