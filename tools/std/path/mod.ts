/**
 * Stand-in for `jsr:@std/path` where JSR cannot be reached: the few functions
 * this project uses, with the signatures of the real package. A package
 * installed from JSR gets the real one.
 *
 * @module
 */

export {
  basename,
  dirname,
  extname,
  isAbsolute,
  join,
  relative,
  resolve,
} from "node:path/posix";

/** Converts a file URL to a path. */
export { fileURLToPath as fromFileUrl } from "node:url";
