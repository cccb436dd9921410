/**
 * The messages between `ffi/libseccomp_guard.ts` and its child: one JSON
 * document per line, 64-bit integers as decimal strings, programs in base64.
 *
 * @module
 */

import type { ExportResult, FilterSpec } from "./libseccomp.ts";

/**
 * Writes a request.
 *
 * @param spec The filter to build.
 * @returns One line without a line feed.
 */
export function encodeSpec(spec: FilterSpec): string {
  return JSON.stringify(
    spec,
    (_key, value: unknown) =>
      typeof value === "bigint" ? value.toString() : value,
  );
}

/**
 * Reads a request.
 *
 * @param line A line written by {@linkcode encodeSpec}.
 * @returns The request.
 */
export function decodeSpec(line: string): FilterSpec {
  // The line comes from `encodeSpec` of this version: the only changed type is
  // that of the two u64 fields.
  return JSON.parse(
    line,
    (key, value: unknown) =>
      (key === "a" || key === "b") && typeof value === "string"
        ? BigInt(value)
        : value,
  ) as FilterSpec;
}

/**
 * Writes an answer.
 *
 * @param result The answer.
 * @returns One line without a line feed.
 */
export function encodeResult(result: ExportResult): string {
  return JSON.stringify(
    result.kind === "filter"
      ? { kind: "filter", bytes: result.bytes.toBase64() }
      : result,
  );
}

/**
 * Reads an answer.
 *
 * @param line A line written by {@linkcode encodeResult}.
 * @returns The answer.
 */
export function decodeResult(line: string): ExportResult {
  // The line comes from `encodeResult` of this version.
  const value = JSON.parse(line) as
    | { readonly kind: "filter"; readonly bytes: string }
    | Exclude<ExportResult, { kind: "filter" }>;
  return value.kind === "filter"
    ? { kind: "filter", bytes: Uint8Array.fromBase64(value.bytes) }
    : value;
}
