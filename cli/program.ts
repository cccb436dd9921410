/**
 * What the program is called.
 *
 * @module
 */

/** Name of the program. */
export const NAME = "seccomp-tree";
