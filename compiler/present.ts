/**
 * Reads by index, in all of `compiler/`: `present(weights[cell])`.
 *
 * An index out of range is a fault of the compiler. A default in its place
 * would be a silent 0 in a sum of weights, and a cast would be the same with
 * NaN: the optimizer would go on with a wrong cost. So the read throws. The
 * array is read at the call, not here: V8 then knows the kind of each array,
 * inlines this function and drops the test for reads that are in range.
 *
 * A default stays where "absent" has a meaning, such as "no weight was given".
 *
 * @module
 */

/**
 * Returns a value that was read by an index or a key.
 *
 * @throws {Error} if it is absent: a fault of the compiler.
 */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throwAbsent();
  return value;
}

/** Throws; apart from `present`, so that V8 finds that one short enough to inline. */
function throwAbsent(): never {
  throw new Error("Unreachable: a read out of range");
}
