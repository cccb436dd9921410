/**
 * Names of the forms in which a filter is written, apart from the writers so
 * that the list of commands loads none of them.
 *
 * @module
 */

/** Forms of a filter. */
export const FORMATS = [
  "raw",
  "base64",
  "hex",
  "asm",
  "c",
  "go",
  "rust",
  "json",
  "annotation",
] as const;

/** A form of a filter. */
export type Format = typeof FORMATS[number];
