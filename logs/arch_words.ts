/**
 * Architectures as logs name them.
 *
 * @module
 */

import { archByAnyName } from "../tables/arch_names.ts";

/**
 * Finds the audit value of an architecture.
 *
 * @example Three spellings
 * ```ts
 * import { auditArchOf } from "./arch_words.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(auditArchOf("c000003e"), 0xc000_003e);
 * assertEquals(auditArchOf("arm64"), 0xc000_00b7);
 * assertEquals(auditArchOf("AUDIT_ARCH_I386"), 0x4000_0003);
 * ```
 *
 * @param text Hex digits of the audit value, a name, or `AUDIT_ARCH_*`.
 * @returns `AUDIT_ARCH_*`, a u32; `undefined` if the text is not a known name.
 */
export function auditArchOf(text: string): number | undefined {
  if (/^(?:0x)?[0-9a-f]{1,8}$/i.test(text)) {
    return Number(text.startsWith("0x") ? text : `0x${text}`);
  }
  return archByAnyName(text)?.auditArch;
}
