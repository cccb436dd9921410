/**
 * Architectures as logs name them.
 *
 * @module
 */

import { archByName, ARCHES } from "../tables/arch.ts";

/**
 * Names other than ours: of uname(2), of the audit library, of Android, and the
 * rest of `AUDIT_ARCH_*` in lower case.
 */
const WORDS: Readonly<Record<string, string>> = {
  amd64: "x86_64",
  arm64: "aarch64",
  armeabi: "arm",
  armhf: "arm",
  armv6l: "arm",
  armv7l: "arm",
  i386: "x86",
  i486: "x86",
  i586: "x86",
  i686: "x86",
  mipsel64: "mips64el",
};

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
  const name = text.replace(/^AUDIT_ARCH_/, "").toLowerCase();
  return archByName(WORDS[name] ?? name)?.auditArch ??
    ARCHES.find(({ scmp }) => scmp.toLowerCase() === `scmp_arch_${name}`)
      ?.auditArch;
}
