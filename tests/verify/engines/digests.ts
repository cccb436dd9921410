/**
 * Digests of some filters, computed only by the library, to compare JavaScript
 * engines. Bundled for Node and browsers.
 *
 * @module
 */

import {
  compileProfile,
  DEFAULT_PROFILE,
  digestOf,
  parseFilters,
} from "../../../mod.ts";

/** Filters as text: arithmetic, scratch memory, both byte orders, a stack. */
const TEXTS: readonly string[] = [
  "ret #0x7fff0000",
  "ld [0]\njeq #101, no\nret #0x7fff0000\nno: ret #0x50001",
  "ld [16]\nand #0xf0\ntax\nld [24]\nand #0xf\nadd x\nst M[3]\nld M[3]\njgt #77, no\nret #0x7fff0000\nno: ret #0x80000000",
  "ld [16]\nmul #3\nand #0xff\njset #0x81, no\nret #0x7fff0000\nno: ret #0x5ffff",
  ".filter\nld [0]\njge #200, no\nret #0x7fff0000\nno: ret #0x50001\n.filter\nld [0]\njeq #3, no\nret #0x7fff0000\nno: ret #0x30000",
];

/**
 * Computes the digests.
 *
 * @returns One line for each.
 */
export async function digests(): Promise<string> {
  const lines: string[] = [];
  for (const text of TEXTS) {
    for (const compare of ["effect", "bits"] as const) {
      lines.push(
        JSON.stringify(await digestOf(parseFilters(text), { compare })),
      );
    }
  }
  for (const arch of ["x86_64", "s390x", "aarch64"] as const) {
    const filter = compileProfile(DEFAULT_PROFILE, {
      arch,
      kernel: { major: 6, minor: 1 },
    });
    if (filter.kind !== "proved") throw new Error(filter.message);
    lines.push(JSON.stringify(await digestOf(filter)));
  }
  return lines.join("\n");
}
